"""From where on a curve stays above a level."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def crossing(x: ArrayLike, y: ArrayLike, level: float) -> float | None:
    """The lowest x from which on y stays at or above a level, between points in a straight line; None if it never does.

    Args:
        x, y: [N ≥ 1] points of the curve, x ascending.
    """
    xs, ys = np.asarray(x, float), np.asarray(y, float)
    below = np.flatnonzero(ys < level)
    if len(below) == 0:
        return float(xs[0])
    i = int(below[-1])
    if i + 1 == len(xs):
        return None
    return float(xs[i] + (level - ys[i]) / (ys[i + 1] - ys[i]) * (xs[i + 1] - xs[i]))
