"""A feature pyramid over residual blocks (after Lin et al., CVPR 2017), 0.3 M parameters at width 20."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from simnet.tasks.networks.base import conv_bn_relu
from simnet.tasks.networks.resnet20 import BasicBlock
from simnet.tasks.networks.segmenter import Segmenter, like
from simnet.tasks.networks.statistics import CAMVID_DEVIATION, CAMVID_MEAN


class Fpn(Segmenter):
    """Stem and three stages of two residual blocks at strides 2, 4, 8, 16; levels are added up on the way back.

    Args:
        width: channels of the stem; the stages have 1.5, 3 and 5 times as many, the way back twice as many.
    """

    name = "fpn"

    def __init__(self, *, width: int = 20, n_classes: int = 11) -> None:
        super().__init__(n_classes, mean=CAMVID_MEAN, deviation=CAMVID_DEVIATION)
        widths = (width, 3 * width // 2, 3 * width, 5 * width)
        self.stem = conv_bn_relu(3, width, kernel=5, stride=2, padding=2)
        self.stages = nn.ModuleList(
            nn.Sequential(BasicBlock(n_in, n_out, stride=2), BasicBlock(n_out, n_out, stride=1))
            for n_in, n_out in pairwise(widths)
        )
        self.lateral = nn.ModuleList(nn.Conv2d(n, 2 * width, 1) for n in widths)
        self.smooth = conv_bn_relu(2 * width, 2 * width)
        self.logits = nn.Conv2d(2 * width, n_classes, 1)

    def pyramid(self, x: Tensor) -> list[Tensor]:
        stacks = [self.stem(x)]
        for stage in self.stages:
            stacks.append(stage(stacks[-1]))
        return stacks

    def head(self, pyramid: list[Tensor]) -> Tensor:
        levels = [lateral(stack) for lateral, stack in zip(self.lateral, pyramid, strict=True)]
        x = levels.pop()
        while levels:
            finer = levels.pop()
            x = F.relu(finer + like(x, finer))
        logits: Tensor = self.logits(self.smooth(x))
        return logits
