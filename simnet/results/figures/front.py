"""What is gained against what it costs: every point and arm, the Pareto front, and each arm's hypervolume if asked."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simnet.report.figures.style import INK, MARKERS, arm_colours
from simnet.results.choice import Choice
from simnet.results.errors import ResultsError
from simnet.results.estimates import groups, interval_of
from simnet.results.figures.canvas import chosen_text, head, new_axes, number_ticks, replications_text, styled
from simnet.results.front import DOMINATED, surely_dominated
from simnet.results.labels import label, quantity, unit_of, value_text
from simnet.results.results import Results

FEW_POINTS = 10
"""So many points of a front are named."""
CROWD = 20
"""Of more points only the front has bars."""


@styled
def front(
    results: Results,
    cost: str,
    gain: str,
    *,
    reference: tuple[float, float] | None = None,
    log: bool = False,
    title: str | None = None,
    axes: Axes | None = None,
    **choice: Unpack[Choice],
) -> Axes:
    """Means of two metrics with 95 % intervals; points that another one dominates and is told apart from are faint.

    Up and to the left is better; the dashed line is the front of the means. Two points are told apart if their costs
    or their gains differ significantly, paired over common replications (widened for the number of comparisons).
    Given a reference, the legend says each arm's hypervolume: the area that its points dominate up to there, with its
    interval over replications.

    Args:
        results: what :func:`simnet.results.load` gave.
        cost, gain: metrics.
        reference: (cost, gain) of the worst corner; None: no hypervolume. It must not come from what is shown, or the
            same arm would get another number beside other arms.
        log: whether the cost axis is logarithmic.
        title: instead of the sweep's question.
        axes: to draw into; None: a figure of its own.
        choice: ``arm``, ``source_type``, ``where`` as in :meth:`Results.mean`.

    Raises:
        ResultsError: a cost ≤ 0 on a logarithmic axis, a point without a cost or gain, one metric twice, or a
            reference that is no pair of numbers.
    """
    if cost == gain:
        raise ResultsError(f"front: got {cost!r} as cost and as gain; allowed two metrics")
    axes = new_axes(axes, 7.4, 4.2)
    table = results.front(cost, gain, **choice)
    if log and (table[cost] <= 0).any():
        raise ResultsError(f"log: got {cost} = {table[cost].min():g}; allowed > 0 on a logarithmic axis")
    values = results.values([cost, gain], **choice)
    areas = {} if reference is None else _areas(results, (cost, gain), reference, choice)
    faint = surely_dominated(table, values, (cost, gain))
    palette = arm_colours(results.arms)
    if log:
        axes.set_xscale("log")
    best = table[~table[DOMINATED]]
    crowded = len(table) > CROWD
    end = float(table[cost].max()) if reference is None else reference[0]
    _staircase(axes, best[cost].to_numpy(float), best[gain].to_numpy(float), end)
    for arm in [name for name in results.arms if name in set(table["arm"])]:
        text = f"{arm}\n{areas[arm]}" if areas else arm
        mine = table[table["arm"] == arm]
        marker = MARKERS[results.arms.index(arm) % len(MARKERS)]
        axes.plot([], [], linestyle="", marker=marker, markersize=6, color=palette[arm], label=text)
        for (dominated, is_faint), part in mine.groupby([DOMINATED, faint[mine.index]]):
            axes.errorbar(
                part[cost],
                part[gain],
                xerr=None if dominated and crowded else _lengths(part, cost),
                yerr=None if dominated and crowded else _lengths(part, gain),
                fmt=marker,
                markersize=4.5 if dominated else 7,
                markeredgecolor="white",
                markeredgewidth=0.6,
                color=palette[arm],
                alpha=0.3 if is_faint else 1.0,
                elinewidth=1.0,
                zorder=2 if dominated else 4,
            )
    varying = [column for column in results.axes if values[column].nunique(dropna=False) > 1]
    if varying and len(best) <= FEW_POINTS:
        _name_points(axes, best, cost, gain, varying)
    axes.margins(0.06, 0.08)
    axes.set_xlabel(label(cost))
    axes.set_ylabel(label(gain))
    for which in ("x", "y"):
        number_ticks(axes, which)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), labelspacing=0.9)
    is_named = bool(varying) and len(best) <= FEW_POINTS
    head(
        axes,
        title,
        results,
        chosen_text(results, choice, ("arm", *(varying if is_named else ()))),
        replications_text(table["n"], "bars of the front" if crowded else "bars"),
        "faint: dominated and told apart" if faint.any() else "",
        "" if reference is None else f"reference {quantity(reference[0], 4)}, {quantity(reference[1], 4)}",
        f"points: {' / '.join(label(c) for c in varying)}" if is_named else "",
    )
    return axes


def _areas(
    results: Results, metrics: tuple[str, str], reference: tuple[float, float], choice: Choice
) -> dict[str, str]:
    """Arm -> its hypervolume in words, with unit and interval."""
    found = results.hypervolume(*metrics, reference, **choice)
    unit = "·".join(filter(None, map(unit_of, metrics)))
    called = f"hypervolume ({unit})" if unit else "hypervolume"
    return {row["arm"]: f"{called}: {interval_of(row)}" for _, row in found.iterrows()}


def _staircase(axes: Axes, cost: Any, gain: Any, end: float) -> None:
    """The edge of what is dominated."""
    xs = [*cost, max(end, float(cost.max()))]
    axes.step(xs, [*gain, gain[-1]], where="post", color=INK, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)


def _lengths(part: pd.DataFrame, metric: str) -> Any:
    low, mean, high = (part[c].to_numpy(float) for c in (f"{metric}_low", metric, f"{metric}_high"))
    return np.nan_to_num(np.stack([mean - low, high - mean]))


def _name_points(axes: Axes, best: pd.DataFrame, cost: str, gain: str, varying: list[str]) -> None:
    """The settings of the front's points; of points in one place only the first is named."""
    for i, (_, same) in enumerate(groups(best, [cost, gain])):
        row = same.iloc[0]
        more = f" (+{len(same) - 1})" if len(same) > 1 else ""
        axes.annotate(
            " / ".join(value_text(row[column]) for column in varying) + more,
            (row[cost], row[gain]),
            xytext=(-6 if i else 6, 6),
            textcoords="offset points",
            ha="right" if i else "left",
            fontsize=8,
            color=INK,
            zorder=5,
            bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.7},
        )
