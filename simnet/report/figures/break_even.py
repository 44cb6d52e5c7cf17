"""Break-even by source type: cumulative traffic over the number of requests, headers counted and stripped."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from simnet.report.figures.cumulative import Line, draw_lines, given_handle
from simnet.report.figures.style import legend_above, page
from simnet.report.run_folder import RunFolder

TITLE = "Break-even by source type"
MAX_TYPES = 4


def caption(run: RunFolder, summary: dict[str, Any]) -> str:
    """What the figure shows, for the page."""
    text = (
        "End-to-end bytes over the number of requests of one source type; above headers counted, below "
        "stripped. A ring marks the request from which an arm's sum stays below that of "
        f"“{summary['baseline']}”; an arm without a ring has not got there in this run."
    )
    if any(row["upfront"] for row in summary["break_even"]):
        text += " Dashed: with the decoders that consumers were given before, as if they had been sent."
    if len(run.source_types) > MAX_TYPES:
        text += f" The first {MAX_TYPES} of {len(run.source_types)} source types; the table has them all."
    return text


def draw(run: RunFolder, summary: dict[str, Any]) -> Figure | None:
    """A column per source type, a row per way to count headers; None unless models compete with a rival."""
    if not summary["break_even"]:
        return None
    types = run.source_types[:MAX_TYPES]
    figure = page(max(4.6, 2.45 * len(types)), 5.2)
    panels = figure.subplots(2, len(types), squeeze=False)
    found = {
        (row["source_type"], row["basis"], row["arm"]): row
        for row in summary["break_even"]
        if row["rival"] == summary["baseline"]
    }
    drawn: list[Line] = []
    for i, basis in enumerate(("counted", "stripped")):
        for axes, source in zip(panels[i], types, strict=True):
            lines = {}
            for arm in run.arms:
                requests = run.requests[(run.requests["arm"] == arm) & (run.requests["source_type"] == source)]
                header = requests["stripped_byte"].to_numpy(np.int64) if basis == "stripped" else 0
                row = found.get((source, basis, arm), {})
                lines[arm] = Line(
                    np.arange(1.0, len(requests) + 1),
                    np.cumsum(requests["end_to_end_byte"].to_numpy(np.int64) - header),
                    float(len(requests)),
                    row.get("upfront", 0),
                    row.get("crossing_request"),
                )
            draw_lines(axes, run, lines)
            drawn += lines.values()
            axes.set_xlim(left=0)
            axes.set_title(source)
            axes.set_xlabel("requests")
            unit = axes.get_ylabel().rpartition(" ")[2]
            axes.set_ylabel(f"traffic {unit}, {basis}")
    legend_above(figure, panels[0][0], given_handle(drawn))
    return figure
