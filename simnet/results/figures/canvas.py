"""What every figure shares: the report's look, a title that is the question, a line that says how sure it is."""

from __future__ import annotations

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
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from simnet.report.figures.style import DPI, RC, SOURCE_COLOURS, arm_colours, page, write_png
from simnet.report.metrics import ALL
from simnet.results.choice import Choice, chosen
from simnet.results.errors import ResultsError
from simnet.results.labels import name_of, quantity, setting_text, value_text
from simnet.results.results import Results

P = ParamSpec("P")
T = TypeVar("T")
NOTE = "#666666"
NOTE_LABEL = "_note"
"""By this the note of some axes is found again; it shows nowhere."""
NOTE_LINE_PT, NOTE_HEIGHT = 10, 1.015
EDGE_IN = 0.15
"""So much is left free at the right of titles and notes, for a vector file's letters are not as wide as a picture's."""
WIDTH_IN, HEIGHT_IN = 6.4, 4.0
BAR = "<colorbar>"
"""matplotlib's label of the axes of a colour bar."""
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
    axes.set_title(results.question if title is None else title, loc="left", parse_math=False)
    said = axes.text(0, NOTE_HEIGHT, "", transform=axes.transAxes, fontsize=8, color=NOTE, va="bottom", ha="left")
    said.set(text="; ".join(filter(None, notes)), parse_math=False, label=NOTE_LABEL)
    _fit_heads(said.get_figure(root=True))


def _fit_heads(figure: Figure | None) -> None:
    """Break every title and note where its words, as drawn, would leave the figure or reach other axes."""
    if figure is None:
        return
    before, figure.dpi = figure.dpi, DPI  # hinting makes words up to 2 % wider or narrower than at another resolution
    try:
        _break_heads(figure)
    finally:
        figure.dpi = before


def _break_heads(figure: Figure) -> None:
    heads = {axes: found for axes in figure.axes for found in axes.texts if found.get_label() == NOTE_LABEL}
    words = {axes: (axes.get_title(loc="left").split(), said.get_text().split()) for axes, said in heads.items()}
    for axes, said in heads.items():  # as long as they are, they would move the axes
        axes.set_title("", loc="left")
        said.set_text("")
    figure.draw_without_rendering()
    for axes, said in heads.items():
        title, note = words[axes]
        left_px, right_px = axes.get_window_extent().x0, _end_px(axes, figure) - EDGE_IN * figure.dpi
        said.set_text(_broken(said, note, right_px - left_px))
        pad = 10 + NOTE_LINE_PT * (said.get_text().count("\n") + 1 if note else 0)
        shown = axes.set_title("", loc="left", pad=pad)
        shown.set_text(_broken(shown, title, right_px - left_px))


def _end_px(axes: Axes, figure: Figure) -> float:
    """Where what stands above these axes must end: at the figure's edge, or at the next axes that are no colour bar."""
    box = axes.get_window_extent()
    others = [other.get_window_extent() for other in figure.axes if other is not axes and other.get_label() != BAR]
    beside = any(other.x0 >= box.x1 for other in others)
    return float(box.x1 if beside else figure.bbox.x1)


def _broken(text: Text, words: Sequence[str], width_px: float) -> str:
    """The words in lines that this text, with its font, shows within this width; a longer word is broken, too."""

    def fits(line: str) -> bool:
        text.set_text(line)
        return text.get_window_extent().width <= width_px

    lines: list[str] = []
    for word in words:
        if lines and fits(f"{lines[-1]} {word}"):
            lines[-1] += f" {word}"
            continue
        while not fits(word) and len(word) > 1:
            n = max(1, next(k for k in range(len(word) - 1, -1, -1) if k == 0 or fits(word[:k])))
            lines.append(word[:n])
            word = word[n:]
        lines.append(word)
    return "\n".join(lines)


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


def averaged_text(results: Results, choice: Choice, kept: Collection[str]) -> str:
    """Which axes' values are averaged into what is drawn: "averaged over TTL, store".

    Args:
        kept: axis columns whose values are kept apart.
    """
    rows = chosen(results.source, choice.get("arm"), choice.get("source_type", ALL), choice.get("where"))
    over = [name_of(c) for c in results.axes if c not in kept and rows[c].nunique(dropna=False) > 1]
    return f"averaged over {', '.join(over)}" if over else ""


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

    Raises:
        ResultsError: axes without a figure of their own, or an ending that matplotlib cannot write.
    """
    path = Path(file) if Path(file).suffix else Path(f"{file}.png")
    figure = (axes if isinstance(axes, Axes) else axes[0]).figure
    if not isinstance(figure, Figure):
        raise ResultsError(f"save: got axes without a figure of their own; allowed those of a figure ({path})")
    endings = [f".{ending}" for ending in sorted(figure.canvas.get_supported_filetypes())]
    if path.suffix.lower() not in endings:
        raise ResultsError(f"save: {path}: got the ending {path.suffix!r}; allowed {', '.join(endings)}, or none: .png")
    path.parent.mkdir(parents=True, exist_ok=True)
    without = {".svg": {"Date": None, "Creator": None}, ".pdf": {"CreationDate": None}}
    with matplotlib.rc_context(RC):
        _fit_heads(figure)  # again: something may have been added
        if path.suffix == ".png":
            write_png(figure, path)
        else:
            figure.savefig(path, dpi=DPI, metadata=without.get(path.suffix, {}))
    return path
