"""Real features to complex symbols and back."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from simnet.core.errors import SimnetError


def to_symbols(features: Tensor) -> Tensor:
    """Complex symbols [B, k] of real features [B, …], 2k values per image.

    The first k values are real parts, the last k imaginary ones: of [B, 2c, H, W], channel i goes with channel i + c of
    the same place. Half precision becomes single.

    Raises:
        SimnetError: an image has an odd number of values.
    """
    values = features.flatten(1)
    if values.dtype in (torch.float16, torch.bfloat16):
        values = values.float()
    if values.shape[1] % 2:
        raise SimnetError(
            f"channel symbols: got features of {values.shape[1]} values per image {tuple(features.shape[1:])}; "
            "allowed an even number, two per complex symbol"
        )
    return torch.complex(*values.chunk(2, dim=1))


def to_features(symbols: Tensor, shape: Sequence[int]) -> Tensor:
    """Real features [B, *shape] of complex symbols [B, k]; undoes :func:`to_symbols`.

    Raises:
        SimnetError: ``shape`` does not hold 2k values.
    """
    values = torch.cat((symbols.real, symbols.imag), dim=1)
    if torch.Size(shape).numel() != values.shape[1]:
        raise SimnetError(
            f"channel features: got the shape {tuple(shape)} for {symbols.shape[1]} complex symbols; "
            f"allowed shapes of {values.shape[1]} values"
        )
    return values.reshape(len(values), *shape)
