"""Places for nodes: jittered grids and clusters in a square."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from simnet.core.streams import normal, uniform

Place = tuple[float, float]
"""x, y in metres."""


def jittered_grid(names: Sequence[str], *, side_m: float, jitter: float, seed: int) -> list[Place]:
    """One place per name, spread evenly over the square [0, side]²: equal rows of equal cells.

    Args:
        jitter: 0: at the cells' centres; 1: anywhere in the cell.
    """
    rows = max(1, round(math.sqrt(len(names))))
    starts = [row * len(names) // rows for row in range(rows + 1)]
    places = []
    for row, (start, end) in enumerate(pairwise(starts)):
        for column, name in enumerate(names[start:end]):
            x = (column + 0.5 + jitter * (uniform(seed, "x", name) - 0.5)) / (end - start)
            y = (row + 0.5 + jitter * (uniform(seed, "y", name) - 0.5)) / rows
            places.append((x * side_m, y * side_m))
    return places


def near(centre: Place, name: str, *, spread_m: float, side_m: float, seed: int) -> Place:
    """A place normally distributed about a centre; what falls outside [0, side]² is mirrored inside."""
    x_m = centre[0] + spread_m * normal(seed, "x", name)
    y_m = centre[1] + spread_m * normal(seed, "y", name)
    return _mirror(x_m, side_m), _mirror(y_m, side_m)


def _mirror(x_m: float, side_m: float) -> float:
    x_m = x_m % (2.0 * side_m)
    return min(x_m, 2.0 * side_m - x_m)


def circle(n: int, *, centre: Place, radius_m: float) -> list[Place]:
    """``n`` places evenly on a circle, from the east anticlockwise."""
    angles = [2.0 * math.pi * index / n for index in range(n)]
    return [(centre[0] + radius_m * math.cos(a), centre[1] + radius_m * math.sin(a)) for a in angles]
