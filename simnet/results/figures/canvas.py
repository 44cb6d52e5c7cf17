"""What every figure shares: the report's look, a title that is the question, a line that says how sure it is."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import matplotlib
import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from simnet.report.figures.style import RC, SOURCE_COLOURS, arm_colours, page, write_png
from simnet.report.metrics import ALL
from simnet.results.choice import Choice
from simnet.results.errors import ResultsError
from simnet.results.labels import name_of, quantity, setting_text, value_text
from simnet.results.results import Results

P = ParamSpec("P")
T = TypeVar("T")
NOTE = "#666666"
NOTE_CHARACTERS_PER_IN, NOTE_LINE_PT = 20, 10
WIDTH_IN, HEIGHT_IN = 6.4, 4.0
MOST_VALUES = 5
"""Of a choice of more values than these their number is said."""


def styled(draw: Callable[P, T]) -> Callable[P, T]:
    """Draw with the report's settings, and leave matplotlib's own as they were."""

    @wraps(draw)
    def inner(*args: P.args, **kwargs: P.kwargs) -> T:
        with matplotlib.rc_context(RC):
            return draw(*args, **kwargs)

    return inner


def new_axes(axes: Axes | None, width_in: float = WIDTH_IN, height_in: float = HEIGHT_IN) -> Axes:
    """The axes given, or those of a new figure."""
    return page(width_in, height_in).add_subplot() if axes is None else axes


def head(axes: Axes, title: str | None, results: Results, *notes: str) -> None:
    """Title (the question, if none is given; "" for none) and below it, smaller, the notes that aren't empty."""
    text = results.question if title is None else title
    figure = axes.get_figure(root=True)
    width = axes.get_position().width * float(figure.get_size_inches()[0]) if figure is not None else WIDTH_IN
    lines = textwrap.wrap(text, max(30, int(15 * width)))
    said_lines = textwrap.wrap("; ".join(filter(None, notes)), max(40, int(NOTE_CHARACTERS_PER_IN * width)))
    pad = 20 + NOTE_LINE_PT * (len(said_lines) - 1)
    axes.set_title("\n".join(lines), pad=pad, parse_math=False)
    said = axes.text(
        0, 1, "\n".join(said_lines), transform=axes.transAxes, fontsize=8, color=NOTE, va="bottom", ha="left"
    )
    said.set(y=1.015, parse_math=False)


def chosen_text(results: Results, choice: Choice, shown: Collection[str]) -> str:
    """What of the results is drawn, where that isn't all of them: "on_demand, source type digits, TTL 60 s".

    Args:
        shown: columns whose values the figure itself shows.
    """
    arm, source_type = choice.get("arm"), choice.get("source_type", ALL)
    arms = results.arms if arm is None else [arm] if isinstance(arm, str) else list(arm)
    said = [arms[0]] if len(arms) == 1 < len(results.arms) and "arm" not in shown else []
    if source_type != ALL:
        said.append(f"source type {source_type}")
    for column, wanted in (choice.get("where") or {}).items():
        if column in shown:
            continue
        values = list(wanted) if isinstance(wanted, list | tuple | set | range | np.ndarray) else [wanted]
        several = f"{name_of(column)} {', '.join(map(value_text, values))}"
        if len(values) > MOST_VALUES:
            several = f"{len(values)} values of {name_of(column)}"
        said.append(setting_text(column, values[0]) if len(values) == 1 else several)
    return ", ".join(said)


def replications_text(n: pd.Series[Any], what: str) -> str:
    """ "5 replications, bars: 95 % intervals"; says so where there is none."""
    least, most = int(n.min()), int(n.max())
    if most < 2:
        return "one replication: no intervals"
    counts = f"{most}" if least == most else f"{least} to {most}"
    return f"{counts} replications, {what}: 95 % intervals" + (" (none for one replication)" if least < 2 else "")


def number_ticks(axes: Axes, which: str) -> None:
    """Ticks as plain numbers, without exponents."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(FuncFormatter(lambda value, _: quantity(value, 4)))
    if (axes.get_xscale() if which == "x" else axes.get_yscale()) == "linear":
        axis.set_major_locator(MaxNLocator(6))
    else:
        low, high = axes.get_xlim() if which == "x" else axes.get_ylim()
        if high / max(low, 1e-300) < 300:  # few decades: some in between
            axis.set_minor_formatter(FuncFormatter(lambda v, _: quantity(v) if f"{v:e}"[0] in "25" else ""))
        else:
            axis.set_minor_formatter(NullFormatter())


def colours(results: Results, column: str) -> dict[Any, str]:
    """Value of a column -> colour: an arm's own, numbers from dark to light, words in the colours of source types."""
    if column == "arm":
        return dict(arm_colours(results.arms))
    values = results.axes[column]
    if any(isinstance(value, str) for value in values):
        return {value: SOURCE_COLOURS[i % len(SOURCE_COLOURS)] for i, value in enumerate(values)}
    ordered = sorted(v for v in values if v is not None) + [v for v in values if v is None]
    shades = colormaps["viridis"]
    return {
        value: matplotlib.colors.to_hex(shades(0.85 * i / max(1, len(ordered) - 1))) for i, value in enumerate(ordered)
    }


def colour_of(table: Mapping[Any, str], value: Any) -> str:
    """The colour of a frame's value, whose null is NaN."""
    return table[None if isinstance(value, float) and value != value else value]


def one_arm(results: Results, choice: Choice, what: str) -> str:
    """The only arm that is chosen.

    Raises:
        ResultsError: several are.
    """
    arm = choice.get("arm")
    names = results.arms if arm is None else [arm] if isinstance(arm, str) else list(arm)
    if len(names) != 1:
        raise ResultsError(
            f"{what}: got {len(names)} arms; allowed one, as arm={names[0]!r}: {', '.join(results.arms)}"
        )
    return names[0]


def save(axes: Axes | Sequence[Axes], file: str | Path) -> Path:
    """Write the figure of these axes; the format is the file's ending (png, 150 dpi, if none). Its folder is made.

    The same figure gives the same bytes: no date is written. Returns the file.
    """
    path = Path(file) if Path(file).suffix else Path(f"{file}.png")
    figure = (axes if isinstance(axes, Axes) else axes[0]).figure
    if not isinstance(figure, Figure):
        raise ResultsError(f"save: got axes without a figure of their own; allowed those of a figure ({path})")
    path.parent.mkdir(parents=True, exist_ok=True)
    without = {".svg": {"Date": None, "Creator": None}, ".pdf": {"CreationDate": None}}
    with matplotlib.rc_context(RC):
        if path.suffix == ".png":
            write_png(figure, path)
        else:
            figure.savefig(path, dpi=150, metadata=without.get(path.suffix, {}))
    return path
