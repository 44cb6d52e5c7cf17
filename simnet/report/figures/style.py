"""One look for every figure: colour-blind-safe, an arm always in its colour, files without dates."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image

ARM_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D1F")
"""Okabe and Ito (2008); their yellow, too pale for lines on white, is replaced by a dark one."""
SOURCE_COLOURS = ("#332288", "#DDCC77", "#CC6677", "#44AA99", "#882255", "#88CCEE", "#117733", "#999933")
"""Tol's muted scheme: source types never share a colour with an arm."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
DPI = 150
"""Of pictures."""
INK, FAINT = "#222222", "#B8B8B8"

RC: Any = {
    "svg.hashsalt": "simnet",  # ids of clip paths: same input, same bytes
    "svg.fonttype": "none",  # text stays text: searchable, and small
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": "#666666",
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "path.simplify": True,
    "axes.formatter.use_mathtext": False,  # its parser would take most of the drawing time
}


def arm_colours(arms: Sequence[str]) -> dict[str, str]:
    """Arm -> colour, by its place in the scenario."""
    return {arm: ARM_COLOURS[i % len(ARM_COLOURS)] for i, arm in enumerate(arms)}


def source_colours(source_types: Sequence[str]) -> dict[str, str]:
    """Source type -> colour."""
    return {source: SOURCE_COLOURS[i % len(SOURCE_COLOURS)] for i, source in enumerate(source_types)}


def source_markers(source_types: Sequence[str]) -> dict[str, str]:
    """Source type -> marker."""
    return {source: MARKERS[i % len(MARKERS)] for i, source in enumerate(source_types)}


def line_style(i: int) -> str:
    """Line style of the i-th arm: a second key beside the colour, once colours repeat."""
    return ("-", "--", "-.", ":")[(i // len(ARM_COLOURS)) % 4]


def line_width(i: int, n: int) -> float:
    """Width of the i-th of n lines, points: earlier ones are wider, so that coinciding lines show."""
    return 1.3 + 1.3 * (n - 1 - i) / max(1, n - 1)


def page(width_in: float, height_in: float) -> Figure:
    """An empty figure, without any global state."""
    engine = ConstrainedLayoutEngine(wspace=0.06, hspace=0.06)
    return Figure(figsize=(width_in, height_in), layout=engine, facecolor="white")


def legend_above(figure: Figure, axes: Axes, more: Sequence[Artist] = ()) -> None:
    """The legend of one of the axes, and more entries, in rows above all of them, so that it covers no data."""
    handles = [*axes.get_legend_handles_labels()[0], *more]
    if handles:
        figure.legend(handles=handles, loc="outside upper center", ncols=min(len(handles), 6))


def time_scale(duration_s: float) -> tuple[float, str]:
    """Divisor and unit for a time axis of this length."""
    if duration_s >= 6 * 3600:
        return 3600.0, "h"
    return (60.0, "min") if duration_s >= 180 else (1.0, "s")


def byte_scale(largest_byte: float) -> tuple[float, str]:
    """Divisor and unit in which numbers up to this one are easy to read."""
    for divisor, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if largest_byte >= divisor:
            return divisor, unit
    return 1.0, "B"


def write_png(figure: Figure, file: Path) -> None:
    """Write an opaque picture of ``DPI``, packed as well as PNG can."""
    drawn = BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI)
    Image.open(drawn).convert("RGB").save(file, "PNG", optimize=True)


def save(figure: Figure, folder: Path, name: str) -> None:
    """Write ``name.svg`` and ``name.png`` (150 dpi); the bytes depend on the figure only."""
    with matplotlib.rc_context(RC):
        figure.savefig(folder / f"{name}.svg", metadata={"Date": None, "Creator": None})
        figure.set_layout_engine("none")  # laid out by now
        write_png(figure, folder / f"{name}.png")
