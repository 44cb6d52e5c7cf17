"""Trade-offs between a cost and a gain: the Pareto front, and the area that it dominates.

Cost is better when smaller, gain when larger. For another sense give the metric's negative.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from simnet.results.errors import ResultsError
from simnet.results.estimates import SEED
from simnet.statistics.replications import CONFIDENCE, paired

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
        ResultsError: no such column, or a cost or gain that is null or infinite.
    """
    if not isinstance(frame, pd.DataFrame):
        raise ResultsError(f"pareto: got {type(frame).__name__}; allowed a frame with the columns {cost}, {gain}")
    if missing := [column for column in (cost, gain) if column not in frame]:
        raise ResultsError(
            f"pareto: got a frame without {', '.join(missing)}; allowed one with a column for cost and one for gain: "
            "give results.values([cost, gain]), or ask results.front(cost, gain), which marks the points of means"
        )
    points = frame[[cost, gain]].to_numpy(float)
    if not np.isfinite(points).all():
        n = int((~np.isfinite(points).all(axis=1)).sum())
        raise ResultsError(
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
        ResultsError: points of another shape or not finite, or a reference that is no pair of finite numbers.
    """
    check_reference(reference)
    table = np.asarray(points, float)
    table = table.reshape(-1, 2) if table.size == 0 else table
    if table.ndim != 2 or table.shape[1] != 2 or not np.isfinite(table).all():
        raise ResultsError(
            f"hypervolume: got points of shape {table.shape}; allowed [N, 2] finite pairs of cost and gain"
        )
    worst_cost, worst_gain = reference
    table = table[(table[:, 0] < worst_cost) & (table[:, 1] > worst_gain)]
    if len(table) == 0:
        return 0.0
    table = table[np.argsort(table[:, 0], kind="stable")]
    best = np.maximum.accumulate(table[:, 1])
    widths = np.diff(np.append(table[:, 0], worst_cost))
    return float((widths * (best - worst_gain)).sum())


def check_reference(reference: tuple[float, float]) -> None:
    """Raise ResultsError unless this is a pair of finite numbers."""
    try:
        corner = np.asarray(reference, float)
    except (TypeError, ValueError):
        corner = np.empty(0)
    if corner.shape != (2,) or not np.isfinite(corner).all():
        raise ResultsError(
            f"hypervolume: got reference {reference!r}; allowed a pair of finite numbers, (cost, gain) of the worst "
            "corner, as reference=(600, 0.9)"
        )


def surely_dominated(table: pd.DataFrame, values: pd.DataFrame, metrics: tuple[str, str]) -> NDArray[np.bool_]:
    """Which rows are told apart from one that dominates them: their cost or their gain differs significantly from its.

    Differences are paired over common replications; their intervals are widened for the number of comparisons
    (Bonferroni: two metrics with each row that dominates). Without an interval (n < 2) nothing is told apart.

    Args:
        table: from :func:`pareto`, one row per point.
        values: the numbers whose means ``table`` holds: its key columns, ``seed``, cost and gain.
        metrics: cost and gain.

    Returns:
        [N] bool, a part of ``dominated``.
    """
    keys: Sequence[str] = [column for column in values.columns if column not in (SEED, *metrics)]
    seeds = pd.Index(values[SEED].unique())
    places = {key: i for i, key in enumerate(_keys_of(table, keys))}
    samples = np.full((len(table), len(seeds), 2), np.nan)
    rows = [places[key] for key in _keys_of(values, keys)]
    samples[rows, seeds.get_indexer(values[SEED])] = values[list(metrics)].to_numpy(float)
    cost, gain = table[list(metrics)].to_numpy(float).T
    sure = np.zeros(len(table), bool)
    for i in np.flatnonzero(table[DOMINATED]):
        better = (cost <= cost[i]) & (gain >= gain[i]) & ((cost < cost[i]) | (gain > gain[i]))
        level = 1 - (1 - CONFIDENCE) / (2 * better.sum())
        sure[i] = any(
            _differ(samples[i, :, m], samples[k, :, m], level) for k in np.flatnonzero(better) for m in (0, 1)
        )
    return sure


def _keys_of(frame: pd.DataFrame, keys: Sequence[str]) -> list[tuple[object, ...]]:
    """One tuple per row; null is None, which equals itself."""
    columns = (frame[key].astype(object).where(frame[key].notna(), None) for key in keys)
    return list(zip(*columns, strict=True))


def _differ(one: NDArray[np.float64], other: NDArray[np.float64], level: float) -> bool:
    both = np.isfinite(one) & np.isfinite(other)
    return bool(both.any()) and bool(paired(one[both], other[both], level).excludes(0.0))


def _dominated(costs: NDArray[np.float64], gains: NDArray[np.float64]) -> NDArray[np.bool_]:
    """[N] bool, for points by rising cost, then falling gain."""
    flags = np.zeros(len(costs), bool)
    best_before, best_here, cost_here = -np.inf, -np.inf, -np.inf
    for i, (cost, gain) in enumerate(zip(costs, gains, strict=True)):
        if cost > cost_here:  # the first of equal cost has their best gain
            best_before, cost_here, best_here = max(best_before, best_here), cost, gain
        flags[i] = gain <= best_before or gain < best_here
    return flags
