"""A U-Net that begins at half resolution (after Ronneberger et al., MICCAI 2015), 0.9 M parameters at width 24."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from simnet.tasks.networks.base import conv_bn_relu
from simnet.tasks.networks.segmenter import Segmenter, like
from simnet.tasks.networks.statistics import CAMVID_DEVIATION, CAMVID_MEAN


class UNet(Segmenter):
    """Four levels of two convolutions at strides 2, 4, 8, 16; each joins the way up.

    Args:
        width: channels of the first level; the others have 2, 4 and 6 times as many.
    """

    name = "unet"

    def __init__(self, *, width: int = 24, n_classes: int = 11) -> None:
        super().__init__(n_classes, mean=CAMVID_MEAN, deviation=CAMVID_DEVIATION)
        widths = (width, 2 * width, 4 * width, 6 * width)
        self.down = nn.ModuleList(
            nn.Sequential(conv_bn_relu(n_in, n_out, stride=2), conv_bn_relu(n_out, n_out))
            for n_in, n_out in pairwise((3, *widths))
        )
        self.up = nn.ModuleList(
            conv_bn_relu(n_fine + n_coarse, n_fine) for n_fine, n_coarse in reversed(list(pairwise(widths)))
        )
        self.logits = nn.Conv2d(width, n_classes, 1)

    def pyramid(self, x: Tensor) -> list[Tensor]:
        stacks = []
        for level in self.down:
            x = level(x)
            stacks.append(x)
        return stacks

    def head(self, pyramid: list[Tensor]) -> Tensor:
        *finer, x = pyramid
        for level, stack in zip(self.up, reversed(finer), strict=True):
            x = level(torch.cat([stack, like(x, stack)], dim=1))
        logits: Tensor = self.logits(x)
        return logits
