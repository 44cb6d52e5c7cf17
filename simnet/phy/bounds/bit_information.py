"""Mutual information per coded bit as a fast function of Es/N0 and its inverse, for effective-SNR mapping (MIESM).

The effective Es/N0 of a block whose symbols met ``esno``, an array of any shape, is

    esno_for_bit_information(bit_information(esno, m).mean(), m)

The tables are made by quadrature at the first call for a constellation (a few tenths of a second) and kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.special import expit, logit

from simnet.core.errors import SimnetError
from simnet.core.units import FloatLike, db_to_linear
from simnet.phy.bounds.arguments import check_bits_per_symbol, like, non_negative
from simnet.phy.bounds.information_density import loss_moments

_LOWEST_DB, _HIGHEST_DB, _STEP_DB = -40.0, 40.0, 0.1
_LARGEST_INFORMATION = 1.0 - 1e-15
"""The table ends here; floats cannot tell more from 1."""


@dataclass(frozen=True)
class _Table:
    """ln I/(1−I) over ln Es/N0: nearly straight below, smooth above, and so interpolated well.

    Attributes:
        ends: first and last ln Es/N0 of the table.
        forward: monotone cubic (Fritsch & Carlson) interpolation.
        backward: interpolation of the inverse.
    """

    ends: tuple[float, float]
    forward: PchipInterpolator
    backward: PchipInterpolator


@cache
def _table(bits_per_symbol: int) -> _Table:
    check_bits_per_symbol(bits_per_symbol)
    esno = db_to_linear(np.arange(_LOWEST_DB, _HIGHEST_DB, _STEP_DB))
    loss = loss_moments(esno, bits_per_symbol, bicm=True)[0] / bits_per_symbol
    kept = 1.0 - loss < _LARGEST_INFORMATION
    x, y = np.log(esno[kept]), np.log1p(-loss[kept]) - np.log(loss[kept])
    return _Table((x[0], x[-1]), PchipInterpolator(x, y), PchipInterpolator(y, x))


def bit_information(esno: FloatLike, bits_per_symbol: int) -> FloatLike:
    """Mean mutual information of the bits of Gray-mapped QAM in AWGN, 0 to 1 bit per coded bit.

    ``bicm_capacity(esno, m) / m`` within 1e-6, rising with ``esno``; 1 where floats cannot tell it from 1.

    Args:
        esno: Es/N0, linear.
        bits_per_symbol: 2, 4, 6 or 8.

    Raises:
        SimnetError: another ``bits_per_symbol``, or ``esno`` is negative or not finite.
    """
    table = _table(bits_per_symbol)
    with np.errstate(divide="ignore"):
        x = np.log(non_negative("esno", esno))
    information = np.where(x > table.ends[1], 1.0, expit(_log_odds(table, x)))
    return like(esno, information)


def _log_odds(table: _Table, x: NDArray[np.float64]) -> NDArray[np.float64]:
    # Below the table information is proportional to Es/N0.
    low, high = table.ends
    odds: NDArray[np.float64] = table.forward(np.clip(x, low, high)) + np.minimum(x - low, 0.0)
    return odds


def esno_for_bit_information(information: FloatLike, bits_per_symbol: int) -> FloatLike:
    """The Es/N0 (linear) at which :func:`bit_information` is ``information``, within 1e-6 of it.

    Args:
        information: 0 to 1 bit per coded bit. For 1, and for what floats can hardly tell from 1, the last Es/N0 of the
            table.
        bits_per_symbol: 2, 4, 6 or 8.

    Raises:
        SimnetError: another ``bits_per_symbol``, or ``information`` is not within 0 and 1.
    """
    values = np.asarray(information, dtype=np.float64)
    valid = (values >= 0.0) & (values <= 1.0)
    if not valid.all():
        raise SimnetError(f"information per coded bit: got {values[~valid].flat[0]}; allowed 0 to 1")
    table = _table(bits_per_symbol)
    odds = logit(np.minimum(values, _LARGEST_INFORMATION))
    first, last = table.forward(table.ends)
    x = table.backward(np.clip(odds, first, last))
    return like(information, np.exp(x + np.minimum(odds - first, 0.0)))
