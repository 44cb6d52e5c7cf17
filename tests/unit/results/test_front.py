"""Front and area against brute force."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simnet.results import hypervolume, pareto

SMALL = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=12)


@given(SMALL)
def test_dominated_as_the_definition_says(points: list[tuple[int, int]]) -> None:
    frame = pd.DataFrame(points, columns=["cost", "gain"], dtype=float).assign(name=range(len(points)))
    found = pareto(frame, "cost", "gain")
    assert sorted(found["name"]) == list(range(len(points))), "no row is lost"
    for row in found.itertuples():
        by_definition = any(c <= row.cost and g >= row.gain and (c < row.cost or g > row.gain) for c, g in points)
        assert row.dominated == by_definition
    assert found["cost"].is_monotonic_increasing


@given(SMALL, st.integers(1, 6), st.integers(0, 5))
def test_area_is_the_count_of_dominated_cells(points: list[tuple[int, int]], cost: int, gain: int) -> None:
    """On a grid of integers the area is the number of unit cells with a point to the left of and above them."""
    cells = sum(any(c <= x and g >= y + 1 for c, g in points) for x in range(cost) for y in range(gain, 7))
    assert hypervolume(points, (cost, gain)) == cells


def test_equal_points_are_both_on_the_front() -> None:
    found = pareto(pd.DataFrame({"cost": [1.0, 1.0, 1.0], "gain": [2.0, 2.0, 1.0]}), "cost", "gain")
    assert found["dominated"].to_list() == [False, False, True]


def test_signs_cost_down_gain_up() -> None:
    better, worse = hypervolume([(1.0, 5.0)], (10.0, 0.0)), hypervolume([(2.0, 5.0)], (10.0, 0.0))
    assert (better, worse) == (45.0, 40.0)
    assert hypervolume([(1.0, 4.0)], (10.0, 0.0)) == 36.0
    assert hypervolume([(11.0, 5.0), (1.0, -1.0)], (10.0, 0.0)) == 0.0
    assert hypervolume([], (10.0, 0.0)) == 0.0


def test_points_that_are_no_numbers_are_refused() -> None:
    frame = pd.DataFrame({"cost": [1.0, np.nan], "gain": [1.0, 2.0]})
    with pytest.raises(ValueError, match="got 1 of 2 rows without a finite cost and gain"):
        pareto(frame, "cost", "gain")
    with pytest.raises(ValueError, match=r"got points of shape \(1, 2\)"):
        hypervolume([(1.0, np.inf)], (1.0, 0.0))
    with pytest.raises(ValueError, match=r"shape \(1, 3\)"):
        hypervolume([(1.0, 1.0, 1.0)], (1.0, 0.0))
