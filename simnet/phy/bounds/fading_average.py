"""Block error rates under flat block fading, from those in AWGN: ∫ BLER(γ) f(γ) dγ over the faded Es/N0 γ.

The integral runs over ln γ, by adaptive Gauss-Kronrod quadrature between breakpoints. Jumps of the BLER are searched
first, because a quadrature that never samples the last thousandth of a piece can miss one there and not know it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple

import numpy as np
from scipy.integrate import quad_vec

from simnet.core.errors import SimnetError
from simnet.core.units import FloatLike
from simnet.phy.bounds.arguments import like, non_negative
from simnet.phy.bounds.fading_power import power_cdf, power_density

BlerFunction = Callable[[float], float]
"""Block error rate in AWGN over Es/N0 (linear), such as ``lambda esno: table.lookup(esno).bler``; 0 to 1, falling.

The small rises of measured points do no harm."""

_WEAKEST = 1e-18
"""|h|² below this is left out; under Rayleigh fading it is also the probability of that."""
_STRONGEST_SIGMAS, _STRONGER = 9.5, 1e-19
"""|h| more than this many standard deviations per real dimension above its mean is left out; and the probability."""
_SCAN_DB, _COARSE_DB = 1.0, 10.0
"""Length of the pieces where the BLER changes, and where it does not."""
_LEAST_MEAN = 1e-30
"""Means below this lose relative precision."""
_SMALL = 1e-3
"""A change of the BLER is looked into if it can contribute more than this share of the mean."""
_JUMP_WIDTH = 1e-13
"""A change within this piece of ln γ is a jump."""
_RELATIVE, _LIMIT = 1e-10, 2000
"""Precision asked for, and the most pieces."""


class FadingAverage(NamedTuple, Generic[FloatLike]):
    """A mean block error rate.

    Attributes:
        value: the mean.
        error: estimate of its absolute numerical error. Bends of the function that were not given as breakpoints may
            hide some 1e-7 of the value from it.
    """

    value: FloatLike
    error: FloatLike


def mean_over_rayleigh(
    bler: BlerFunction, mean_esno: FloatLike, *, breakpoints: Sequence[float] = ()
) -> FadingAverage[FloatLike]:
    """E[bler(|h|²·mean_esno)] for h ~ CN(0, 1), constant over a block.

    Args:
        bler: block error rate in AWGN over Es/N0 (linear).
        mean_esno: mean of |h|²·Es/N0, linear.
        breakpoints: Es/N0 (linear) where ``bler`` jumps or bends, such as the points of a table. Not needed, but saves
            time.

    Raises:
        SimnetError: ``mean_esno`` is negative or not finite, or ``bler`` gives something outside 0 to 1.
    """
    return mean_over_rician(bler, mean_esno, 0.0, breakpoints=breakpoints)


def mean_over_rician(
    bler: BlerFunction, mean_esno: FloatLike, k_factor: float, *, breakpoints: Sequence[float] = ()
) -> FadingAverage[FloatLike]:
    """E[bler(|h|²·mean_esno)] for Rician |h| of factor ``k_factor`` (linear) and E|h|² = 1, constant over a block.

    Arguments and errors as in :func:`mean_over_rayleigh`; ``k_factor`` 0 is Rayleigh.
    """
    means = non_negative("mean_esno", mean_esno)
    k = float(non_negative("k_factor", k_factor))
    results = np.array([_average(bler, float(m), k, breakpoints) for m in means.flat]).reshape(*means.shape, 2)
    return FadingAverage(like(mean_esno, results[..., 0]), like(mean_esno, results[..., 1]))


def _average(
    bler: BlerFunction, mean_esno: float, k_factor: float, breakpoints: Sequence[float]
) -> tuple[float, float]:
    """Value and error for one mean."""
    if mean_esno == 0.0:
        return _checked(bler, 0.0), 0.0
    direct, diffuse = np.sqrt(k_factor / (k_factor + 1.0)), np.sqrt(0.5 / (k_factor + 1.0))
    low, high = _WEAKEST, float((direct + _STRONGEST_SIGMAS * diffuse) ** 2)

    def rate(x: float) -> float:
        return _checked(bler, float(np.exp(x)) * mean_esno)

    scan = np.linspace(np.log(low), np.log(high), 1 + int(10.0 * np.log10(high / low) / _SCAN_DB))
    rates = np.array([rate(x) for x in scan])
    # The BLER falls, so this is about a lower bound of the mean; it tells which precision pays.
    mass = np.diff(power_cdf(np.exp(scan), k_factor))
    scale = max(float(np.sum(rates[1:] * mass)), _LEAST_MEAN)
    changing = np.abs(np.diff(rates)) * mass > _SMALL * scale
    kept = np.zeros(len(scan), dtype=bool)
    kept[:: round(_COARSE_DB / _SCAN_DB)] = kept[-1] = True
    kept[1:] |= changing
    kept[:-1] |= changing
    pieces = [(scan[i], scan[i + 1], _SMALL * scale / mass[i]) for i in np.flatnonzero(changing)]
    jumps = [x for left, right, least in pieces for x in _jumps(rate, left, right, least)]
    bulk = (direct + diffuse * np.arange(-8.0, 9.0)) ** 2
    inside = [t for t in (*bulk, *(b / mean_esno for b in breakpoints)) if low < t < high]
    edges = np.unique(np.concatenate((scan[kept], jumps, np.log(inside))))

    def integrand(x: float) -> float:
        power = np.exp(x)
        return bler(float(power) * mean_esno) * float(power * power_density(power, k_factor))

    value, error = quad_vec(
        integrand, edges[0], edges[-1], epsabs=_RELATIVE * scale, epsrel=_RELATIVE, limit=_LIMIT, points=edges[1:-1]
    )
    left_out = float(power_cdf(np.array(low), k_factor)) + _STRONGER * rates[-1]
    return value, error + left_out


def _jumps(rate: BlerFunction, left: float, right: float, least: float) -> list[float]:
    """Places between ``left`` and ``right`` where ``rate`` changes by more than ``least`` at once, by bisection."""
    found = []
    open_pieces = [(left, rate(left), right, rate(right))]
    while open_pieces:
        left, at_left, right, at_right = open_pieces.pop()
        if abs(at_left - at_right) <= least:
            continue
        if right - left < _JUMP_WIDTH:
            found.append(right)
            continue
        middle = (left + right) / 2.0
        at_middle = rate(middle)
        open_pieces += [(left, at_left, middle, at_middle), (middle, at_middle, right, at_right)]
    return found


def _checked(bler: BlerFunction, esno: float) -> float:
    rate = bler(esno)
    if not 0.0 <= rate <= 1.0:
        raise SimnetError(f"block error rate at Es/N0 {esno:g}: the function gave {rate}; allowed 0 to 1")
    return rate
