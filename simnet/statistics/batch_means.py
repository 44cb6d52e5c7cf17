"""The mean of one long run whose observations depend on each other: means of batches, grown until they no longer do."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from simnet.statistics.interval import Interval
from simnet.statistics.replications import CONFIDENCE, student_t

FIRST, MOST, LEAST = 512, 32, 8
"""Batches that are first tested, and the most and the fewest that an interval is made of."""
MARGIN = 4
"""Batches are this many times longer than those that passed the test: a test that sees nothing proves nothing."""
LEVEL = 0.1
"""Of the test, one-sided (Fishman's choice)."""


def batch_means(series: ArrayLike, n_batches: int | None = None, confidence: float = CONFIDENCE) -> Interval:
    """Mean of a stationary series with the Student-t interval of its batch means.

    Without ``n_batches`` the batches grow: starting from 512, neighbours are merged until von Neumann's ratio no longer
    shows them to be correlated; then they are merged by four more, as Law and Carson (1979) test on many small batches
    and estimate from few long ones. Cut the warm-up off first.

    Args:
        series: [N] observations in order of time, finite. Those that do not fill a last batch are at the front,
            next to the warm-up, and left out.
        n_batches: as many and no test, ≥ 2.
        confidence: in (0, 1).

    Returns:
        The interval, n = batches. Without half width if eight long enough batches cannot be had: the run is too short.

    Raises:
        ValueError: a series that is no list of finite numbers, or shorter than the number of batches.
    """
    x = np.asarray(series, float)
    if x.ndim != 1 or not np.isfinite(x).all():
        raise ValueError("batch_means: the series holds something else than one list of finite numbers")
    least = LEAST * MARGIN if n_batches is None else max(n_batches, 2)
    if (n_batches is not None and n_batches < 2) or len(x) < least:
        raise ValueError(
            f"batch_means: got {len(x)} observations, n_batches {n_batches}; allowed n_batches ≥ 2 or None, "
            f"and at least {least} observations"
        )
    if n_batches is not None:
        return student_t(_means(x, n_batches), confidence)
    n = FIRST
    while n > len(x):
        n //= 2
    while n >= LEAST * MARGIN:
        if correlation_p(_means(x, n)) > LEVEL:
            return student_t(_means(x, min(n // MARGIN, MOST)), confidence)
        n //= 2
    return Interval(float(x.mean()), None, len(_means(x, LEAST)))


def correlation_p(means: ArrayLike) -> float:
    """p-value of "no positive correlation of neighbours", from von Neumann's ratio.

    C = 1 − Σ(Y_i − Y_{i+1})² / (2 Σ(Y_i − Ȳ)²) is about normal with mean 0 and variance (n − 2)/(n² − 1) for
    independent normal Y (Young 1941; Fishman, Discrete-Event Simulation, 2001, section 6.6).

    Args:
        means: [n ≥ 3]; all equal counts as uncorrelated.
    """
    y = np.asarray(means, float)
    n = len(y)
    spread = float(((y - y.mean()) ** 2).sum())
    if n < 3:
        raise ValueError(f"correlation_p: got {n} values; allowed at least 3")
    if spread == 0:
        return 1.0
    c = 1 - float((np.diff(y) ** 2).sum()) / (2 * spread)
    return float(stats.norm.sf(c * math.sqrt((n * n - 1) / (n - 2))))


def _means(x: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    size = len(x) // n
    means: NDArray[np.float64] = x[len(x) - n * size :].reshape(n, size).mean(axis=1)
    return means
