"""SS against traffic per delivered request: one point per arm and source type, intervals on both axes."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from simnet.report.figures.style import INK, arm_colours, page, source_markers
from simnet.report.run_folder import RunFolder

TITLE = "What a delivered image costs, and what it is worth"


def caption(run: RunFolder, summary: dict[str, Any]) -> str:
    """What the figure shows, for the page."""
    return (
        "Population SS of delivered images against end-to-end bytes per delivered request (models, control "
        "and failed requests included); up and to the left is better. Bars are 95 % intervals: bootstrap "
        "over items (SS), consumers and items as clusters (bytes)."
    )


def draw(run: RunFolder, summary: dict[str, Any]) -> Figure | None:
    """Bytes on a logarithmic axis; colour is the arm, marker the source type."""
    colours, markers = arm_colours(run.arms), source_markers(run.source_types)
    points = [
        (arm, source, cell["byte_per_delivered"], cell["ss_population"])
        for arm in run.arms
        for source, cell in summary["arms"][arm]["sources"].items()
        if cell["byte_per_delivered"]["value"] and cell["ss_population"]["value"] is not None
    ]
    if not points:
        return None
    figure = page(9.0, 4.6)
    axes = figure.add_subplot()
    axes.set_xscale("log")
    for arm, source, byte, ss in points:
        axes.errorbar(
            byte["value"],
            ss["value"],
            xerr=_arms(byte),
            yerr=_arms(ss),
            fmt=markers[source],
            color=colours[arm],
            markersize=7,
            markeredgecolor="white",
            markeredgewidth=0.7,
            elinewidth=1.1,
            capsize=2,
        )
    axes.axhline(1.0, color=INK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    axes.set_xlabel("end-to-end traffic per delivered request (B)")
    axes.set_ylabel("population SS")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.xaxis.set_minor_formatter(FuncFormatter(_few_minor_labels))
    axes.margins(0.06, 0.08)
    traffic = {byte["value"] for _, _, byte, _ in points}
    if len(traffic) == 1:  # one point has no extent to scale by
        axes.set_autoscalex_on(False)
        axes.set_xlim(0.5 * min(traffic), 2.0 * max(traffic))
        axes.set_xticks(list(traffic))
        axes.minorticks_off()
    arms = [Line2D([], [], marker="o", linestyle="", color=colours[arm], label=arm) for arm in run.arms]
    sources = [
        Line2D([], [], marker=markers[s], linestyle="", color=INK, markerfacecolor="white", label=s)
        for s in run.source_types
    ]
    # two headings in one list: two legends outside the axes would be laid over each other
    arm_heading, gap, source_heading = (Line2D([], [], linestyle="", label=t) for t in ("Arm", "", "Source type"))
    figure.legend(handles=[arm_heading, *arms, gap, source_heading, *sources], loc="outside right upper")
    return figure


def _arms(estimate: dict[str, Any]) -> list[list[float]] | None:
    """Lengths of the error bars, as matplotlib wants them."""
    if estimate["low"] is None:
        return None
    value = estimate["value"]
    # on a logarithmic axis a bar must not reach 0
    low = max(estimate["low"], value * 0.02)
    return [[max(0.0, value - low)], [max(0.0, estimate["high"] - value)]]


def _few_minor_labels(value: float, _: object) -> str:
    return f"{value:,.0f}" if f"{value:e}"[0] in "25" else ""
