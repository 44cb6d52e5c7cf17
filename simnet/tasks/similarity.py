"""Semantic similarity SS = ST(recovered) / ST(original) of a population of items (DESIGN §2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simnet.statistics.rate import Rate


@dataclass(frozen=True)
class PopulationSs:
    """Ratio of two recognition rates over one set of items.

    Args:
        value: n_recovered / n_original; may exceed 1.
        low, high: 95 % interval of the paired bootstrap (percentiles).
        n_original, n_recovered: items recognised in the original and in the recovered image.
        n: items.
    """

    value: float
    low: float
    high: float
    n_original: int
    n_recovered: int
    n: int


def recognition_rate(recognised: NDArray[np.bool_]) -> Rate:
    """Share of recognised items; ``recognised`` is [N] bool, N ≥ 1."""
    return Rate(int(recognised.sum()), len(recognised))


def ss_population(
    original: NDArray[np.bool_],
    recovered: NDArray[np.bool_],
    *,
    rng: np.random.Generator,
    n_resamples: int = 2000,
) -> PopulationSs:
    """Recognition rate of the recovered images over that of the originals.

    The bootstrap draws whole items, so that the two rates keep their correlation. Only the four joint counts
    matter, so one resample is one multinomial draw.

    Args:
        original, recovered: [N] bool, item by item: was the original, was the recovered image recognised?
        rng: for the resamples.

    Raises:
        ValueError: the lengths differ, or no original was recognised, so that the ratio isn't defined.
    """
    if original.shape != recovered.shape or original.ndim != 1:
        raise ValueError(f"ss_population: got shapes {original.shape} and {recovered.shape}; they must be equal, [N]")
    n, n_original, n_recovered = len(original), int(original.sum()), int(recovered.sum())
    if n_original == 0:
        raise ValueError(f"ss_population: not one of the {n} originals was recognised; the ratio isn't defined")
    both = int((original & recovered).sum())
    cells = np.array([both, n_original - both, n_recovered - both, n - n_original - n_recovered + both])
    draws = rng.multinomial(n, cells / n, size=n_resamples)
    originals = draws[:, 0] + draws[:, 1]
    defined = originals > 0
    ratios = (draws[:, 0] + draws[:, 2])[defined] / originals[defined]
    low, high = np.quantile(ratios, [0.025, 0.975])
    return PopulationSs(n_recovered / n_original, float(low), float(high), n_original, n_recovered, n)
