"""MSER-5: where a run's transient ends (White 1997; Franklin and White 2008)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

BATCH = 5


def mser5(series: ArrayLike) -> int:
    """Index of the first observation to keep.

    The series is averaged in batches of five; of all truncations of d batches in the first half, that is chosen which
    makes the remaining mean most precise, as far as one can see:

        d* = argmin_d  1/(n − d)² · Σ_{i>d} (Y_i − Ȳ_{n,d})²

    The first of equal ones wins. A d* at the end of the first half means that the series has not been seen to settle:
    it is too short (:func:`unsettled`).

    Args:
        series: [N ≥ 10] observations of one run in order of time, finite. What does not fill a last batch
            takes no part in the choice.

    Returns:
        5·d*.

    Raises:
        ValueError: fewer than ten observations, or one that is not finite.

    Source:
        K. P. White, "An effective truncation heuristic for bias reduction in simulation output", Simulation 69 (1997);
        W. W. Franklin and K. P. White, "Stationarity tests and MSER-5", Winter Simulation Conference 2008.
    """
    return BATCH * int(np.argmin(mser_statistic(_batches(series))))


def unsettled(series: ArrayLike) -> bool:
    """Whether MSER-5 chose the last truncation that it may: then nothing shows that the transient has ended."""
    statistic = mser_statistic(_batches(series))
    return int(np.argmin(statistic)) == len(statistic) - 1


def mser_statistic(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """[n//2 + 1] the statistic of MSER for each truncation d = 0 … n//2 of [n] batch means."""
    n = len(y)
    y = y - y[n // 2 :].mean()  # near the tail's mean nothing cancels
    kept = n - np.arange(n // 2 + 1)
    total = np.cumsum(y[::-1])[::-1][: n // 2 + 1]
    square = np.cumsum(y[::-1] ** 2)[::-1][: n // 2 + 1]
    statistic: NDArray[np.float64] = np.maximum(square - total**2 / kept, 0.0) / kept**2
    return statistic


def _batches(series: ArrayLike) -> NDArray[np.float64]:
    x = np.asarray(series, float)
    if x.ndim != 1 or len(x) < 2 * BATCH or not np.isfinite(x).all():
        raise ValueError(
            f"mser5: got {x.size} observations of shape {x.shape}, {int((~np.isfinite(x)).sum())} not finite; "
            f"allowed one list of at least {2 * BATCH} finite numbers: make the run longer"
        )
    n = len(x) // BATCH
    means: NDArray[np.float64] = x[: n * BATCH].reshape(n, BATCH).mean(axis=1)
    return means
