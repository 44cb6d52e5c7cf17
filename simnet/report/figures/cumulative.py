"""Lines of cumulative traffic, one per arm, shared by the figures that show them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from simnet.report.figures.style import INK, arm_colours, byte_scale, line_style, line_width
from simnet.report.run_folder import RunFolder
from simnet.report.wording import number

MAX_POINTS = 500
ROOM_PER_NOTE = 0.16
GIVEN = "with the decoders given before, as if sent"
"""The dashed lines, in the legend."""
GIVEN_WIDTH = 1.1
OFF_SCALE = 4.0
"""An arm that ends this many times higher than the next one leaves the panel, so that others can be read."""


@dataclass(frozen=True)
class Line:
    """One arm's sum: 0 at first, and a step with each request.

    Args:
        x: [N] time, or number of requests.
        byte: [N] cumulative.
        end_x: how far the last sum goes.
        upfront_byte: decoders that consumers were given before the run, counted in a dashed line; 0 draws none.
        crossing: request from which the arm stays below the baseline, 1-based; None: not marked.
    """

    x: NDArray[np.float64]
    byte: NDArray[np.int64]
    end_x: float
    upfront_byte: int = 0
    crossing: int | None = None

    @property
    def end_byte(self) -> int:
        return int(self.byte[-1]) + self.upfront_byte


def draw_lines(axes: Axes, run: RunFolder, lines: dict[str, Line]) -> None:
    """Draw the lines of those arms that have any request, and set the y axis.

    Args:
        axes: where.
        run: for the arms' order and colours.
        lines: arm -> line.
    """
    lines = {arm: line for arm, line in lines.items() if len(line.byte)}
    if not lines:
        return
    top = _top([line.end_byte for line in lines.values()])
    divisor, unit = byte_scale(top)
    colours = arm_colours(run.arms)
    for i, arm in enumerate(run.arms):
        if arm not in lines:
            continue
        line = lines[arm]
        x, y = _steps(line)
        y = y / divisor
        axes.plot(
            x,
            y,
            drawstyle="steps-post",
            label=arm,
            color=colours[arm],
            linestyle=line_style(i),
            linewidth=line_width(i, len(run.arms)),
        )
        if line.upfront_byte:
            given = line.upfront_byte / divisor
            axes.plot(x, y + given, drawstyle="steps-post", color=colours[arm], linestyle="--", linewidth=GIVEN_WIDTH)
        _mark_crossing(axes, line, divisor, colours[arm])
    leaving = {arm: line for arm, line in lines.items() if line.end_byte > top}
    for step, (arm, line) in enumerate(leaving.items()):
        _mark_leaving(axes, line, (1.16 + ROOM_PER_NOTE * step) * top, divisor, colours[arm])
    axes.set_ylim(0, (1.08 + ROOM_PER_NOTE * len(leaving)) * top / divisor or 1.0)
    axes.set_ylabel(f"cumulative traffic ({unit})")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: number(value, 4)))


def given_handle(lines: Iterable[Line]) -> list[Line2D]:
    """What the legend says of the dashed lines; nothing if none of these has one."""
    if not any(line.upfront_byte for line in lines):
        return []
    return [Line2D([], [], color=INK, linestyle="--", linewidth=GIVEN_WIDTH, label=GIVEN)]


def _top(ends: list[int]) -> int:
    """The highest end that belongs in the panel."""
    ends = sorted(ends)
    while len(ends) > 2 and ends[-1] > OFF_SCALE * ends[-2] > 0:
        ends.pop()
    return ends[-1]


def _mark_crossing(axes: Axes, line: Line, divisor: float, colour: str) -> None:
    if line.crossing is None or line.crossing <= 1:
        return
    at = line.crossing - 1
    point = line.x[at], (line.byte[at] + line.upfront_byte) / divisor
    late = at > 0.6 * len(line.x)
    axes.plot(*point, "o", markersize=8, markerfacecolor="white", markeredgewidth=1.8, color=colour, zorder=5)
    axes.annotate(
        f"n = {line.crossing:,}",
        point,
        xytext=(-7, 6) if late else (6, -7),
        textcoords="offset points",
        ha="right" if late else "left",
        va="bottom" if late else "top",
        zorder=6,
        color=colour,
        bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.8},
    )


def _mark_leaving(axes: Axes, line: Line, byte: float, divisor: float, colour: str) -> None:
    """Say at this height, above the other arms' lines, where this arm's line ends."""
    at = int(np.searchsorted(line.byte + line.upfront_byte, byte))
    own_divisor, unit = byte_scale(line.end_byte)
    late = line.x[at] > 0.5 * line.end_x  # then there is no room at its right
    axes.annotate(
        f"↑ to {number(line.end_byte / own_divisor)} {unit}",
        (line.x[at], byte / divisor),
        xytext=(-6 if late else 6, 0),
        textcoords="offset points",
        ha="right" if late else "left",
        color=colour,
        fontsize=8,
        va="center",
        zorder=6,
        bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.8},
    )


def _steps(line: Line) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Corners of the line from 0 to its end, of at most MAX_POINTS requests, the first and the last among them."""
    n = len(line.x)
    chosen = np.unique(np.linspace(0, n - 1, min(n, MAX_POINTS)).astype(int))
    return (
        np.concatenate([[0.0], line.x[chosen], [line.end_x]]),
        np.concatenate([[0.0], line.byte[chosen], line.byte[-1:]]),
    )
