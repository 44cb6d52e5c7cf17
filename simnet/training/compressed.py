"""Training under the rounding and pruning that slices will have (paper 000 compresses, Fig. 10, without saying more).

Forward passes see the weights as a receiver will, but for the peaks' rounding to float16 (and all of float16's);
gradients pass by the rounding as if it were not there (straight-through), and pruned weights stay zero.
"""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils import parametrize

from simnet.training.recipe import Strict
from simnet.wire.precision import Precision, is_float, q_max
from simnet.wire.pruning import keep_mask


class Compressed(Strict):
    """The variant of the slices that is trained for."""

    precision: Precision = "int8"
    sparsity: Annotated[float, Field(ge=0.0, le=0.9)] = 0.0


class Rounded(nn.Module):
    """A weight tensor as a slice carries it: symmetric integers with one peak per output channel, the rest pruned.

    Args:
        weight: before training; it says which weights are pruned.
        axis: of the output channels.
    """

    keep: Tensor

    def __init__(self, weight: Tensor, how: Compressed, axis: int) -> None:
        super().__init__()
        keep = torch.from_numpy(keep_mask(weight.numpy(force=True), how.sparsity))
        self.register_buffer("keep", keep.to(weight.device))
        self._levels = None if is_float(how.precision) else q_max(how.precision)
        self._others = tuple(i for i in range(weight.ndim) if i != axis)

    def forward(self, weight: Tensor) -> Tensor:
        weight = weight * self.keep
        if self._levels is None:
            return weight
        step = weight.detach().abs().amax(self._others, keepdim=True).clamp(min=1e-12) / self._levels
        return weight + ((weight / step).round() * step - weight).detach()


def compress(network: nn.Module, how: Compressed) -> None:
    """From now on every convolution of the network computes with rounded weights."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            axis = 1 if isinstance(layer, nn.ConvTranspose2d) else 0
            parametrize.register_parametrization(layer, "weight", Rounded(layer.weight, how, axis))


def settle(network: nn.Module) -> None:
    """The rounded weights become the network's own."""
    for layer in network.modules():
        if parametrize.is_parametrized(layer, "weight"):
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
