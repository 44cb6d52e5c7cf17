"""Where the time of a delivered request goes: mean parts, stacked, one bar per arm."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from simnet.report.figures.style import INK, legend_above, page
from simnet.report.run_folder import RunFolder

TITLE = "Latency and its parts"
PARTS = {
    "queue_s": ("queue", "#E69F00"),
    "air_s": ("air", "#0072B2"),
    "propagation_s": ("propagation", "#000000"),
    "compute_s": ("compute", "#009E73"),
    "model_fetch_s": ("model fetch", "#CC79A7"),
    "other_s": ("other waiting", "#B8B8B8"),
}
NEGLIGIBLE = 0.002
"""A remainder below this share of the largest mean is rounding, not waiting."""


def caption(run: RunFolder, summary: dict[str, Any]) -> str:
    """What the figure shows, for the page."""
    return (
        "Mean time from request to result, over delivered requests, by what it was spent on. “Model fetch” "
        "is the time beyond the code's own journey until missing slices had arrived, whatever link or queue held "
        "them up. Where slices travel before the code, as with_code sends them, the code waits behind them: queue."
    )


def draw(run: RunFolder, summary: dict[str, Any]) -> Figure | None:
    """Horizontal bars, with mean, median and p95 in words at their ends."""
    cells = {arm: summary["arms"][arm]["all"]["latency"] for arm in run.arms}
    arms = [arm for arm in run.arms if cells[arm]["n"]]
    if not arms:
        return None
    longest_s = max(cells[arm]["mean_s"] for arm in arms)
    factor, unit = (1e3, "ms") if longest_s < 1 else (1.0, "s")
    figure = page(9.0, 1.5 + 0.45 * len(arms))
    axes = figure.add_subplot()
    left = dict.fromkeys(arms, 0.0)
    for part, (label, colour) in PARTS.items():
        widths = [max(0.0, cells[arm]["parts"][part]) * factor for arm in arms]
        if max(widths) <= (NEGLIGIBLE * longest_s * factor if part == "other_s" else 0):
            continue
        axes.barh(
            arms,
            widths,
            left=[left[arm] for arm in arms],
            color=colour,
            label=label,
            height=0.62,
            edgecolor="white",
            linewidth=0.6,
        )
        for arm, width in zip(arms, widths, strict=True):
            left[arm] += width
    for arm in arms:
        cell = cells[arm]
        words = " · ".join(
            f"{word} {_three_digits(cell[key] * factor)}"
            for word, key in (("mean", "mean_s"), ("median", "median_s"), ("p95", "p95_s"))
        )
        axes.annotate(
            f"{words} {unit}",
            (left[arm], arm),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=INK,
            fontsize=8,
        )
    axes.set_xlim(0, 1.55 * max(left.values()) or 1.0)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(f"mean latency of delivered requests ({unit})")
    legend_above(figure, axes)
    return figure


def _three_digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
