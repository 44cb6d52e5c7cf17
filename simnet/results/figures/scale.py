"""Where an axis' values stand: numbers in place, null ("∞") beyond the last, 0 before a logarithm, words in order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator, LogLocator, MaxNLocator, NullLocator
from numpy.typing import NDArray

from simnet.results.errors import ResultsError
from simnet.results.labels import quantity, value_text

MAX_TICKS = 9
WIDE = 20.0
"""Numbers that span more than this factor are shown on a logarithmic axis unless asked otherwise."""
STEP = 0.16
"""Distance of "∞" or of "0" from its neighbour, as a share of the axis."""
CHARACTER = 0.015
"""Width of a tick's character, as a share of the axis."""


@dataclass(frozen=True)
class Scale:
    """Positions of the values of one axis.

    Args:
        values: distinct ones; None: null.
        positions: [n] likewise.
        log: whether the axis is logarithmic.
        words: whether the values are words (or yes and no), which stand at 0, 1, 2 …
    """

    values: list[Any]
    positions: NDArray[np.float64]
    log: bool
    words: bool

    @classmethod
    def of(cls, values: Sequence[Any], log: bool | None = None) -> Scale:
        """The scale of these values.

        Args:
            values: in order, None or NaN for null.
            log: None: if all numbers are > 0 and span more than a factor of ``WIDE``.

        Raises:
            ResultsError: a negative number on a logarithmic axis.
        """
        plain = [None if isinstance(v, float) and math.isnan(v) else v for v in values]
        known = [v for v in plain if v is not None]
        if not known or any(isinstance(v, str | bool | np.bool_) for v in known):
            return cls(plain, np.arange(len(plain), dtype=float), False, True)
        numbers = np.array(sorted(known), float)
        above = numbers[numbers > 0]
        if log is None:
            log = len(above) == len(numbers) and len(above) > 1 and above[-1] / above[0] > WIDE
        if not log:
            span = numbers[-1] - numbers[0] or abs(numbers[0]) or 1.0
            end = numbers[-1] + STEP * span
            return cls(plain, np.array([_float(v, {None: end}) for v in plain]), False, False)
        if numbers[0] < 0 or not len(above):
            raise ResultsError(f"log: got {numbers[0]:g} on a logarithmic axis; allowed ≥ 0 with one > 0: log=''")
        ratio = max((above[-1] / above[0]) ** STEP, 1.5)
        place = {None: above[-1] * ratio, 0.0: above[0] / ratio}
        return cls(plain, np.array([_float(v, place) for v in plain]), True, False)

    def at(self, value: Any) -> float:
        """Position of a value; NaN is null."""
        key = None if isinstance(value, float) and math.isnan(value) else value
        return float(self.positions[self.values.index(key)])

    def inside(self, positions: NDArray[np.float64]) -> NDArray[np.bool_]:
        """[N] whether these positions are numbers in their place: not null, not the 0 of a logarithm."""
        outside = [] if self.words else [None, 0] if self.log else [None]
        return ~np.isin(positions, [self.at(value) for value in outside if value in self.values])

    def beside(self, positions: NDArray[np.float64], share: float) -> NDArray[np.float64]:
        """[N] positions moved to the right by a share of the axis; to the left if it is negative."""
        low, high = self.positions.min(), self.positions.max()
        moved: NDArray[np.float64] = positions * (high / low) ** share if self.log else positions + share * (high - low)
        return moved

    def apply(self, axes: Axes) -> None:
        """Set scale, ticks and limits of the x axis."""
        if self.log:
            axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
        at, texts = self._ticks()
        axes.xaxis.set_major_locator(FixedLocator(at))
        axes.xaxis.set_major_formatter(FixedFormatter(texts))
        if sum(map(len, texts)) > 60:
            axes.tick_params(axis="x", labelrotation=30)
            for tick in axes.get_xticklabels():
                tick.set_horizontalalignment("right")
        if self.words:
            axes.set_xlim(-0.5, len(self.values) - 0.5)

    def _ticks(self) -> tuple[list[float], list[str]]:
        """Places and texts of the ticks: the values as far as there is room, round numbers if they are many."""
        if self.words:
            return list(self.positions), [value_text(value) for value in self.values]
        ticks = {float(at): value_text(value) for value, at in zip(self.values, self.positions, strict=True)}
        if len(ticks) > MAX_TICKS:
            inside = self.positions[self.inside(self.positions)]
            low, high = float(inside.min()), float(inside.max())
            locator = LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)) if self.log else MaxNLocator(6)
            round_ones = [at for at in locator.tick_values(low, high) if low * 0.999 <= at <= high * 1.001]
            ends = self.positions[~self.inside(self.positions)]
            ticks = {float(at): quantity(at) for at in round_ones} | {float(at): ticks[float(at)] for at in ends}
        order = sorted(ticks)
        span = self._distance(order[0], order[-1]) or 1.0
        kept = order[:1]
        for at in order[1:-1]:
            if all(self._distance(at, near) > self._room(ticks, at, near) * span for near in (kept[-1], order[-1])):
                kept.append(at)
        kept += order[-1:] if len(order) > 1 else []
        return kept, [ticks[at] for at in kept]

    def _distance(self, one: float, other: float) -> float:
        return abs(math.log(one / other)) if self.log else abs(one - other)

    @staticmethod
    def _room(texts: dict[float, str], one: float, other: float) -> float:
        """Least distance of two ticks' centres, as a share of the axis."""
        return 0.02 + CHARACTER * (len(texts[one]) + len(texts[other])) / 2


def _float(value: Any, instead: dict[Any, float]) -> float:
    return instead[value] if value in instead else float(value)
