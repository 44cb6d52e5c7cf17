"""What one pass of a network costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def flop_per_image(network: nn.Module, shape: tuple[int, ...]) -> int:
    """FLOPs of one input of this shape (without the batch axis); a multiply-add counts as 2, activations as nothing."""
    inputs = torch.zeros(1, *shape, device=next(network.parameters()).device)
    return flop_of(lambda: network(inputs))


def flop_of(call: Callable[[], Any]) -> int:
    """FLOPs of whatever networks this calls."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        call()
    return int(counter.get_total_flops())
