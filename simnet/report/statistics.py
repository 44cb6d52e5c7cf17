"""Rates with counts, means with intervals: what the report says about samples that are not independent.

One item is asked for many times and then decodes alike; one consumer fetches a decoder once for many requests. So
intervals are over clusters, items and consumers both; only those of shares by :func:`rate` are over single cases. All
are 95 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simnet.report.scores import total
from simnet.statistics.rate import Z_95, Rate, wilson_interval
from simnet.statistics.replications import t_factor

N_RESAMPLES = 1000
LEAST_UNITS = 10
"""A bootstrap of fewer units has no interval: of five its 95 % hold two thirds, of one it claims certainty."""


def rate(n_hits: int, n: int) -> dict[str, Any]:
    """A share with its counts and Wilson interval; value and interval are None if nothing was counted."""
    if n == 0:
        return {"value": None, "low": None, "high": None, "hits": 0, "n": 0}
    found = Rate(int(n_hits), int(n))
    low, high = found.interval
    return {"value": found.value, "low": low, "high": high, "hits": found.n_hits, "n": found.n}


def ratio(numerator: ArrayLike, denominator: ArrayLike, *clusterings: ArrayLike) -> dict[str, Any]:
    """Σ numerator / Σ denominator with the linearised interval of a cluster sample, by Student's t of K − 1.

    Var = K/(K−1) · Σ_k (a_k − r·b_k)² / (Σ b)², with a_k, b_k the sums of cluster k (Cochran, Sampling
    Techniques, 3rd ed., section 6.4, with whole clusters as units). Of two clusterings: the sum of both variances less
    that of their common clusters, and no less than either (Cameron, Gelbach, Miller, "Robust Inference With Multiway
    Clustering", 2011, with K the smaller number).

    Args:
        numerator, denominator: [N] numbers.
        clusterings: one or two, each [N] labels; what carries the same label is dependent.
    """
    a, b = np.asarray(numerator, float), np.asarray(denominator, float)
    total = float(b.sum())
    if total == 0:
        return {"value": None, "low": None, "high": None, "n": len(b)}
    value = float(a.sum()) / total
    labels = [np.unique(np.asarray(labels), return_inverse=True)[1] for labels in clusterings]
    k = min(int(each.max()) + 1 for each in labels)
    if k < 2:
        return {"value": value, "low": None, "high": None, "n": len(b)}
    half = t_factor(k) * math.sqrt(_variance(a - value * b, labels)) / total
    return {"value": value, "low": value - half, "high": value + half, "n": len(b)}


def _variance(residuals: NDArray[np.float64], labels: Sequence[NDArray[np.int64]]) -> float:
    """Of the sum of residuals, which is 0."""

    def of(label: NDArray[np.int64]) -> float:
        sums = np.bincount(label, residuals)
        return len(sums) / (len(sums) - 1) * float((sums**2).sum())

    alone = [of(label) for label in labels]
    common = [np.unique(np.stack(pair), axis=1, return_inverse=True)[1].ravel() for pair in combinations(labels, 2)]
    return max(*alone, sum(alone) - sum(map(of, common))) if common else alone[0]


def mean(values: ArrayLike, *clusterings: ArrayLike) -> dict[str, Any]:
    """Mean of [N] values with the interval of a cluster sample."""
    return ratio(values, np.ones(len(np.asarray(values))), *clusterings)


def share(hits: ArrayLike, *clusterings: ArrayLike) -> dict[str, Any]:
    """A share with its counts, and Wilson's interval of as many independent cases as :func:`ratio` finds it worth.

    Where all cases are alike, that is the smaller number of clusters.

    Args:
        hits: [N] bool.
    """
    cases = np.asarray(hits, bool)
    n, n_hits = len(cases), int(cases.sum())
    if n == 0:
        return rate(0, 0)
    labels = [np.unique(np.asarray(labels), return_inverse=True)[1] for labels in clusterings]
    k, value = min(int(each.max()) + 1 for each in labels), n_hits / n
    worth = float(k)
    if 0 < n_hits < n and k > 1:
        variance = _variance(cases - value, labels) / n**2 * (t_factor(k) / Z_95) ** 2
        worth = min(float(n), value * (1 - value) / variance)
    low, high = wilson_interval(value * worth, worth)
    return {"value": value, "low": low, "high": high, "hits": n_hits, "n": n}


def ss_population(
    original: NDArray[np.float64], recovered: NDArray[np.float64], items: ArrayLike, *, rng: np.random.Generator
) -> dict[str, Any]:
    """Ratio of recognition rates (or of mean ST) with its paired bootstrap interval, whole items resampled; without one
    of fewer than ``LEAST_UNITS`` items.

    ``simnet.tasks.similarity.ss_population`` is for sets in which each item stands once; here an item
    stands as often as it was delivered. Items with equal counts are exchangeable, so a
    resample is one multinomial draw over the distinct pairs of counts.

    Args:
        original, recovered: [N], :func:`simnet.report.scores.scores` of each delivery.
        items: [N] labels of the items delivered.
        rng: for the resamples.
    """
    counts = {"n_original": total(original), "n_recovered": total(recovered), "n": len(original)}
    if counts["n_original"] == 0:
        return {"value": None, "low": None, "high": None, "items": 0, **counts}
    _, label = np.unique(np.asarray(items), return_inverse=True)
    pairs = np.stack([np.bincount(label, original), np.bincount(label, recovered)], axis=1)
    value = counts["n_recovered"] / counts["n_original"]
    if len(pairs) < LEAST_UNITS:
        return {"value": value, "low": None, "high": None, "items": len(pairs), **counts}
    cells, n_items = np.unique(pairs, axis=0, return_counts=True)
    draws = rng.multinomial(len(pairs), n_items / len(pairs), size=N_RESAMPLES)
    sums = draws @ cells
    defined = sums[:, 0] > 0
    low, high = np.quantile(sums[defined, 1] / sums[defined, 0], [0.025, 0.975])
    return {"value": value, "low": float(low), "high": float(high), "items": len(pairs), **counts}
