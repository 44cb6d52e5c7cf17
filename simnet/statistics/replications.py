"""Independent replications: their mean with its interval, paired differences, and how many are enough.

Law, Simulation Modeling and Analysis, 5th ed., sections 9.4.1 (intervals of replications and of wanted precision)
and 10.2 (paired t under common random numbers).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from simnet.statistics.interval import Interval

CONFIDENCE = 0.95
LEAST = 3
"""Fewer replications than this are never enough: the variance of two values says next to nothing."""


def student_t(values: ArrayLike, confidence: float = CONFIDENCE) -> Interval:
    """Mean of independent values with its Student-t interval.

    Args:
        values: [n] one number per replication, finite.
        confidence: in (0, 1).

    Returns:
        The interval; without half width if n = 1, without value if n = 0.

    Raises:
        ValueError: values that are not one finite list, or a confidence outside (0, 1).
    """
    x = _finite("student_t", values)
    _checked(confidence)
    if len(x) == 0:
        return Interval(None, None, 0)
    mean = float(x.mean())
    if len(x) == 1:
        return Interval(mean, None, 1)
    if (x == x[0]).all():  # the mean of equal values need not be one of them: 3 × 0.1 / 3
        return Interval(float(x[0]), 0.0, len(x))
    return Interval(mean, t_factor(len(x), confidence) * float(x.std(ddof=1)) / math.sqrt(len(x)), len(x))


def paired(a: ArrayLike, b: ArrayLike, confidence: float = CONFIDENCE) -> Interval:
    """Mean of a − b with the Student-t interval of the differences.

    Args:
        a, b: [n] of the same replications in the same order, so that common random numbers cancel.
        confidence: in (0, 1).

    Raises:
        ValueError: different lengths, or what :func:`student_t` refuses.
    """
    x, y = _finite("paired", a), _finite("paired", b)
    if len(x) != len(y):
        raise ValueError(
            f"paired: got {len(x)} and {len(y)} values; allowed as many of both, replication by replication"
        )
    return student_t(x - y, confidence)


def enough(values: ArrayLike, half_width: float, confidence: float = CONFIDENCE, *, least: int = LEAST) -> bool:
    """Whether these replications give the wanted half width, so that a sequential procedure may stop.

    Stopping on the data makes intervals cover a little less often than they say: the sooner one may stop, the more
    (Law advises at least ten replications).

    Args:
        values: [n] one number per replication.
        half_width: wanted, absolute, > 0.
        confidence: in (0, 1).
        least: with fewer values the answer is no.
    """
    _wanted(half_width)
    found = student_t(values, confidence)
    return found.n >= max(least, 2) and found.half_width is not None and found.half_width <= half_width


def replications_needed(
    values: ArrayLike, half_width: float, confidence: float = CONFIDENCE, *, least: int = LEAST
) -> int:
    """n*(β) = min {i ≥ n: t(i−1) · √(S²(n)/i) ≤ β}: replications in all, if the variance is what it seems (Law, 9.4.1).

    Args:
        values: [n ≥ 2] one number per replication.
        half_width: β, wanted, absolute, > 0.
        confidence: in (0, 1).
        least: the answer is never smaller.

    Raises:
        ValueError: fewer than two values, which have no variance.
    """
    x = _finite("replications_needed", values)
    _wanted(half_width)
    if len(x) < 2:
        raise ValueError(f"replications_needed: got {len(x)} values; allowed at least 2, for they must show a variance")
    deviation = float(x.std(ddof=1))

    def suffices(i: int) -> bool:
        return t_factor(i, confidence) * deviation / math.sqrt(i) <= half_width

    low, high = max(len(x), least), max(len(x), least)
    while not suffices(high):  # t and 1/√i both fall with i: double, then bisect
        low, high = high + 1, 2 * high
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if suffices(middle) else (middle + 1, high)
    return high


def t_factor(n: int, confidence: float = CONFIDENCE) -> float:
    """Half width of Student's two-sided interval, in standard errors, for n ≥ 2 independent values or clusters.

    Raises:
        ValueError: a confidence outside (0, 1).
    """
    return float(stats.t.ppf(_checked(confidence), n - 1))


def _checked(confidence: float) -> float:
    """Quantile of the two-sided interval."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: got {confidence}; allowed between 0 and 1, as 0.95")
    return (1 + confidence) / 2


def _wanted(half_width: float) -> None:
    if not half_width > 0:
        raise ValueError(f"half_width: got {half_width}; allowed greater than 0")


def _finite(where: str, values: ArrayLike) -> NDArray[np.float64]:
    x = np.asarray(values, float)
    if x.ndim != 1 or not np.isfinite(x).all():
        raise ValueError(
            f"{where}: got {x!r}; allowed one list of finite numbers: leave out replications without a value"
        )
    return x
