"""Checks of the arguments that the bounds share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simnet.core.errors import SimnetError
from simnet.core.units import FloatLike

BITS_PER_SYMBOL = (2, 4, 6, 8)
"""QPSK, 16-QAM, 64-QAM and 256-QAM."""


def check_bits_per_symbol(bits_per_symbol: int) -> None:
    """Raises SimnetError unless it is one of :data:`BITS_PER_SYMBOL`."""
    if bits_per_symbol not in BITS_PER_SYMBOL:
        raise SimnetError(
            f"QAM bits per symbol: got {bits_per_symbol!r}; allowed 2 (QPSK), 4 (16-QAM), 6 (64-QAM), 8 (256-QAM)"
        )


def non_negative(name: str, value: FloatLike) -> NDArray[np.float64]:
    """``value`` as a float64 array.

    Raises:
        SimnetError: an element is negative, infinite or no number.
    """
    array = np.asarray(value, dtype=np.float64)
    valid = np.isfinite(array) & (array >= 0.0)
    if not valid.all():
        raise SimnetError(
            f"{name}: got {array[~valid].flat[0]}; allowed finite values from 0, linear "
            "(simnet.core.units.db_to_linear converts from dB)"
        )
    return array


def like(argument: FloatLike, result: NDArray[np.float64]) -> FloatLike:
    """``result`` in the form of the argument that it came from: a float for a scalar, else an array."""
    answer: Any = result if isinstance(argument, np.ndarray) else float(result)
    typed: FloatLike = answer
    return typed
