"""A ratio of two means over the same replications, with Fieller's interval, which may be without bound."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from simnet.statistics.replications import CONFIDENCE, t_factor


@dataclass(frozen=True)
class Ratio:
    """An estimate whose interval is neither symmetric nor always bounded.

    Args:
        value: mean(a)/mean(b); ±inf or NaN where mean(b) is 0.
        low, high: ends; None: there is none (fewer than two replications). ±inf: without bound.
        n: replications.
    """

    value: float
    low: float | None
    high: float | None
    n: int


def ratio_of_means(a: ArrayLike, b: ArrayLike, confidence: float = CONFIDENCE) -> Ratio:
    """Mean(a)/mean(b), with the ratios θ that a paired t test of a − θ·b = 0 does not reject (Fieller 1954).

    Where mean(b) cannot be told from 0, these ratios are unbounded: the end on the side away from 0, or both, is
    infinite. Only the part of the set that holds the estimate is given.

    Args:
        a, b: [n ≥ 1] of the same replications in the same order, finite.
        confidence: in (0, 1).

    Raises:
        ValueError: no values, different lengths, or one not finite.
    """
    x, y = np.asarray(a, float), np.asarray(b, float)
    if x.shape != y.shape or x.ndim != 1 or len(x) == 0 or not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError(
            f"ratio_of_means: got shapes {x.shape} and {y.shape}; allowed two lists of n ≥ 1 finite numbers"
        )
    n, top, bottom = len(x), float(x.mean()), float(y.mean())
    value = top / bottom if bottom else math.copysign(math.inf, top) if top else math.nan
    if n < 2 or math.isnan(value):
        return Ratio(value, None, None, n)
    scale = t_factor(n, confidence) ** 2 / n
    (var_x, covariance), (_, var_y) = (np.cov(x, y) * scale).tolist()
    # (top − θ·bottom)² ≤ var_x − 2θ·covariance + θ²·var_y, as q·θ² − 2p·θ + r ≤ 0
    q, p, r = bottom**2 - var_y, top * bottom - covariance, top**2 - var_x
    discriminant = p * p - q * r
    if q > 0:
        root = math.sqrt(max(discriminant, 0.0))  # not negative but for rounding: the estimate is inside
        return Ratio(value, (p - root) / q, (p + root) / q, n)
    if q == 0 or discriminant <= 0:
        return Ratio(value, -math.inf, math.inf, n)
    first, second = sorted(((p - math.sqrt(discriminant)) / q, (p + math.sqrt(discriminant)) / q))
    return Ratio(value, second, math.inf, n) if value >= second else Ratio(value, -math.inf, first, n)
