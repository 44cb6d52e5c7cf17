"""The sign of a log-likelihood ratio: LLR = ln P(bit = 0) / P(bit = 1), so a positive LLR means bit 0."""

from __future__ import annotations

import torch
from torch import Tensor


def hard_decision(llr: Tensor) -> Tensor:
    """The likelier bit, uint8 of the same shape: 0 where the LLR is ≥ 0, 1 where it is negative."""
    return (llr < 0).to(torch.uint8)
