"""Read what sweeps and runs left, for notebooks and experiments: tidy frames, every mean with its interval.

``load(path)`` gives :class:`Results`. Figures are in :mod:`simnet.results.figures`; importing this package loads
neither torch nor matplotlib.
"""

from simnet.results.best import optimum
from simnet.results.bjontegaard_delta import bd_quality, bd_rate
from simnet.results.closed_form import break_even, miss_ratio
from simnet.results.errors import ResultsError
from simnet.results.front import hypervolume, pareto
from simnet.results.markdown import markdown, write_table
from simnet.results.results import Results, load
from simnet.results.slope import elasticity

__all__ = [
    "Results",
    "ResultsError",
    "bd_quality",
    "bd_rate",
    "break_even",
    "elasticity",
    "hypervolume",
    "load",
    "markdown",
    "miss_ratio",
    "optimum",
    "pareto",
    "write_table",
]
