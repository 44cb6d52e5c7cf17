"""A small ShuffleNet V2 for 32 x 32 images (Ma et al., ECCV 2018, Fig. 3c and d)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from simnet.tasks.networks.base import Cifar10Classifier, conv_bn_relu

BLOCKS = (3, 4, 3)
"""Of the three stages, at 32 x 32, 16 x 16 and 8 x 8."""


class ShuffleBlock(nn.Module):
    """Half of the channels pass by, the others through 1 x 1, depthwise 3 x 3, 1 x 1; then both are shuffled.

    With stride 2 all channels go both ways, so that their number doubles.
    """

    def __init__(self, n_out: int, *, stride: int) -> None:
        super().__init__()
        half = n_out // 2
        self.stride = stride
        self.main = nn.Sequential(
            conv_bn_relu(half, half, kernel=1, padding=0),
            *_depthwise(half, stride),
            conv_bn_relu(half, half, kernel=1, padding=0),
        )
        self.aside = (
            nn.Sequential(*_depthwise(half, stride), conv_bn_relu(half, half, kernel=1, padding=0))
            if stride > 1
            else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        left, right = (x, x) if self.stride > 1 else x.chunk(2, dim=1)
        out = torch.cat((self.aside(left), self.main(right)), dim=1)
        n, channels, height, width = out.shape
        return out.view(n, 2, channels // 2, height, width).transpose(1, 2).reshape(n, channels, height, width)


class ShuffleNet(Cifar10Classifier):
    """Stem of ``width`` channels, 3 stages with w, 2 w, 4 w, a 1 x 1 convolution to 8 w, global mean, linear head."""

    name = "shufflenet"

    def __init__(self, *, width: int = 24, n_classes: int = 10) -> None:
        super().__init__(n_features=8 * width, n_classes=n_classes)
        blocks: list[nn.Module] = [conv_bn_relu(3, width)]
        for stage, n_blocks in enumerate(BLOCKS):
            for block in range(n_blocks):
                blocks.append(ShuffleBlock(width << stage, stride=2 if stage and not block else 1))
        self.blocks = nn.Sequential(*blocks, conv_bn_relu(4 * width, 8 * width, kernel=1, padding=0))


def _depthwise(width: int, stride: int) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(width, width, 3, stride, 1, groups=width, bias=False), nn.BatchNorm2d(width)
