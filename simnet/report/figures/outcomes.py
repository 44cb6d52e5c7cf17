"""How requests ended: shares per arm, stacked."""

from __future__ import annotations

from typing import Any, get_args

from matplotlib.figure import Figure

from simnet.core.tables import Outcome
from simnet.report.figures.style import page
from simnet.report.run_folder import RunFolder

TITLE = "Outcomes"
LOOKS = {
    "satisfied": ("#009E73", ""),
    "below_wish": ("#F0E442", ""),
    "timeout": ("#D55E00", ""),
    "link_failed": ("#0072B2", "//"),
    "no_provider": ("#56B4E9", ".."),
    "no_decoder": ("#CC79A7", "\\\\"),
    "rejected_full": ("#000000", ""),
    "unfinished": ("#B8B8B8", "xx"),
}
assert set(LOOKS) == set(get_args(Outcome)), "every outcome has its look"


def caption(run: RunFolder, summary: dict[str, Any]) -> str:
    """What the figure shows, for the page."""
    return "Every request has exactly one outcome. Left: all of them; right: those not satisfied, enlarged."


def draw(run: RunFolder, summary: dict[str, Any]) -> Figure | None:
    """Two panels over the same arms: 0 to 100 %, and the part that failed on a scale of its own."""
    counts = {arm: summary["arms"][arm]["all"]["outcomes"] for arm in run.arms}
    n = {arm: sum(counts[arm].values()) for arm in run.arms}
    arms = [arm for arm in run.arms if n[arm]]
    if not arms:
        return None
    figure = page(9.0, 1.6 + 0.42 * len(arms))
    every, failed = figure.subplots(1, 2, sharey=True)
    for axes, shown in ((every, list(LOOKS)), (failed, [o for o in LOOKS if o != "satisfied"])):
        left = dict.fromkeys(arms, 0.0)
        for outcome in shown:
            widths = [100 * counts[arm][outcome] / n[arm] for arm in arms]
            if not any(widths):
                continue
            colour, hatch = LOOKS[outcome]
            axes.barh(
                arms,
                widths,
                left=[left[arm] for arm in arms],
                color=colour,
                hatch=hatch,
                height=0.62,
                edgecolor="white",
                linewidth=0.6,
                label=outcome.replace("_", " "),
            )
            for arm, width in zip(arms, widths, strict=True):
                left[arm] += width
        axes.grid(axis="y", visible=False)
    every.set_xlim(0, 100)
    every.set_xlabel("share of requests (%)")
    failed.set_xlabel("share of requests, satisfied left out (%)")
    if failed.patches:
        failed.set_xlim(0, None)
    else:
        failed.set_xlim(0, 1)
        failed.text(0.5, 0.5, "none: all are satisfied", transform=failed.transAxes, ha="center", va="center")
    every.invert_yaxis()
    every.set_yticks(range(len(arms)), [f"{arm} (n = {n[arm]:,})" for arm in arms])
    handles, labels = every.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4)
    return figure
