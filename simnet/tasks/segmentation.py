"""Which class is each pixel of? ST is the mIoU over the wished classes that the picture's truth shows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from simnet.core.zoo import model_dir
from simnet.tasks.base import Task
from simnet.tasks.flops import flop_per_image
from simnet.tasks.intersection import confusion, mean_iou
from simnet.tasks.networks import load_segmenter
from simnet.tasks.networks.segmenter import Segmenter


class Segmentation(Task):
    """Labelling by a segmentation network of the zoo.

    Args:
        network: frozen, in evaluation mode; its device is the task's.
        image_shape: (3, H, W) of the pictures; the network takes any.
        classes: indices of the wished classes; None: all.
    """

    name = "segmentation"
    sure_st = 0.2
    """A mIoU is a mean over classes, rare and thin ones among them; below this the judge sees next to nothing."""

    def __init__(
        self, network: Segmenter, image_shape: tuple[int, int, int], classes: Sequence[int] | None = None
    ) -> None:
        self.network = network
        self._image_shape = image_shape
        self.classes = classes

    @classmethod
    def from_zoo(
        cls, model: str, image_shape: tuple[int, int, int], classes: Sequence[int] | None = None
    ) -> Segmentation:
        """The task with the zoo's network ``model``, e.g. ``segmenter/street_judge``."""
        return cls(load_segmenter(model_dir(model) / "weights.safetensors"), image_shape, classes)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self._image_shape

    @cached_property
    def flop_per_image(self) -> int:
        return flop_per_image(self.network, self.image_shape)

    def infer(self, images: Tensor) -> Tensor:
        """[B, 2, H, W] uint8 of images [B, 3, H, W] float32 in [0, 1]: each pixel's likeliest class, and 255 times its
        probability."""
        likeliest = self.network(images).softmax(dim=1).max(dim=1)
        return torch.stack([likeliest.indices, (255 * likeliest.values).round()], dim=1).to(torch.uint8)

    def st(self, inferred: Tensor, truth: Tensor) -> Tensor:
        """mIoU, [B] float64; NaN where the truth [B, H, W] shows none of the wished classes."""
        return mean_iou(confusion(inferred[:, 0], truth, self.network.n_classes), self.classes)

    def confidence(self, inferred: Tensor) -> Tensor:
        """Mean probability of the likeliest classes, [B]."""
        return inferred[:, 1].float().mean((1, 2)) / 255

    def agreement(self, recovered: Tensor, original: Tensor) -> Tensor:
        """mIoU of what is seen in the recovered picture, with what is seen in the original for the truth, [B].

        1 where none of the wished classes is.
        """
        return self.st(recovered, original[:, 0]).nan_to_num(1.0)
