"""A metric over two axes, as annotated cells."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter

from simnet.report.figures.style import FAINT, INK, page
from simnet.report.wording import NONE
from simnet.results.choice import Choice
from simnet.results.errors import ResultsError
from simnet.results.figures.canvas import averaged_text, chosen_text, head, one_arm, replications_text, styled
from simnet.results.labels import label, quantity, value_text
from simnet.results.results import Results


@styled
def heat(
    results: Results,
    x: str,
    y: str,
    value: str,
    *,
    title: str | None = None,
    axes: Axes | None = None,
    **choice: Unpack[Choice],
) -> Axes:
    """Mean of a metric for each pair of values of two axes, with the half width of its 95 % interval.

    Args:
        results: what :func:`simnet.results.load` gave.
        x, y: two axis columns; null stands last, as "∞". Points that differ in others are averaged, which the note
            says.
        value: metric.
        title: instead of the sweep's question.
        axes: to draw into; None: a figure of its own.
        choice: ``arm`` (one), ``source_type``, ``where`` as in :meth:`Results.mean`.

    Raises:
        ResultsError: several arms, or one axis twice.
    """
    if x == y:
        raise ResultsError(f"heat: got {x!r} as x and as y; allowed two axes of {', '.join(results.axes) or 'none'}")
    arm = one_arm(results, choice, "heat")
    table = results.mean(value, [x, y], **choice)
    columns, rows = (_levels(list(table[c].drop_duplicates())) for c in (x, y))
    if axes is None:
        axes = page(2.2 + 0.95 * max(3, len(columns)), 1.6 + 0.62 * max(3, len(rows))).add_subplot()
    mean = np.full((len(rows), len(columns)), np.nan)
    half = mean.copy()
    for row in table.to_dict("records"):
        cell = rows.index(_key(row[y])), columns.index(_key(row[x]))
        mean[cell], half[cell] = row["mean"], row["half_width"]
    palette = colormaps["viridis"]
    known = mean[np.isfinite(mean)]
    norm = Normalize(known.min(), known.max()) if len(known) else Normalize(0, 1)
    image = axes.imshow(mean, cmap=palette, norm=norm, origin="lower", aspect="auto")
    axes.grid(False)
    for i in range(len(rows)):
        for k in range(len(columns)):
            _cell(axes, (k, i), float(mean[i, k]), float(half[i, k]), palette(norm(mean[i, k])))
    axes.set_xticks(range(len(columns)), [value_text(v) for v in columns])
    axes.set_yticks(range(len(rows)), [value_text(v) for v in rows])
    axes.set_xlabel(label(x))
    axes.set_ylabel(label(y))
    axes.tick_params(length=0)
    if axes.figure is not None:
        bar = axes.figure.colorbar(
            image, ax=axes, label=label(value), format=FuncFormatter(lambda v, _: quantity(v, 4))
        )
        bar.outline.set_visible(False)
    chosen = ", ".join(filter(None, (arm, chosen_text(results, choice, ("arm", x, y)))))
    head(axes, title, results, chosen, averaged_text(results, choice, (x, y)), replications_text(table["n"], "±"))
    return axes


def _cell(axes: Axes, at: tuple[int, int], mean: float, half: float, colour: Any) -> None:
    if np.isnan(mean):
        box = Rectangle((at[0] - 0.5, at[1] - 0.5), 1, 1, facecolor="white", edgecolor=FAINT, hatch="///", linewidth=0)
        axes.add_patch(box)
        axes.text(*at, NONE, ha="center", va="center", color=INK)
        return
    red, green, blue, _ = colour
    ink = INK if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"
    text = quantity(mean) if np.isnan(half) else f"{_like(mean, half)}\n± {_like(half, half)}"
    axes.text(*at, text, ha="center", va="center", color=ink, fontsize=8)


def _like(value: float, half: float) -> str:
    """A value to the digits that its half width knows."""
    if half == 0 or abs(value) >= 1e5:
        return quantity(value, 4)
    places = max(0, -int(np.floor(np.log10(half))) + (f"{half:e}"[0] == "1"))
    return f"{value:,.{places}f}".replace("-", "−")


def _levels(values: list[Any]) -> list[Any]:
    plain = [_key(value) for value in values]
    known = [value for value in plain if value is not None]
    if not any(isinstance(value, str) for value in known):
        known = sorted(known)
    return known + ([None] if None in plain else [])


def _key(value: Any) -> Any:
    return None if isinstance(value, float) and np.isnan(value) else value
