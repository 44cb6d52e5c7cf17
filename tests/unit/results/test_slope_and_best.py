"""Elasticity against a power law and scipy's regression; the set of optima against how often it holds the true one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from simnet.core.errors import UnknownName
from simnet.results import Results, ResultsError, elasticity, optimum

SEEDS = 6


def frame(table: dict[float | None, list[float]], **constant: str) -> pd.DataFrame:
    """``values``-like: x -> y of each seed."""
    rows = [{**constant, "x": x, "seed": seed, "y": y} for x, values in table.items() for seed, y in enumerate(values)]
    return pd.DataFrame(rows)


def test_a_power_law_has_its_exponent_everywhere() -> None:
    table = {x: [scale * x**-0.7 for scale in (1.0, 2.0, 7.0)] for x in (1.0, 10.0, 25.0)}
    found = elasticity(frame(table), "x", "y")
    assert found["kind"].to_list() == ["between", "between", "fit"]
    assert found[["from", "to"]].to_numpy().tolist() == [[1, 10], [10, 25], [1, 25]]
    np.testing.assert_allclose(found["mean"], -0.7)
    np.testing.assert_allclose(found["half_width"], 0, atol=1e-12, err_msg="the scale is common and cancels")


def test_slopes_per_replication_and_their_interval() -> None:
    rng = np.random.default_rng(3)
    table = {x: list(np.exp(rng.normal(0, 0.2, SEEDS)) * x**1.3) for x in (2.0, 3.0, 9.0, 40.0)}
    found = elasticity(frame(table, arm="a"), "x", "y")
    assert found["arm"].eq("a").all()
    ln_x = np.log(list(table))
    fits = [stats.linregress(ln_x, np.log([table[x][s] for x in table])).slope for s in range(SEEDS)]
    low, high = stats.t.interval(0.95, SEEDS - 1, np.mean(fits), stats.sem(fits))
    fit = found.iloc[-1]
    assert (fit["low"], fit["mean"], fit["high"]) == pytest.approx((low, np.mean(fits), high))
    second = [np.log(table[9.0][s] / table[3.0][s]) / np.log(3.0) for s in range(SEEDS)]
    assert found.iloc[1]["mean"] == pytest.approx(np.mean(second))


def test_only_complete_replications_take_part() -> None:
    found = elasticity(frame({1.0: [1.0, 1.0, 1.0], 2.0: [2.0, np.nan, 8.0]}), "x", "y")
    assert found["n"].to_list() == [2, 2]
    assert found["n_left_out"].to_list() == [1, 1]
    assert found["mean"].to_list() == pytest.approx([2.0, 2.0])


def test_no_logarithm_no_elasticity(sweep: Results) -> None:
    with pytest.raises(ResultsError, match=r"got y = 0 in 1 rows; allowed > 0"):
        elasticity(frame({1.0: [1.0], 2.0: [0.0]}), "x", "y")
    values = sweep.values("byte_per_request", where={"store_byte": 64000})
    with pytest.raises(ResultsError, match=r"got ttl_s = null in 15 rows.*leave those points out"):
        elasticity(values.drop(columns="store_byte"), "ttl_s", "byte_per_request")
    with pytest.raises(ResultsError, match="got 1 value of x"):
        elasticity(frame({1.0: [1.0, 2.0]}), "x", "y")


def test_groups_are_not_overwritten_by_the_answer() -> None:
    for ask, column in ((elasticity, "kind"), (optimum, "best")):
        with pytest.raises(ResultsError, match=f"got columns called {column}, as its answer's are"):
            ask(frame({1.0: [1.0, 2.0], 2.0: [2.0, 3.0]}, **{column: "star"}), "x", "y")


def test_elasticity_of_a_sweep_keeps_arms_apart(sweep: Results) -> None:
    values = sweep.values("byte_per_request", by="ttl_s", where={"ttl_s": [60, 600, 3600], "store_byte": 64000})
    found = elasticity(values, "ttl_s", "byte_per_request").query("kind == 'fit'").set_index("arm")
    assert found.loc["on_demand", "high"] < 0, "keeping saves traffic"
    assert found.loc["no_stores", "low"] < 0 < found.loc["no_stores", "high"]


def test_optimum_compares_pairwise_with_the_best() -> None:
    base = np.array([5.0, 9.0, 2.0, 7.0])
    noise = np.array([0.1, -0.1, 0.2, -0.15])
    table = {60.0: list(base + 1), 600.0: list(base), None: list(base + noise)}
    found = optimum(frame(table), "x", "y")
    assert found["x"].isna().to_list() == [False, False, True]
    assert found["best"].to_list() == [False, True, False]
    assert found["as_good"].to_list() == [False, True, True]
    assert found["worse_by"].to_list() == pytest.approx([1.0, 0.0, noise.mean()])
    low, high = stats.ttest_1samp(noise, 0).confidence_interval(1 - 0.05 / 2)
    assert (found["worse_by_low"].iloc[2], found["worse_by_high"].iloc[2]) == pytest.approx((low, high))
    most = optimum(frame(table), "x", "y", sense="most")
    assert most["best"].to_list() == [True, False, False]
    assert most["worse_by"].to_list() == pytest.approx([0.0, 1.0, 1.0 - noise.mean()])
    assert most["mean"].to_list() == found["mean"].to_list()


def test_one_replication_tells_nothing_apart() -> None:
    found = optimum(frame({1.0: [5.0], 2.0: [900.0]}), "x", "y")
    assert found["best"].to_list() == [True, False]
    assert found["as_good"].all()


def test_the_set_holds_the_true_optimum_as_often_as_promised() -> None:
    """Six equal or nearly equal means, picked by noise: in 120 sweeps the truth is left out in at most 5 %."""
    rng = np.random.default_rng(11)
    true = np.array([0.0, 0.05, 0.05, 0.1, 0.3, 2.0])
    missed, sizes = 0, []
    for _ in range(120):
        y = true + rng.normal(0, 1, (8, 1)) + rng.normal(0, 0.3, (8, len(true)))
        found = optimum(frame({float(i): list(y[:, i]) for i in range(len(true))}), "x", "y")
        missed += not found["as_good"].iloc[0]
        sizes.append(int(found["as_good"].sum()))
        assert not found["as_good"].iloc[-1], "2 is many standard errors away"
    assert missed <= 120 * 0.05 + 4 * (120 * 0.05 * 0.95) ** 0.5
    assert np.mean(sizes) < len(true) - 1


def test_optimum_refuses_what_it_cannot_answer() -> None:
    with pytest.raises(ResultsError, match="allowed 'least' or 'most'"):
        optimum(frame({1.0: [1.0]}), "x", "y", sense="max")  # type: ignore[arg-type]
    with pytest.raises(ResultsError, match="no replication has y at every x"):
        optimum(frame({1.0: [1.0, np.nan], 2.0: [np.nan, 1.0]}), "x", "y")


def test_further_metrics_are_no_groups(sweep: Results) -> None:
    where = {"ttl_s": [60, 600, 3600]}
    one = sweep.values("byte_per_request", where=where)
    two = one.assign(ss_mean=np.linspace(0.5, 0.9, len(one)))  # differs in every row, as metrics do
    for ask in (elasticity, optimum):
        pd.testing.assert_frame_equal(ask(two, "ttl_s", "byte_per_request"), ask(one, "ttl_s", "byte_per_request"))
        assert ask(one.assign(shadowing_db=8), "ttl_s", "byte_per_request")["shadowing_db"].eq(8).all(), "an axis"


@pytest.mark.parametrize("ask", [elasticity, optimum])
def test_a_frame_that_holds_no_values_is_refused(sweep: Results, ask: Callable[..., Any]) -> None:
    name = ask.__name__
    values = sweep.values("byte_per_request", by="ttl_s", where={"ttl_s": [60, 600]})
    with pytest.raises(UnknownName, match=f"unknown column in {name}: got 'ttl'; did you mean 'ttl_s'"):
        ask(values, "ttl", "byte_per_request")
    means = sweep.mean("byte_per_request", by="ttl_s")
    with pytest.raises(ResultsError, match=rf"{name}: got a frame without the column 'seed'.*give results\.values\("):
        ask(means, "ttl_s", "mean")
    with pytest.raises(
        ResultsError, match=rf"{name}: got Results; allowed a frame, as of results\.values\('y', by='x'"
    ):
        ask(sweep, "x", "y")
    with pytest.raises(ResultsError, match=f"{name}: got 'ttl_s' as x and as y"):
        ask(values, "ttl_s", "ttl_s")


def test_words_have_no_elasticity(sweep: Results) -> None:
    values = sweep.values("byte_per_request", by="ttl_s", where={"ttl_s": 60})
    with pytest.raises(ResultsError, match="got arm of words, 'on_demand'; allowed numbers > 0"):
        elasticity(values, "arm", "byte_per_request")
