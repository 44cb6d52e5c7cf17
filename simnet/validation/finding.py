"""What a check finds: a simulated figure with its interval beside what theory allows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from simnet.statistics.interval import Interval

Verdict = Literal["pass", "fail"]


@dataclass(frozen=True)
class Theory:
    """The values that theory allows.

    Args:
        low, high: ends of a closed range; equal where theory is exact; ±inf on a bound's open side.
        source: who says so: paper or book, and equation.

    Raises:
        ValueError: NaN, or low above high.
    """

    low: float
    high: float
    source: str

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError(f"theory ({self.source}): got {self.low} to {self.high}; allowed low ≤ high")

    @classmethod
    def exactly(cls, value: float, source: str) -> Theory:
        return cls(value, value, source)

    @classmethod
    def about(cls, value: float, error: float, source: str) -> Theory:
        """An approximation that is off by at most ``error`` ≥ 0, which the check derives or measures."""
        return cls(value - error, value + error, source)

    @classmethod
    def at_most(cls, value: float, source: str) -> Theory:
        return cls(-math.inf, value, source)

    def __str__(self) -> str:
        if self.low == self.high:
            return f"{self.low:,.5g}"
        if math.isinf(self.low):
            return f"≤ {self.high:,.5g}"
        if math.isinf(self.high):
            return f"≥ {self.low:,.5g}"
        middle, error = (self.low + self.high) / 2, (self.high - self.low) / 2
        return f"{middle:,.5g} ± {error:.1g}" if error < 0.01 * abs(middle) else f"{self.low:,.5g} to {self.high:,.5g}"


@dataclass(frozen=True)
class Finding:
    """One comparison.

    Args:
        quantity: what is simulated, with its unit.
        simulated: its interval, at the bench's confidence; half width 0 only for what chance has no part in.
        theory: what it must be.
    """

    quantity: str
    simulated: Interval
    theory: Theory

    @property
    def verdict(self) -> Verdict:
        """Fail: the interval holds no value that theory allows; or there is no interval, so nothing was shown."""
        low, high = self.simulated.low, self.simulated.high
        if low is None or high is None:
            return "fail"
        return "pass" if low <= self.theory.high and high >= self.theory.low else "fail"
