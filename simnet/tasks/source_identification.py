"""Which kind of source is the image of (digits, clothes, vehicles, animals)? The answer picks the codec."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from simnet.core.errors import SimnetError
from simnet.core.zoo import model_dir
from simnet.tasks.base import Task
from simnet.tasks.classification import Classification
from simnet.tasks.networks import load_network

SOURCES = ("digits", "clothes", "vehicles", "animals")
"""Class k of the network is ``SOURCES[k]``."""
IMAGE_SIDE = 32


def to_source_input(images: Tensor) -> Tensor:
    """Images as the identifier takes them, [B, 3, 32, 32]: black around small ones, grey repeated.

    Args:
        images: [B, 1 or 3, H ≤ 32, W ≤ 32], any type.
    """
    batch, channels, height, width = images.shape
    if channels not in (1, 3) or height > IMAGE_SIDE or width > IMAGE_SIDE:
        raise ValueError(f"source identification: got images {tuple(images.shape[1:])}; allowed 1|3 x ≤32 x ≤32")
    top, left = (IMAGE_SIDE - height) // 2, (IMAGE_SIDE - width) // 2
    padded = F.pad(images, (left, IMAGE_SIDE - width - left, top, IMAGE_SIDE - height - top))
    return padded.expand(batch, 3, IMAGE_SIDE, IMAGE_SIDE)


class SourceIdentification(Classification, Task):
    """AESC-I's source identification, run by whoever encodes; its mistakes are recorded.

    Args:
        network: classifier over :data:`SOURCES` on 3 x 32 x 32, frozen, in evaluation mode.
    """

    name = "source_identification"

    @classmethod
    def from_zoo(cls, model: str = "source_id/four_sources") -> SourceIdentification:
        """The task with a network of the zoo.

        Raises:
            SimnetError: it isn't a network over :data:`SOURCES`.
        """
        network = load_network(model_dir(model) / "weights.safetensors")
        expected = len(SOURCES), (3, IMAGE_SIDE, IMAGE_SIDE)
        if (network.n_classes, network.image_shape) != expected:
            raise SimnetError(
                f"protocol.source_identification: got {model}, a network of {network.n_classes} classes of images of "
                f"{network.image_shape}; allowed one of {expected[0]}, {', '.join(SOURCES)}, of {expected[1]}, such as "
                "source_id/four_sources"
            )
        return cls(network)

    def infer(self, images: Tensor) -> Tensor:
        """Probabilities [B, 4] over :data:`SOURCES` of images [B, 1 or 3, H, W] float32 in [0, 1]."""
        logits: Tensor = self.network(to_source_input(images))
        return logits.softmax(dim=1)

    def identify(self, images: Tensor) -> list[str]:
        """The most probable source of each image."""
        with torch.no_grad():
            return [SOURCES[k] for k in self.infer(images).argmax(dim=1).tolist()]
