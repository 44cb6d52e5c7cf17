"""A fast classifier for 32 x 32 colour images: four convolutions, global mean, linear head."""

from __future__ import annotations

from torch import nn

from simnet.tasks.networks.base import Cifar10Classifier, conv_bn_relu


class SmallCnn(Cifar10Classifier):
    """3 → w → 3w/2 → 2w → 3w channels at 32, 16, 8, 8 pixels; 19 MFLOP, 99 k parameters at w = 32."""

    name = "small_cnn"

    def __init__(self, *, width: int = 32, n_classes: int = 10) -> None:
        super().__init__(n_features=3 * width, n_classes=n_classes)
        self.blocks = nn.Sequential(
            conv_bn_relu(3, width),
            nn.MaxPool2d(2),
            conv_bn_relu(width, 3 * width // 2),
            nn.MaxPool2d(2),
            conv_bn_relu(3 * width // 2, 2 * width),
            conv_bn_relu(2 * width, 3 * width),
        )
