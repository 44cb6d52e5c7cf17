"""A mean, how sure it is, and on how many independent values it rests: the three never part."""

from __future__ import annotations

import math
from dataclasses import dataclass

ROUNDING = 1e-14
"""Relative error of sums of a few floats: what is less of a value is no spread."""


@dataclass(frozen=True)
class Interval:
    """A symmetric confidence interval.

    Args:
        value: the estimate; None if there was nothing to estimate from.
        half_width: of the interval, ≥ 0; None if there is none, as after a single replication. Never 0 for want of
            knowledge.
        n: independent values behind it: replications or batches.

    Raises:
        ValueError: NaN or infinity, a negative half width or n, or a half width without a value.
    """

    value: float | None
    half_width: float | None
    n: int

    def __post_init__(self) -> None:
        numbers = [x for x in (self.value, self.half_width) if x is not None]
        if not all(math.isfinite(x) for x in numbers):
            raise ValueError(
                f"interval: got {self.value} ± {self.half_width}; allowed finite numbers, or None for 'no such number'"
            )
        if self.n < 0 or (self.half_width is not None and (self.value is None or self.half_width < 0)):
            raise ValueError(
                f"interval: got {self.value} ± {self.half_width}, n = {self.n}; allowed n ≥ 0, "
                "and a half width ≥ 0 only beside a value"
            )

    @property
    def low(self) -> float | None:
        """Lower end; None without an interval."""
        return None if self.value is None or self.half_width is None else self.value - self.half_width

    @property
    def high(self) -> float | None:
        """Upper end; None without an interval."""
        return None if self.value is None or self.half_width is None else self.value + self.half_width

    def excludes(self, x: float) -> bool:
        """Whether ``x`` lies outside; where no interval is known, nothing is excluded."""
        return self.low is not None and self.high is not None and not self.low <= x <= self.high

    def __str__(self) -> str:
        """``0.912 ± 0.004 (n = 5)``: the half width to one digit, two if it begins with 1, the value likewise.

        A half width of 0, or that rounding errors alone explain, shows no digit: four decimals, or four digits of a
        value below 0.001.
        """
        if self.value is None:
            return f"– (n = {self.n})"
        if self.half_width is None:
            return _signed(f"{self.value:,.4g} (n = {self.n}, no interval)")
        places = _places(self.value, self.half_width)
        return _signed(f"{self.value:,.{places}f} ± {self.half_width:,.{places}f} (n = {self.n})")


def _places(value: float, half_width: float) -> int:
    """Decimals that show the half width; none are rounded away before the point."""
    if half_width <= ROUNDING * abs(value):
        return max(4, 3 - math.floor(math.log10(abs(value)))) if 0 < abs(value) < 1e-3 else 4
    leading = f"{half_width:.1e}"
    return max(0, -int(leading.partition("e")[2]) + (leading[0] == "1"))


def _signed(text: str) -> str:
    return text.replace("-", "−")
