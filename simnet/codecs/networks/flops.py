"""What one pass of a network costs."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def flop_per_image(network: nn.Module, shape: tuple[int, ...]) -> int:
    """FLOPs of one input of this shape (without the batch axis); a multiply-add counts as 2, activations as nothing."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, *shape, device=next(network.parameters()).device))
    return int(counter.get_total_flops())
