"""What every classifier network is: normalisation, features, a linear head."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from simnet.tasks.networks.statistics import CIFAR10_DEVIATION, CIFAR10_MEAN


class Classifier(nn.Module, ABC):
    """A network that gives logits [B, K] for images [B, C, H, W] float32 in [0, 1].

    Normalisation is a part of the graph, so that gradients (semantic loss) and FLOPs include it.

    Args:
        image_shape: (C, H, W) of the images.
        mean, deviation: per channel, of the training images in [0, 1].
        n_features: length of the penultimate feature vector.
        n_classes: K.
    """

    name: ClassVar[str]
    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        *,
        mean: Sequence[float],
        deviation: Sequence[float],
        n_features: int,
        n_classes: int,
    ) -> None:
        super().__init__()
        self.image_shape = image_shape
        self.n_classes = n_classes
        self.register_buffer("mean", torch.tensor(mean).view(-1, 1, 1))
        self.register_buffer("deviation", torch.tensor(deviation).view(-1, 1, 1))
        self.head = nn.Linear(n_features, n_classes)

    @abstractmethod
    def body(self, x: Tensor) -> Tensor:
        """Penultimate features [B, F] of normalised images [B, C, H, W]."""

    def features(self, x: Tensor) -> Tensor:
        """Penultimate features [B, F] (after the last non-linearity) of images [B, C, H, W] in [0, 1]."""
        return self.body((x - self.mean) / self.deviation)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [B, K] of images [B, C, H, W] float32 in [0, 1]."""
        logits: Tensor = self.head(self.features(x))
        return logits


class Cifar10Classifier(Classifier):
    """``blocks`` on 32 x 32 colour images, normalised as CIFAR-10, then the global mean and the linear head."""

    blocks: nn.Sequential

    def __init__(self, *, n_features: int, n_classes: int) -> None:
        super().__init__(
            (3, 32, 32),
            mean=CIFAR10_MEAN,
            deviation=CIFAR10_DEVIATION,
            n_features=n_features,
            n_classes=n_classes,
        )

    def body(self, x: Tensor) -> Tensor:
        maps: Tensor = self.blocks(x)
        return maps.mean(dim=(2, 3))


def conv_bn_relu(n_in: int, n_out: int, *, kernel: int = 3, stride: int = 1, padding: int = 1) -> nn.Sequential:
    """Convolution without bias, batch normalisation, ReLU."""
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, kernel, stride, padding, bias=False), nn.BatchNorm2d(n_out), nn.ReLU(inplace=True)
    )
