"""Semantic similarity SS = ST(recovered) / ST(original), of one delivery and of a population (DESIGN §2)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SURE_ST = 0.5
"""A delivery's SS is defined only if ST(original) is at least this; else the judge is unsure."""
Z_95 = 1.959963984540054


@dataclass(frozen=True)
class Rate:
    """A rate with its counts and 95 % (Wilson) interval."""

    n_hits: int
    n: int

    def __post_init__(self) -> None:
        if not 0 <= self.n_hits <= self.n or self.n == 0:
            raise ValueError(f"rate: got {self.n_hits} of {self.n}; allowed 0 ≤ hits ≤ n, n ≥ 1")

    @property
    def value(self) -> float:
        return self.n_hits / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson score interval, 95 %."""
        z2_n = Z_95**2 / self.n
        centre = (self.value + z2_n / 2) / (1 + z2_n)
        half = Z_95 / (1 + z2_n) * math.sqrt(self.value * (1 - self.value) / self.n + z2_n / (4 * self.n))
        return max(0.0, centre - half), min(1.0, centre + half)


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


def ss_of_deliveries(st_original: NDArray[np.float64], st_recovered: NDArray[np.float64]) -> NDArray[np.float64]:
    """SS of single deliveries, [N]; NaN where the judge is unsure of the original (ST < 0.5).

    Args:
        st_original: [N] in [0, 1].
        st_recovered: [N] in [0, 1]; 0 where nothing was delivered.
    """
    sure = st_original >= SURE_ST
    return np.where(sure, st_recovered / np.where(sure, st_original, 1.0), np.nan)
