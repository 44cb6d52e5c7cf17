"""The super-resolution slice of LSCI's enhancement layer (paper 000, Table II), after DenseNet's reuse of features.

::

    1 - 2 - 3 -+- 4 - 5 - 6 -+- 7 - 8 - 9      the outputs of 1, 2, 3 side by side feed 4;
     `---`-----'   `---`-----'                 those of 4, 5, 6 feed 7 (the table says 6)

What the layers give is added to their input, so that an untrained slice changes little: the paper doesn't say.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from simnet.tasks.networks.weights import load_weights

FULL_WIDTH = 32
"""Channels of Table II's first layer; the other layers scale with it."""


class SuperResolution(nn.Module):
    """Sr: restores a residual [B, 3, H, W] that was pooled, coded and scaled up again.

    Args:
        width: of the first layer.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        w = width
        plan = ((3, w), (w, w), (w, w), (3 * w, 2 * w), (2 * w, 2 * w), (2 * w, 2 * w), (6 * w, 4 * w), (4 * w, 2 * w))
        self.layers = nn.ModuleList(nn.Conv2d(n_in, n_out, 3, 1, 1) for n_in, n_out in plan)
        self.last = nn.Conv2d(2 * w, 3, 3, 1, 1)

    def forward(self, residual: Tensor) -> Tensor:
        x = residual
        for block in (self.layers[:3], self.layers[3:6]):
            outputs = []
            for layer in block:
                x = F.relu(layer(x))
                outputs.append(x)
            x = torch.cat(outputs, dim=1)
        for layer in self.layers[6:]:
            x = F.relu(layer(x))
        restored: Tensor = residual + self.last(x)
        return restored


def load_super_resolution(weights: Path) -> SuperResolution:
    """The network in float32, frozen and in evaluation mode, of a ``weights.safetensors``.

    Raises:
        SimnetError: missing, damaged, or not such a file.
    """
    network, _ = load_weights(weights, lambda header: SuperResolution(int(header["width"])), "a super-resolution slice")
    return network
