"""Figures of results: each function returns matplotlib Axes, with intervals, units and the question as title.

No pyplot: nothing here keeps state. In a notebook show ``axes.figure``; :func:`save` writes a file.
"""

from simnet.results.figures.canvas import save
from simnet.results.figures.differences import differences
from simnet.results.figures.front import front
from simnet.results.figures.heat import heat
from simnet.results.figures.lines import curves_over, lines

__all__ = ["curves_over", "differences", "front", "heat", "lines", "save"]
