"""Lines of cumulative traffic: what is written into a panel stays there, and the legend explains every kind of line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes

from simnet.report.figures import break_even, traffic
from simnet.report.figures.cumulative import GIVEN, Line, draw_lines
from simnet.report.figures.style import page
from simnet.report.run_folder import RunFolder
from simnet.report.summary import summarise

RUN: Any = SimpleNamespace(arms=["steep", "other", "third"])


def panel(end_byte: list[int], width_in: float = 2.45, n: int = 100) -> Axes:
    """One line per arm, straight from 0 to its end at request ``n``."""
    axes: Axes = page(width_in, 2.6).add_subplot()
    x = np.arange(1.0, n + 1)
    ends = dict(zip(RUN.arms, end_byte, strict=False))
    draw_lines(axes, RUN, {arm: Line(x, (x / n * end).astype(np.int64), float(n)) for arm, end in ends.items()})
    axes.set_xlim(0, n)
    axes.figure.draw_without_rendering()  # type: ignore[union-attr]
    return axes


@pytest.mark.parametrize("steep", [4.1, 4.5, 6.0, 20.0, 300.0])
def test_where_a_line_leaves_its_panel_is_written_inside(steep: float) -> None:
    axes = panel([int(steep * 1e6), 1_000_000, 900_000])
    (text,) = axes.texts
    assert text.get_text() == f"↑ to {steep:.3g} MB"
    box, frame = text.get_window_extent(), axes.get_window_extent()
    assert frame.x0 <= box.x0 and box.x1 <= frame.x1 and box.y1 <= frame.y1


def test_thousands_are_separated_at_the_ticks() -> None:
    axes = panel([1_400, 900], width_in=6, n=4000)
    axes.set_ylim(0, 1500)  # as of 1.5 kB in bytes
    axes.figure.draw_without_rendering()  # type: ignore[union-attr]
    assert "4,000" in [tick.get_text() for tick in axes.get_xticklabels()]
    assert "1,000" in [tick.get_text() for tick in axes.get_yticklabels()]
    axes.set_xlim(0, 112.5)
    axes.set_xticks([0, 112.5])
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0", "112.5"], "no tick is rounded"


def test_the_legend_explains_dashed_lines_where_there_are_any(make_run: Callable[..., Path]) -> None:
    for arms, wanted in ((("preload", "on_demand", "jpeg"), True), (("on_demand", "jpeg"), False)):
        path = make_run("-".join(arms), arms=arms, n_requests=300)
        run, summary = RunFolder.open(path), summarise(path)
        for module in (traffic, break_even):
            figure = module.draw(run, summary)
            assert figure is not None
            (legend,) = figure.legends
            dashed = any(line.get_linestyle() == "--" for axes in figure.axes for line in axes.lines)
            named = [text.get_text() for text in legend.get_texts()]
            assert named == [*arms, *([GIVEN] if wanted else [])] and dashed == wanted
            assert ("Dashed" in module.caption(run, summary)) == wanted
