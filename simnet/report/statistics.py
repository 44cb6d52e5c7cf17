"""Rates with counts, means with intervals: what the report says about samples that are not independent.

One item is asked for many times and then decodes alike; one consumer fetches a decoder once for many
requests. So intervals of means and ratios are over clusters (items, consumers); only Wilson's, of shares, are over
single requests. All are 95 %.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simnet.report.scores import total
from simnet.statistics.rate import Rate
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


def ratio(numerator: ArrayLike, denominator: ArrayLike, clusters: ArrayLike) -> dict[str, Any]:
    """Σ numerator / Σ denominator with the linearised interval of a cluster sample, by Student's t of K − 1.

    Var = K/(K−1) · Σ_k (a_k − r·b_k)² / (Σ b)², with a_k, b_k the sums of cluster k (Cochran, Sampling
    Techniques, 3rd ed., section 6.4, with whole clusters as units).

    Args:
        numerator, denominator: [N] numbers.
        clusters: [N] labels; what carries the same label is dependent.
    """
    a, b = np.asarray(numerator, float), np.asarray(denominator, float)
    total = float(b.sum())
    if total == 0:
        return {"value": None, "low": None, "high": None, "n": len(b)}
    _, label = np.unique(np.asarray(clusters), return_inverse=True)
    value = float(a.sum()) / total
    k = int(label.max()) + 1
    if k < 2:
        return {"value": value, "low": None, "high": None, "n": len(b)}
    residuals = np.bincount(label, a) - value * np.bincount(label, b)
    half = t_factor(k) * math.sqrt(k / (k - 1) * float((residuals**2).sum())) / total
    return {"value": value, "low": value - half, "high": value + half, "n": len(b)}


def mean(values: ArrayLike, clusters: ArrayLike) -> dict[str, Any]:
    """Mean of [N] values with the interval of a cluster sample."""
    return ratio(values, np.ones(len(np.asarray(values))), clusters)


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
