"""A small RepVGG for 32 x 32 images: plain 3 x 3 convolutions, trained with two more ways around each (Ding et al.,
CVPR 2021)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from simnet.tasks.networks.base import Cifar10Classifier

BLOCKS = (2, 3, 3)
"""Of the three stages, at 32 x 32, 16 x 16 and 8 x 8."""


class RepVggBlock(nn.Module):
    """relu(bn(conv 3 x 3) + bn(conv 1 x 1) + bn(x)); the last way only where the shape stays."""

    def __init__(self, n_in: int, n_out: int, *, stride: int) -> None:
        super().__init__()
        self.wide = nn.Sequential(nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False), nn.BatchNorm2d(n_out))
        self.narrow = nn.Sequential(nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out))
        self.around = nn.BatchNorm2d(n_in) if n_in == n_out and stride == 1 else None

    def forward(self, x: Tensor) -> Tensor:
        ways = self.wide(x) + self.narrow(x)
        return F.relu(ways if self.around is None else ways + self.around(x))


class RepVgg(Cifar10Classifier):
    """3 stages with w, 2 w, 4 w channels, global mean, linear head."""

    name = "repvgg"

    def __init__(self, *, width: int = 32, n_classes: int = 10) -> None:
        super().__init__(n_features=4 * width, n_classes=n_classes)
        blocks: list[nn.Module] = []
        n_in = 3
        for stage, n_blocks in enumerate(BLOCKS):
            for block in range(n_blocks):
                n_out = width << stage
                blocks.append(RepVggBlock(n_in, n_out, stride=2 if stage and not block else 1))
                n_in = n_out
        self.blocks = nn.Sequential(*blocks)
