"""What travels, and which SS it buys: slices as needed, whole models, and codecs without enhancement or decoder."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes

from simnet.report.figures.style import arm_colours, page
from simnet.results import Results, load, markdown, write_table
from simnet.results.figures import save
from simnet.results.figures.canvas import number_ticks, styled
from simnet.results.labels import label
from simnet.results.page_arguments import SWEEP, page_arguments

METRICS = ("model_byte_per_request", "byte_per_request", "ss_mean", "satisfied", "latency_mean_s")


@styled
def draw(folder: Path, here: Path) -> None:
    """Draw ``figure.png`` and fill the README's tables from a sweep's folder."""
    results = load(folder)
    figure = page(10.0, 3.4)
    grid = figure.subplots(1, 3, sharey=True)
    for axes, metric in zip(grid, ("byte_per_request", "model_byte_per_request", "ss_mean"), strict=True):
        _dots(axes, results, metric)
    grid[0].set_xscale("log")
    grid[1].margins(x=0.08)
    number_ticks(grid[1], "x")
    n = results.runs["seed"].nunique()
    figure.suptitle(f"{results.question}\n{n} replications, bars: 95 % intervals", x=0.01, ha="left", fontsize=9.5)
    save(list(grid), here / "figure.png")
    readme = here / "README.md"
    for metric in METRICS:
        write_table(readme, metric, markdown(results.mean(metric)))
    write_table(readme, "paired", markdown(_paired(results)))


def _dots(axes: Axes, results: Results, metric: str) -> None:
    means = results.mean(metric).set_index("arm")
    colours = arm_colours(results.arms)
    for row, arm in enumerate(results.arms):
        found = means.loc[arm]
        half = found["half_width"]
        axes.errorbar(found["mean"], row, xerr=half, fmt="o", color=colours[arm], capsize=3)
    axes.set_yticks(range(len(results.arms)), results.arms)
    axes.set_ylim(len(results.arms) - 0.5, -0.5)
    axes.set_xlabel(label(metric))


def _paired(results: Results) -> pd.DataFrame:
    """Slices less whole models, paired by seed."""
    rows = []
    for metric in METRICS:
        found = results.difference(metric, "slices", "whole_models")
        rows.append(found.assign(metric=metric))
    table = pd.concat(rows)
    return table[["metric", *[c for c in table.columns if c != "metric"]]]


if __name__ == "__main__":
    draw(page_arguments(__doc__, folder=SWEEP).folder, Path(__file__).parent)
