"""Lines over an axis, one per arm or per value of another axis, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simnet.report.figures.style import MARKERS, line_style, line_width, page
from simnet.results.choice import Choice
from simnet.results.errors import ResultsError
from simnet.results.estimates import groups
from simnet.results.figures.canvas import (
    averaged_text,
    chosen_text,
    colour_of,
    colours,
    head,
    new_axes,
    number_ticks,
    one_arm,
    replications_text,
    styled,
)
from simnet.results.figures.scale import Scale
from simnet.results.labels import label, setting_text
from simnet.results.results import Results

FEW_LINES = 6
"""So many are labelled at their ends; more get a legend."""
MANY_POINTS = 12
"""Lines with more points get bands instead of bars."""
LABEL_GAP = 0.055
"""Least distance of two labels, as a share of the axes' height."""


@styled
def lines(
    results: Results,
    x: str,
    y: str,
    by: str = "arm",
    *,
    log: str | None = None,
    apart: float = 0.0,
    title: str | None = None,
    axes: Axes | None = None,
    **choice: Unpack[Choice],
) -> Axes:
    """Mean of a metric over an axis of the sweep, with 95 % intervals as bars, or bands where points are many.

    A null of numbers (a time to live for ever) stands at the right end as "∞", joined by a dotted line; so does 0
    at the left end of a logarithmic axis.

    Args:
        results: what :func:`simnet.results.load` gave.
        x: axis column; points that differ in other axes are averaged, which the note says (choose them with
            ``where``).
        y: metric.
        by: ``arm``, or an axis column with a line per value; then one arm must be chosen.
        log: "x", "y", "xy" or "": which axes are logarithmic; None: x if its numbers span more than a factor of 20.
        apart: how far a line's points stand beside those of the line before, as a share of the axis: where arms are
            alike, their bars would cover each other.
        title: instead of the sweep's question.
        axes: to draw into; None: a figure of its own.
        choice: ``arm``, ``source_type``, ``where`` as in :meth:`Results.mean`.

    Raises:
        ResultsError: several arms where one is needed, or a logarithm of what has none.
    """
    axes = new_axes(axes)
    notes = _draw(axes, results, (x, y, by), log, choice, apart)
    axes.set_xlabel(label(x))
    head(axes, title, results, *notes)
    return axes


@styled
def curves_over(
    results: Results,
    x: str,
    ys: Sequence[str],
    by: str = "arm",
    *,
    log: str | None = None,
    title: str | None = None,
    **choice: Unpack[Choice],
) -> list[Axes]:
    """Several metrics over one axis, one below the other: what is gained, and what it costs.

    Args:
        results, x, by, log, title, choice: as for :func:`lines`.
        ys: metrics, from top to bottom.

    Returns:
        The axes of each metric, all of one figure.
    """
    figure = page(6.4, 1.0 + 2.2 * len(ys))
    panels: list[Axes] = list(figure.subplots(len(ys), 1, sharex=True, squeeze=False)[:, 0])
    notes = [_draw(axes, results, (x, y, by), log, choice) for axes, y in zip(panels, ys, strict=True)]
    panels[-1].set_xlabel(label(x))
    head(panels[0], title, results, *notes[0])
    return panels


