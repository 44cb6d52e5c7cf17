"""Paired differences of arms as a forest plot."""

from __future__ import annotations

from typing import Unpack

import numpy as np
from matplotlib.axes import Axes

from simnet.report.figures.style import INK, arm_colours, page
from simnet.report.metrics import ALL
from simnet.results.choice import Choice, Columns
from simnet.results.estimates import interval_of
from simnet.results.figures.canvas import averaged_text, chosen_text, head, number_ticks, replications_text, styled
from simnet.results.labels import label, name_of, value_text
from simnet.results.results import Results

LINE_IN = 0.27


@styled
def differences(
    results: Results,
    metric: str,
    minus: str,
    by: Columns = None,
    *,
    title: str | None = None,
    axes: Axes | None = None,
    **choice: Unpack[Choice],
) -> Axes:
    """Mean of arm − minus over common replications, one line per group and arm, with its 95 % interval.

    A filled mark: the interval excludes 0. An open one: no difference can be told.

    Args:
        results: what :func:`simnet.results.load` gave.
        metric: what is compared.
        minus: the arm that is subtracted.
        by: as in :meth:`Results.difference`.
        title: instead of the sweep's question.
        axes: to draw into; None: a figure of its own.
        choice: ``arm`` (None: all others), ``source_type``, ``where`` as in :meth:`Results.mean`.
    """
    where, source_type = choice.get("where"), choice.get("source_type", ALL)
    table = results.difference(metric, choice.get("arm"), minus, by, source_type, where)
    keys = [column for column in table.columns if column in results.axes]
    if axes is None:
        axes = page(7.4, 1.5 + LINE_IN * len(table)).add_subplot()
    palette = arm_colours(results.arms)
    names = []
    for i, (_, row) in enumerate(table.iterrows()):
        known = not np.isnan(row["low"])
        sure = known and not row["low"] <= 0 <= row["high"]
        colour = palette[row["arm"]]
        if known:
            axes.plot([row["low"], row["high"]], [i, i], color=colour, linewidth=1.6, solid_capstyle="butt", zorder=3)
        axes.plot(
            row["mean"], i, "o", markersize=5, color=colour, markerfacecolor=colour if sure else "white",
            markeredgewidth=1.4,
        )  # fmt: skip
        axes.annotate(
            str(interval_of(row)),
            (1.0, i),
            xycoords=("axes fraction", "data"),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=INK if sure else "#666666",
            annotation_clip=False,
        )
        settings = ", ".join(f"{name_of(c)} {value_text(row[c])}" for c in keys)
        names.append(f"{settings}: {row['arm']}" if settings else row["arm"])
    axes.axvline(0, color=INK, linewidth=0.9, zorder=1)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(False, axis="y")
    axes.margins(x=0.08)
    number_ticks(axes, "x")
    axes.set_xlabel(f"{label(metric)}: difference to {minus}")
    notes = [chosen_text(results, choice, ("arm", *keys)), averaged_text(results, choice, keys)]
    head(axes, title, results, *notes, replications_text(table["n"], "paired, lines"), "filled: 0 is excluded")
    return axes
