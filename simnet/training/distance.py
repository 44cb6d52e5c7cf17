"""How far a recovered image is from the original, in pixels, structure and features (paper 000, equation 8)."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from pytorch_msssim import ssim
from torch import Tensor
from torch.nn import functional as F

from simnet.tasks.feature_distance import feature_distance
from simnet.tasks.networks.segmenter import Segmenter
from simnet.training.recipe import Strict

Weight = Annotated[float, Field(ge=0)]


class Distance(Strict):
    """d = ``pixels`` · mean squared error + ``ssim`` · (1 − SSIM) + ``perceptual`` · feature distance.

    Paper 000 has 1, α = 0.01 and β = 0.001, the last before LPIPS, whose weights are not ours to ship: the features are
    those of our own segmentation network, all stacks weighted alike, so that β has another scale, and recipes set their
    own. L_P of paper 004 (33) is the last term alone.
    """

    pixels: Weight = 1.0
    ssim: Weight = 0.01
    perceptual: Weight = 0.001
    features: str = "segmenter/street_parser"
    """Zoo name of the network whose features count; never the judge."""


def distance(how: Distance, original: Tensor, recovered: Tensor, features: Segmenter) -> Tensor:
    """d(x, x') of a batch, scalar; images [B, 3, H, W] float32 in [0, 1]."""
    total = how.pixels * F.mse_loss(recovered, original)
    if how.ssim:
        with torch.autocast(original.device.type, enabled=False):
            structure = ssim(original.float(), recovered.float(), data_range=1.0, win_size=11, win_sigma=1.5)
        total = total + how.ssim * (1 - structure)
    if how.perceptual:
        with torch.no_grad():
            wanted = features.features(original)
        total = total + how.perceptual * feature_distance(wanted, features.features(recovered)).mean()
    return total