def _draw(
    axes: Axes, results: Results, columns: tuple[str, str, str], log: str | None, choice: Choice, apart: float = 0.0
) -> tuple[str, ...]:
    """Draw one panel without title and x label; returns the notes on what is shown and on its intervals."""
    x, y, by = columns
    if x == by:
        raise ResultsError(f"lines: got {x!r} as x and as by; allowed two axes, or by='arm'")
    if log is not None and not set(log) <= {"x", "y"}:
        raise ResultsError(f"log: got {log!r}; allowed 'x', 'y', 'xy', '' or None")
    if by != "arm":
        one_arm(results, choice, f"lines by {by}")
    table = results.mean(y, [x] if by == "arm" else [x, by], **choice)
    scale = Scale.of(list(table[x].drop_duplicates()), None if log is None else "x" in log)
    if log and "y" in log:
        if (table["mean"] <= 0).any():
            raise ResultsError(f"log: got {y} = {table['mean'].min():g}; allowed > 0 on a logarithmic axis")
        axes.set_yscale("log")
    many = len(scale.values) > MANY_POINTS and not scale.words
    palette, n_lines = colours(results, by), table[by].nunique(dropna=False)
    ends: list[tuple[float, float, str, str]] = []
    for i, (key, part) in enumerate(groups(table, [by])):
        colour = colour_of(palette, key[by])
        name = setting_text(by, key[by])
        place = list(palette.values()).index(colour) if by == "arm" else i  # an arm keeps its mark, too
        look = {
            "color": colour,
            "label": name,
            "marker": MARKERS[place % len(MARKERS)],
            "linestyle": line_style(place),
            "linewidth": line_width(i, n_lines),
        }
        part = part.assign(at=[scale.at(value) for value in part[x]]).sort_values("at").dropna(subset=["mean"])
        if part.empty:
            continue
        part = part.assign(drawn_at=scale.beside(part["at"].to_numpy(float), apart * (i - (n_lines - 1) / 2)))
        _line(axes, part, scale, look, many)
        ends.append((float(part["at"].iloc[-1]), float(part["mean"].iloc[-1]), name, colour))
    scale.apply(axes)
    axes.set_ylabel(label(y))
    number_ticks(axes, "y")
    if len(ends) > FEW_LINES:
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    elif len(ends) > 1:
        _label_ends(axes, ends)
    shown = (x, by) if len(ends) > 1 else (x,)
    return (
        chosen_text(results, choice, shown),
        averaged_text(results, choice, (x, by)),
        replications_text(table["n"], "bands" if many else "bars"),
    )


def _line(axes: Axes, part: pd.DataFrame, scale: Scale, look: dict[str, Any], many: bool) -> None:
    """One line; dotted where it leads out of the numbers: to null, or to the 0 of a logarithm."""
    at, mean, low, high = (part[c].to_numpy(float) for c in ("drawn_at", "mean", "low", "high"))
    inside = scale.inside(part["at"].to_numpy(float))
    if scale.words:
        look = {**look, "linestyle": ""}  # between words there is nothing
    look |= {"markersize": 3 if many else 5.5, "markeredgecolor": "white", "markeredgewidth": 0.6}
    if not scale.words:
        axes.plot(at, mean, color=look["color"], linestyle=(0, (1, 2)), linewidth=1.4)
    axes.plot(np.where(inside, at, np.nan), mean, **look)
    axes.plot(at[~inside], mean[~inside], **{**look, "linestyle": "", "label": None})
    if axes.get_yscale() == "log":
        low = np.maximum(low, mean * 0.02)  # a bar must not reach 0
    if many:
        axes.fill_between(at[inside], low[inside], high[inside], color=look["color"], alpha=0.18, linewidth=0)
        at, mean, low, high = (values[~inside] for values in (at, mean, low, high))
    known = np.isfinite(low)
    if known.any():
        lengths = np.stack([mean - low, high - mean])[:, known]
        bars = {"fmt": "none", "ecolor": look["color"], "elinewidth": 1.2, "capsize": 2.5}
        axes.errorbar(at[known], mean[known], yerr=lengths, **bars)


def _label_ends(axes: Axes, ends: list[tuple[float, float, str, str]]) -> None:
    """Names at the right ends, moved apart where they would overlap."""
    low, high = axes.get_ylim()
    axes.set_ylim(low, high)
    order = sorted(ends, key=lambda end: end[1])
    scaled = np.array([low, high, *(end[1] for end in order)])
    if axes.get_yscale() == "log":
        scaled = np.log(scaled)
    heights = (scaled[2:] - scaled[0]) / (scaled[1] - scaled[0])
    for _ in range(50):
        for k in range(1, len(heights)):
            overlap = LABEL_GAP - (heights[k] - heights[k - 1])
            if overlap > 0:
                heights[k - 1] -= overlap / 2
                heights[k] += overlap / 2
    for (_, _, name, colour), height in zip(order, heights, strict=True):
        axes.annotate(
            name,
            (1.0, height),
            xycoords="axes fraction",
            xytext=(6, 0),
            textcoords="offset points",
            color=colour,
            va="center",
            annotation_clip=False,
        )
