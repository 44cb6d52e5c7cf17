"""Front and area against brute force."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from simnet.results import ResultsError, hypervolume, pareto
from simnet.results.front import surely_dominated

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
    with pytest.raises(ResultsError, match="got 1 of 2 rows without a finite cost and gain"):
        pareto(frame, "cost", "gain")
    with pytest.raises(ResultsError, match=r"got points of shape \(1, 2\)"):
        hypervolume([(1.0, np.inf)], (1.0, 0.0))
    with pytest.raises(ResultsError, match=r"shape \(1, 3\)"):
        hypervolume([(1.0, 1.0, 1.0)], (1.0, 0.0))


def test_a_frame_without_cost_and_gain_is_refused() -> None:
    means = pd.DataFrame({"arm": ["a"], "n": [5], "mean": [1.0]})
    with pytest.raises(ResultsError, match=r"pareto: got a frame without cost, gain; .*give results\.values\("):
        pareto(means, "cost", "gain")


@pytest.mark.parametrize("reference", [100, (1.0, 2.0, 3.0), "high", (1.0, np.nan), None])
def test_a_reference_that_is_no_corner_is_refused(reference: object) -> None:
    with pytest.raises(ResultsError, match=r"hypervolume: got reference .*; allowed a pair of finite numbers"):
        hypervolume([(1.0, 1.0)], reference)  # type: ignore[arg-type]


def test_told_apart_as_many_ttests_say() -> None:
    """Brute force over all pairs, with scipy's paired test."""
    rng = np.random.default_rng(4)
    base = rng.normal(0, 1, (6, 1, 2))
    samples = base + rng.normal(0, 0.25, (6, 9, 2)) + rng.uniform(0, 1.2, (9, 2))
    rows = [
        {"x": x if x < 8 else np.nan, "seed": seed, "cost": samples[seed, x, 0], "gain": samples[seed, x, 1]}
        for x in range(9)
        for seed in range(6)
    ]
    values = pd.DataFrame(rows)
    table = pareto(values.groupby("x", dropna=False)[["cost", "gain"]].mean().reset_index(), "cost", "gain")
    found = surely_dominated(table, values, ("cost", "gain"))
    means = samples.mean(axis=0)
    for x, sure in zip(table["x"].fillna(8).astype(int), found, strict=True):
        over = [k for k in range(9) if means[k, 0] <= means[x, 0] and means[k, 1] >= means[x, 1] and k != x]
        p = [stats.ttest_rel(samples[:, x, m], samples[:, k, m]).pvalue for k in over for m in (0, 1)]
        assert sure == any(value < 0.05 / len(p) for value in p)
    assert 0 < found.sum() < table["dominated"].sum(), "some of both"
