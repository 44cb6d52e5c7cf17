"""What every segmentation network is: normalisation, a pyramid of features, logits per pixel."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Segmenter(nn.Module, ABC):
    """A network that gives logits [B, K, H, W] for images [B, 3, H, W] float32 in [0, 1], of any size from 32 x 32.

    Normalisation is a part of the graph, so that gradients (perceptual distance) and FLOPs include it.

    Args:
        n_classes: K, without ``unlabelled``.
        mean, deviation: per channel, of the training images in [0, 1].
    """

    name: ClassVar[str]
    mean: Tensor
    deviation: Tensor

    def __init__(self, n_classes: int, *, mean: Sequence[float], deviation: Sequence[float]) -> None:
        super().__init__()
        self.n_classes = n_classes
        self.register_buffer("mean", torch.tensor(mean).view(-1, 1, 1))
        self.register_buffer("deviation", torch.tensor(deviation).view(-1, 1, 1))

    @abstractmethod
    def pyramid(self, x: Tensor) -> list[Tensor]:
        """Feature stacks [B, C_l, H_l, W_l] of normalised images, finest first."""

    @abstractmethod
    def head(self, pyramid: list[Tensor]) -> Tensor:
        """Logits [B, K, h, w] of the stacks that :meth:`pyramid` gave."""

    def features(self, x: Tensor) -> list[Tensor]:
        """Feature stacks of images [B, 3, H, W] in [0, 1], finest first."""
        return self.pyramid((x - self.mean) / self.deviation)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [B, K, H, W] of images [B, 3, H, W] float32 in [0, 1]."""
        return self.labelled(self.features(x), x.shape[2:])

    def labelled(self, pyramid: list[Tensor], size: Sequence[int]) -> Tensor:
        """Logits [B, K, H, W] of features that :meth:`features` gave, for pictures of this size."""
        return F.interpolate(self.head(pyramid), size=tuple(size), mode="bilinear", align_corners=False)


def like(x: Tensor, other: Tensor) -> Tensor:
    """Features scaled to the height and width of others, the nearest value."""
    return F.interpolate(x, size=other.shape[2:], mode="nearest")
