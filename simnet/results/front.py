"""Trade-offs between a cost and a gain: the Pareto front, and the area that it dominates.

Cost is better when smaller, gain when larger. For another sense give the metric's negative.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

DOMINATED = "dominated"


def pareto(frame: pd.DataFrame, cost: str, gain: str) -> pd.DataFrame:
    """Mark the rows that another row dominates: it costs no more, gains no less, and is better in one of the two.

    Equal rows don't dominate each other: a front keeps all of them.

    Args:
        frame: one row per point.
        cost, gain: its columns, finite numbers.

    Returns:
        The rows by rising cost, then falling gain, with the bool column ``dominated``; the front is the rest.

    Raises:
        ValueError: a cost or gain that is null or infinite.
    """
    points = frame[[cost, gain]].to_numpy(float)
    if not np.isfinite(points).all():
        n = int((~np.isfinite(points).all(axis=1)).sum())
        raise ValueError(
            f"pareto: got {n} of {len(frame)} rows without a finite {cost} and {gain}; allowed finite numbers: leave "
            "those rows out by name, e.g. with frame.dropna()"
        )
    order = np.lexsort((-points[:, 1], points[:, 0]))
    table = frame.iloc[order].reset_index(drop=True)
    costs, gains = points[order].T
    table[DOMINATED] = _dominated(costs, gains)
    return table


def hypervolume(points: ArrayLike, reference: tuple[float, float]) -> float:
    """Area between a front and a reference corner: ∫ max(0, best gain at cost ≤ x − reference gain) dx.

    The integral goes up to the reference cost, so points that cost more, or gain less than the reference, add nothing.
    Exact, as a sum of rectangles (Zitzler and Thiele 1999, in two dimensions).

    Args:
        points: [N, 2] (cost, gain), finite; dominated ones may be among them.
        reference: (cost, gain) of the worst corner.

    Returns:
        The area, ≥ 0, in units of cost × gain.

    Raises:
        ValueError: points of another shape or not finite.
    """
    table = np.asarray(points, float)
    table = table.reshape(-1, 2) if table.size == 0 else table
    if table.ndim != 2 or table.shape[1] != 2 or not np.isfinite(table).all() or not np.isfinite(reference).all():
        raise ValueError(
            f"hypervolume: got points of shape {table.shape}, reference {reference}; allowed [N, 2] finite pairs of "
            "cost and gain"
        )
    worst_cost, worst_gain = reference
    table = table[(table[:, 0] < worst_cost) & (table[:, 1] > worst_gain)]
    if len(table) == 0:
        return 0.0
    table = table[np.argsort(table[:, 0], kind="stable")]
    best = np.maximum.accumulate(table[:, 1])
    widths = np.diff(np.append(table[:, 0], worst_cost))
    return float((widths * (best - worst_gain)).sum())


def _dominated(costs: NDArray[np.float64], gains: NDArray[np.float64]) -> NDArray[np.bool_]:
    """[N] bool, for points by rising cost, then falling gain."""
    flags = np.zeros(len(costs), bool)
    best_before, best_here, cost_here = -np.inf, -np.inf, -np.inf
    for i, (cost, gain) in enumerate(zip(costs, gains, strict=True)):
        if cost > cost_here:  # the first of equal cost has their best gain
            best_before, cost_here, best_here = max(best_before, best_here), cost, gain
        flags[i] = gain <= best_before or gain < best_here
    return flags
