"""SS against traffic for every codec, precision and policy, the Pareto front, and each arm's hypervolume."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simnet.report.figures.style import INK, MARKERS, arm_colours, page
from simnet.results import Results, hypervolume, load, markdown, write_table
from simnet.results.figures import save
from simnet.results.figures.canvas import number_ticks, styled
from simnet.results.labels import label
from simnet.results.page_arguments import SWEEP, page_arguments
from simnet.statistics.interval import Interval
from simnet.statistics.replications import paired, student_t

COST, GAIN = "byte_per_request", "ss_mean"
REFERENCE = (1000.0, 0.5)
"""The worst corner: bytes of a request that brings the picture as it is, rounded up; and an SS that helps nobody."""
STEP, SETTING = "step", "setting"
"""Columns of the sweep: the point, and what it is to arms that have no column named like them."""


@styled
def draw(folder: Path, here: Path) -> None:
    """Draw ``figure.png`` and fill the README's tables from a sweep's folder."""
    results = load(folder)
    points, areas = _points(results), _areas(results)
    figure = page(9.6, 4.6)
    left, right = figure.subplots(1, 2, width_ratios=(2.2, 1.0))
    _front(left, results, points)
    _bars(right, results, areas)
    n = int(points["n"].min())
    note = f"{n} replications, bars: 95 % intervals; dashed: the front; up and to the left is better"
    figure.suptitle(f"{results.question}\n{note}", x=0.01, ha="left", fontsize=9.5)
    save([left, right], here / "figure.png")
    readme = here / "README.md"
    write_table(readme, "answer", _answer(points, areas))
    write_table(readme, "hypervolume", markdown(_compared(areas)))
    write_table(readme, "points", markdown(_table(results, points)))


def _points(results: Results) -> pd.DataFrame:
    """One row per arm and step by rising traffic: means with intervals, ``setting``, ``dominated``."""
    points = results.front(COST, GAIN, by=STEP)
    names = results.points.set_index(STEP)
    points["setting"] = [
        names.loc[step, arm if arm in names.columns else SETTING]
        for step, arm in zip(points[STEP], points["arm"], strict=True)
    ]
    return points


def _areas(results: Results) -> pd.DataFrame:
    """[seed, arm] share of the rectangle from no traffic at SS 1 to the reference that an arm's points dominate."""
    whole = REFERENCE[0] * (1 - REFERENCE[1])
    values = results.values([COST, GAIN], by=STEP)
    areas = {
        key: hypervolume(part[[COST, GAIN]].to_numpy(float), REFERENCE) / whole
        for key, part in values.groupby(["seed", "arm"])
    }
    return pd.Series(areas).unstack()[results.arms]


def _front(axes: Axes, results: Results, points: pd.DataFrame) -> None:
    palette = arm_colours(results.arms)
    for i, arm in enumerate(results.arms):
        mine = points[points["arm"] == arm].sort_values(STEP)
        bars = [np.stack([mine[m] - mine[f"{m}_low"], mine[f"{m}_high"] - mine[m]]).clip(min=0) for m in (COST, GAIN)]
        axes.errorbar(
            mine[COST], mine[GAIN], xerr=bars[0], yerr=bars[1], fmt=MARKERS[i], color=palette[arm], label=arm,
            markersize=6, markeredgecolor="white", markeredgewidth=0.6, elinewidth=0.9, linestyle="-", linewidth=0.7,
        )  # fmt: skip
    best = points[~points["dominated"]]
    left, right = points[COST].min() * 0.85, points[f"{COST}_high"].max() * 1.1
    axes.step(
        [*best[COST], right], [*best[GAIN], best[GAIN].iloc[-1]], where="post", color=INK, linewidth=1,
        linestyle=(0, (4, 3)), zorder=1,
    )  # fmt: skip
    for i, row in enumerate(best.to_dict("records")):
        axes.annotate(
            row["setting"], (row[COST], row[GAIN]), xytext=(-6, 4 + 11 * (i % 2)), textcoords="offset points",
            ha="right", fontsize=7.5, color=palette[row["arm"]],
        )  # fmt: skip
    axes.set(xscale="log", xlim=(left * 0.6, right), xlabel=label(COST), ylabel=label(GAIN))
    axes.set_ylim(top=axes.get_ylim()[1] + 0.08)  # room for names
    for which in ("x", "y"):
        number_ticks(axes, which)
    axes.legend(loc="lower right", fontsize=8)
    axes.set_title("What a request costs and what it is worth")


def _bars(axes: Axes, results: Results, areas: pd.DataFrame) -> None:
    palette = arm_colours(results.arms)
    for y, arm in enumerate(results.arms):
        found = student_t(areas[arm])
        axes.errorbar(
            float(found.value or 0),
            y,
            xerr=found.half_width,
            fmt=MARKERS[y],
            color=palette[arm],
            markersize=7,
            capsize=3,
        )
    axes.set(ylim=(len(results.arms) - 0.5, -0.5), xlabel="share of the area up to the reference")
    axes.set_yticks(range(len(results.arms)), results.arms)
    axes.set_title("Hypervolume")


def _answer(points: pd.DataFrame, areas: pd.DataFrame) -> str:
    best, order = points[~points["dominated"]], areas.mean().sort_values(ascending=False)
    counts = best.groupby("arm", sort=False).size()
    on_front = ", ".join(f"{arm} ({n})" for arm, n in counts.items())
    gap = paired(areas[order.index[0]], areas[order.index[1]])
    sure = "surely" if gap.excludes(0.0) else "not surely"
    return (
        f"On the front of means, with the number of points: {on_front}. {order.index[0]} dominates the largest area, "
        f"{sure} larger than that of {order.index[1]}, the second (paired by seed, 95 %)."
    )


def _compared(areas: pd.DataFrame) -> pd.DataFrame:
    """Each arm's share of the area, and the paired difference to the largest."""
    order = areas.mean().sort_values(ascending=False).index
    rows = []
    for arm in order:
        less = paired(areas[arm], areas[order[0]])
        rows.append(
            {
                "arm": arm,
                "hypervolume (share)": _short(student_t(areas[arm])),
                f"less {order[0]}, paired": "–" if arm == order[0] else _short(less),
            }
        )
    return pd.DataFrame(rows)


def _table(results: Results, points: pd.DataFrame) -> pd.DataFrame:
    """Every point in words."""
    metrics = [COST, "model_byte_per_request", GAIN, "ss_population", "latency_mean_s"]
    values = dict(list(results.values(metrics, by=STEP).groupby([STEP, "arm"])))
    rows = []
    for point in points.to_dict("records"):
        part = values[point[STEP], point["arm"]]
        numbers = {label(metric): _short(student_t(part[metric].dropna())) for metric in metrics}
        row = {"arm": point["arm"], "setting": point["setting"], **numbers}
        rows.append({**row, "on the front": "" if point["dominated"] else "yes"})
    return pd.DataFrame(rows)


def _short(found: Interval) -> str:
    """An interval without its n, which is the same in the whole table; without width: the number alone."""
    return str(found).partition(" (")[0] if found.half_width else f"{found.value or 0:.4g}"


if __name__ == "__main__":
    draw(page_arguments(__doc__, folder=SWEEP).folder, Path(__file__).parent)
