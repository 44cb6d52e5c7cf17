"""Cumulative traffic over time, one line per arm, with the break-even marked; then the same by class."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from simnet.report.figures.cumulative import Line, draw_lines, given_handle
from simnet.report.figures.style import legend_above, page, time_scale
from simnet.report.run_folder import RunFolder

TITLE = "Cumulative traffic"
CLASSES = {
    "code_byte": "Codes",
    "model_byte": "Models",
    "control_byte": "Control",
    "enhancement_byte": "Enhancements",
}


def caption(run: RunFolder, summary: dict[str, Any]) -> str:
    """What the figure shows, for the page."""
    text = (
        "End-to-end bytes, booked when the request was made. Left: whole files as sent; right: without the "
        "bytes of fixed format headers. Below: by class, on scales of their own. A ring marks the "
        f"break-even: from there on the arm's sum stays below that of “{summary['baseline']}”."
    )
    if any(row["upfront"] for row in summary["break_even"]):
        text += " Dashed: with the decoders that consumers were given before, as if they had been sent."
    return text


def draw(run: RunFolder, summary: dict[str, Any]) -> Figure | None:
    """Top: everything, headers counted and stripped; bottom: one panel per class that occurs."""
    requests = run.requests
    if not requests["end_to_end_byte"].any():
        return None
    classes = {column: title for column, title in CLASSES.items() if requests[column].any()}
    per_x, unit = time_scale(run.duration_s)
    end_x = run.duration_s / per_x
    figure = page(9.0, 6.4)
    grid = figure.add_gridspec(2, 2 * len(classes), height_ratios=[3, 2])
    for i, basis in enumerate(("counted", "stripped")):
        axes = figure.add_subplot(grid[0, i * len(classes) : (i + 1) * len(classes)])
        found = {
            row["arm"]: row
            for row in summary["break_even"]
            if (row["rival"], row["source_type"], row["basis"]) == (summary["baseline"], "all", basis)
        }
        lines = {}
        for arm, rows in requests.groupby("arm", observed=True):
            header = rows["stripped_byte"].to_numpy(np.int64) if basis == "stripped" else 0
            row = found.get(str(arm), {})
            lines[str(arm)] = Line(
                rows["created_s"].to_numpy(float) / per_x,
                np.cumsum(rows["end_to_end_byte"].to_numpy(np.int64) - header),
                end_x,
                row.get("upfront", 0),
                row.get("crossing_request"),
            )
        draw_lines(axes, run, lines)
        axes.set_title(f"All classes, headers {basis}")
        if i == 0:
            legend_above(figure, axes, given_handle(lines.values()))
    for i, (column, title) in enumerate(classes.items()):
        axes = figure.add_subplot(grid[1, 2 * i : 2 * i + 2])
        lines = {
            str(arm): Line(rows["created_s"].to_numpy(float) / per_x, np.cumsum(rows[column].to_numpy(np.int64)), end_x)
            for arm, rows in requests.groupby("arm", observed=True)
        }
        draw_lines(axes, run, lines)
        axes.set_title(title)
    for axes in figure.axes:
        axes.set_xlim(0, end_x)
        axes.set_xlabel(f"simulated time ({unit})")
    return figure
