"""Rates with their counts: Wilson's interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

Z_95 = 1.959963984540054


def wilson_interval(n_hits: float, n: float) -> tuple[float, float]:
    """95 % Wilson score interval of a rate, from its counts; counts of dependent events may be effective ones."""
    rate = n_hits / n
    z2 = Z_95**2 / n
    centre = rate + z2 / 2
    half = Z_95 * math.sqrt(rate * (1 - rate) / n + z2 / (4 * n))
    low, high = (centre - half) / (1 + z2), (centre + half) / (1 + z2)
    return (low if n_hits > 0 else 0.0, high if n_hits < n else 1.0)


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
        return wilson_interval(self.n_hits, self.n)
