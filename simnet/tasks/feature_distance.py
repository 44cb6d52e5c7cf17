"""How differently a network sees two images: our own stand-in for LPIPS, whose weights are not ours to ship."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def feature_distance(original: Sequence[Tensor], recovered: Sequence[Tensor]) -> Tensor:
    """Of each image, [B]: squared differences of feature vectors of unit length, mean over places, summed over stacks.

    Equation (10) with all weights 1."""
    stacks = [
        (F.normalize(got.float(), dim=1) - F.normalize(wanted.float(), dim=1)).square().sum(1).mean((1, 2))
        for wanted, got in zip(original, recovered, strict=True)
    ]
    return torch.stack(stacks).sum(0)
