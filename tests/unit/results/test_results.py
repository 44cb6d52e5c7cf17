"""Means, ratios and differences against scipy, on numbers that the test made itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from simnet.core.errors import UnknownName
from simnet.report.metrics import ANALYSIS
from simnet.results import Results, ResultsError, figures, load
from simnet.results.labels import label
from tests.support.sweep_folder import keep_or_fetch, write_sweep

A, B = [3.0, 5.0, 4.0, 8.0], [2.0, 3.5, 3.0, 5.0]


def interval(values: list[float]) -> tuple[float, float]:
    """Student's, from scipy."""
    low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    return float(low), float(high)


def test_mean_is_students(make: Callable[..., Results]) -> None:
    row = make({"ttl_s": [60]}, {(60, "a"): A}).mean("byte_per_request").iloc[0]
    assert list(row.index) == ["ttl_s", "arm", "n", "mean", "low", "high", "half_width", "n_left_out"]
    assert (row["n"], row["mean"], row["n_left_out"]) == (4, 5.0, 0)
    assert (row["low"], row["high"]) == pytest.approx(interval(A))
    assert row["half_width"] == pytest.approx((row["high"] - row["low"]) / 2)


def test_points_that_by_does_not_tell_apart_are_averaged_before_the_interval(make: Callable[..., Results]) -> None:
    """Points share seeds: six numbers of three seeds are three independent ones, not six."""
    table = {(60, "a"): [1.0, 4.0, 2.0], (None, "a"): [3.0, 8.0, 5.0]}
    found = make({"ttl_s": [60, None]}, table)
    row = found.mean("byte_per_request", by=[]).iloc[0]
    assert (row["n"], row["mean"]) == (3, pytest.approx(23 / 6))
    assert (row["low"], row["high"]) == pytest.approx(interval([2.0, 6.0, 3.5]))
    each = found.mean("byte_per_request", by="ttl_s")
    assert each["n"].to_list() == [3, 3]
    assert each["ttl_s"].isna().to_list() == [False, True]


def test_a_replication_without_a_value_is_left_out_and_counted(make: Callable[..., Results]) -> None:
    found = make({"ttl_s": [60, 600]}, {(60, "a"): [1.0, None, 3.0], (600, "a"): [5.0, 6.0, 9.0]})
    assert found.mean("byte_per_request")[["n", "mean", "n_left_out"]].to_numpy().tolist() == [
        [2, 2.0, 1],
        [3, 20 / 3, 0],
    ]
    pooled = found.mean("byte_per_request", by=[]).iloc[0]
    assert (pooled["n"], pooled["mean"], pooled["n_left_out"]) == (2, 4.5, 1)


def test_a_source_type_without_a_request_counts_as_zero(tmp_path: Path) -> None:
    """Its run wrote no row for it; its means would be of those that had one."""
    folder = write_sweep(tmp_path / "s", {"ttl_s": [60]}, lambda *_: {"n_requests": 2, "byte_per_request": 5.0})
    table = pd.read_parquet(folder / "results.parquet")
    silent = (table["seed"] == table["seed"].max()) & (table["source_type"] == "digits")
    table[~silent].to_parquet(folder / "results.parquet")
    found, whole = load(folder), table["seed"].nunique()
    assert len(found.runs) == len(table) and found.runs["source_type"].to_list() == table["source_type"].to_list()
    asked, byte = (found.mean(name, source_type="digits").iloc[0] for name in ("n_requests", "byte_per_request"))
    assert (asked["n"], asked["mean"], asked["n_left_out"]) == (whole, 2 * (whole - 1) / whole, 0)
    assert (byte["n"], byte["mean"], byte["n_left_out"]) == (whole - 1, 5.0, 1)


def test_one_replication_has_no_interval_and_none_no_mean(make: Callable[..., Results]) -> None:
    found = make({"ttl_s": [60, 600]}, {(60, "a"): [7.0], (600, "a"): [None]}).mean("byte_per_request")
    assert found["n"].to_list() == [1, 0]
    assert found["mean"].iloc[0] == 7.0 and math.isnan(found["mean"].iloc[1])
    assert found[["low", "high", "half_width"]].isna().all(axis=None)


def test_difference_is_the_paired_test(make: Callable[..., Results]) -> None:
    found = make({"ttl_s": [60]}, {(60, "a"): A, (60, "b"): B}).difference("byte_per_request", "a", minus="b")
    row = found.iloc[0]
    assert (row["arm"], row["minus"], row["n"]) == ("a", "b", 4)
    expected = stats.ttest_rel(A, B).confidence_interval(0.95)
    assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))
    unpaired = stats.ttest_ind(A, B).confidence_interval(0.95)
    assert row["half_width"] < (unpaired.high - unpaired.low) / 4, "common random numbers must cancel"


def test_difference_pairs_by_seed_whatever_is_missing(make: Callable[..., Results]) -> None:
    found = make({"ttl_s": [60]}, {(60, "a"): [1.0, None, 5.0, 7.0], (60, "b"): [None, 1.0, 2.0, 3.0]})
    row = found.difference("byte_per_request", "a", minus="b").iloc[0]
    assert (row["n"], row["mean"], row["n_left_out"]) == (2, 3.5, 2)


def test_difference_of_all_arms_at_all_points(sweep: Results) -> None:
    found = sweep.difference("byte_per_request", None, minus="jpeg")
    assert found[["arm", "minus"]].drop_duplicates().to_numpy().tolist() == [
        ["on_demand", "jpeg"],
        ["no_stores", "jpeg"],
    ]
    assert len(found) == 16
    for row in found.itertuples():
        settings = {"ttl_s": None if math.isnan(row.ttl_s) else int(row.ttl_s), "store_byte": int(row.store_byte)}
        steps = [
            keep_or_fetch(settings, row.arm, seed)["byte_per_request"]
            - keep_or_fetch(settings, "jpeg", seed)["byte_per_request"]
            for seed in range(1, 6)
        ]
        assert (row.low, row.high) == pytest.approx(interval(steps))


def test_ratio_of_two_metrics(sweep: Results) -> None:
    found = sweep.ratio("model_byte_per_request", "byte_per_request", by="ttl_s", where={"store_byte": 64000})
    row = found.set_index(["ttl_s", "arm"]).loc[(60, "on_demand")]
    numbers = [keep_or_fetch({"ttl_s": 60, "store_byte": 64000}, "on_demand", seed) for seed in range(1, 6)]
    models, all_ = (np.array([n[k] for n in numbers]) for k in ("model_byte_per_request", "byte_per_request"))
    assert row["ratio"] == pytest.approx(models.mean() / all_.mean())
    for end in (row["low"], row["high"]):  # an end of Fieller's interval is just rejected
        assert stats.ttest_1samp(models - end * all_, 0).pvalue == pytest.approx(0.05, abs=1e-6)
    assert row["n"] == 5


def test_ratio_over_another_arm(make: Callable[..., Results]) -> None:
    found = make({"ttl_s": [60]}, {(60, "a"): A, (60, "b"): B})
    row = found.ratio("byte_per_request", "byte_per_request", arm="a", over="b").iloc[0]
    assert (row["arm"], row["over"], row["n"]) == ("a", "b", 4)
    assert row["ratio"] == sum(A) / sum(B)
    assert row["low"] < row["ratio"] < row["high"]


def test_values_are_in_order_whatever_the_rows_order(sweep: Results) -> None:
    found = sweep.values(["ss_mean", "byte_per_request"], by="ttl_s", arm=["jpeg", "on_demand"])
    assert list(found.columns) == ["ttl_s", "arm", "seed", "ss_mean", "byte_per_request"]
    assert found["arm"].iloc[:10].to_list() == ["on_demand"] * 5 + ["jpeg"] * 5
    assert found["ttl_s"].drop_duplicates().to_list()[:3] == [60, 600, 3600]
    assert found["ttl_s"].tail(10).isna().all()


def test_words_stand_in_the_order_of_the_sweep(make: Callable[..., Results]) -> None:
    axes = {"policy": ["lru", "gdsf", "fifo"]}
    found = make(axes, {(policy, "a"): A for policy in axes["policy"]}).mean("byte_per_request")
    assert found["policy"].to_list() == ["lru", "gdsf", "fifo"]


def test_where_and_source_types(sweep: Results) -> None:
    found = sweep.mean("ss_mean", where={"ttl_s": [None, 60], "store_byte": 64000}, source_type=None, arm="jpeg")
    assert found["source_type"].to_list() == ["all", "digits", "clothes"] * 2
    assert found["ttl_s"].isna().to_list() == [False] * 3 + [True] * 3
    assert set(found["store_byte"]) == {64000}
    assert sweep.mean("ss_mean", source_type="digits", where={"seed": 1})["n"].eq(1).all()


def test_unknown_names_are_refused_with_the_allowed_ones(sweep: Results) -> None:
    with pytest.raises(UnknownName, match=r"unknown metric: got 'ss'.*Allowed: .*ss_mean"):
        sweep.mean("ss")
    with pytest.raises(UnknownName, match="unknown metric: got 'fidelity'"):
        sweep.mean("fidelity")
    with pytest.raises(UnknownName, match=r"unknown axis: got 'ttl'; did you mean 'ttl_s'\?"):
        sweep.mean("ss_mean", by="ttl")
    with pytest.raises(UnknownName, match=r"unknown arm: got 'jpg'; did you mean 'jpeg'\?"):
        sweep.difference("ss_mean", "on_demand", minus="jpg")
    with pytest.raises(UnknownName, match="unknown source type: got 'cats'"):
        sweep.mean("ss_mean", source_type="cats")
    with pytest.raises(UnknownName, match="unknown column in where: got 'arm'"):
        sweep.mean("ss_mean", where={"arm": "jpeg"})
    with pytest.raises(ResultsError, match=r"got ttl_s = 61; no run has it\. Allowed: 60, 600, 3600, null$"):
        sweep.mean("ss_mean", where={"ttl_s": 61})
    with pytest.raises(ResultsError, match=r"got ttl_s = 3500; no run has it"):
        sweep.mean("ss_mean", where={"ttl_s": [60, 3500]})
    assert sweep.mean("ss_mean", where={"replication": range(9)})["n"].eq(5).all(), "ids may be given by a range"


def test_front_of_means(sweep: Results) -> None:
    found = sweep.front("byte_per_request", "ss_mean", by="ttl_s", where={"store_byte": 64000})
    means = sweep.mean("byte_per_request", by="ttl_s", where={"store_byte": 64000})
    assert sorted(found["byte_per_request"]) == pytest.approx(sorted(means["mean"]))
    assert found["byte_per_request"].is_monotonic_increasing
    assert found["n"].eq(5).all()
    assert (found["ss_mean_low"] < found["ss_mean"]).all() and (found["ss_mean"] < found["ss_mean_high"]).all()
    assert found.query("arm == 'no_stores'")["dominated"].all()


def test_front_names_a_point_without_a_value(make: Callable[..., Results]) -> None:
    found = make({"ttl_s": [60, None]}, {(60, "a"): A, (None, "a"): [None] * 4})
    with pytest.raises(ResultsError, match="front: got no byte_per_request at ttl_s ∞, arm a; leave it out with where"):
        found.front("byte_per_request", "byte_per_request")


def test_hypervolume_is_the_mean_over_replications(make: Callable[..., Results]) -> None:
    """With cost = gain = y, a replication's area is that of nested squares cut at the reference, done by hand."""
    found = make({"ttl_s": [60, 600]}, {(60, "a"): [1.0, 2.0, None], (600, "a"): [3.0, 5.5, 4.0]})
    row = found.hypervolume("byte_per_request", "byte_per_request", reference=(6.0, 0.0)).iloc[0]
    areas = [1.0 * (3 - 1) + 3.0 * (6 - 3), 2.0 * (5.5 - 2) + 5.5 * (6 - 5.5)]
    assert (row["n"], row["n_left_out"], row["mean"]) == (2, 1, np.mean(areas))
    assert (row["low"], row["high"]) == pytest.approx(interval(areas))


def test_table_says_n_and_interval(make: Callable[..., Results]) -> None:
    found = make({"ttl_s": [60, None]}, {(60, "a"): A, (None, "a"): [1.0, None, None, None]})
    lines = found.table("byte_per_request").splitlines()
    assert lines[0] == "| TTL (s) | arm | traffic per request (B) |"
    assert lines[2] == "| 60 | a | 5 ± 3 (n = 4) |"
    assert lines[3] == "| ∞ | a | 1 (n = 1, no interval) |"
    assert round(interval(A)[1] - 5) == 3


@pytest.mark.parametrize("axis", ["a", "b", "top", "bottom", "n_points", "class", "_x"])
def test_an_axis_may_have_any_name_that_no_answer_has(make: Callable[..., Results], axis: str) -> None:
    found = make({axis: [1, 2]}, {(1, "a"): A, (2, "a"): A, (1, "b"): B, (2, "b"): B})
    traffic = "byte_per_request"
    frames = [found.mean(traffic, arm="a"), found.ratio(traffic, traffic, arm="a"), found.difference(traffic, "a", "b")]
    assert [frame[axis].to_list() for frame in frames] == [[1, 2]] * 3
    assert figures.lines(found, axis, traffic, arm="a").get_xlabel() == label(axis)


def test_no_answer_adds_a_column_that_axes_may_be_called(make: Callable[..., Results]) -> None:
    found = make({"ttl_s": [1, 2]}, {(1, "a"): A, (2, "a"): A, (1, "b"): B, (2, "b"): B})
    traffic = "byte_per_request"
    frames = [found.mean(traffic), found.ratio(traffic, traffic, over="b"), found.difference(traffic, "a", "b")]
    added = {column for frame in frames for column in frame}
    added |= {column for column in found.front(traffic, traffic) if not column.startswith(traffic)}
    assert added - {"ttl_s", "arm"} == set(ANALYSIS)


@pytest.mark.parametrize("axis", ["n", "mean", "low", "dominated", "minus"])
def test_an_axis_whose_values_an_answer_would_overwrite_is_refused(make: Callable[..., Results], axis: str) -> None:
    with pytest.raises(ResultsError, match=rf"axes called {axis}, as columns of means.*under 'columns'"):
        make({axis: [1, 2]}, {(1, "a"): A, (2, "a"): B})


def test_frames_are_plain_pandas(sweep: Results) -> None:
    assert isinstance(sweep.mean("ss_mean").query("arm == 'jpeg'"), pd.DataFrame)


def test_what_is_no_question_is_refused_in_words(sweep: Results) -> None:
    with pytest.raises(ResultsError, match="where: got 'ttl_s==60'; allowed a dict of axis column to a value"):
        sweep.mean("ss_mean", where="ttl_s==60")  # type: ignore[arg-type]
    two: Any = ["ss_mean", "satisfied"]
    for ask in (
        lambda: sweep.mean(two),
        lambda: sweep.ratio(two, "ss_mean"),
        lambda: sweep.difference(two, None, "jpeg"),
        lambda: sweep.front(two, "ss_mean"),
        lambda: sweep.hypervolume(two, "ss_mean", (600, 0.9)),
    ):
        with pytest.raises(
            ResultsError, match=r"metric: got \['ss_mean', 'satisfied'\]; allowed the name of one metric"
        ):
            ask()
    with pytest.raises(ResultsError, match="arm: got 5; allowed None for all, or names of on_demand"):
        sweep.mean("ss_mean", arm=5)  # type: ignore[arg-type]
    with pytest.raises(ResultsError, match="by: got 5; allowed None for all axes, or names of ttl_s, store_byte"):
        sweep.mean("ss_mean", by=5)  # type: ignore[arg-type]
    with pytest.raises(ResultsError, match="hypervolume: got reference 100; allowed a pair"):
        sweep.hypervolume("byte_per_request", "ss_mean", reference=100)  # type: ignore[arg-type]
    with pytest.raises(ResultsError, match="values: got no metric"):
        sweep.values([])


def test_a_choice_of_nothing_is_refused(sweep: Results) -> None:
    with pytest.raises(ResultsError, match="arm: got an empty list; allowed None for all, or some of on_demand, no_s"):
        sweep.mean("ss_mean", arm=[])
    with pytest.raises(ResultsError, match="source type: got an empty list; allowed None for all, or some of all, dig"):
        sweep.mean("ss_mean", source_type=[])


def test_an_arm_is_not_compared_with_itself(sweep: Results) -> None:
    for arms in ("jpeg", ["on_demand", "jpeg"]):
        with pytest.raises(ResultsError, match="difference: got 'jpeg' as arm and as minus; allowed others"):
            sweep.difference("ss_mean", arms, minus="jpeg")


def test_energy_is_not_asked_of_one_source_type(make: Callable[..., Results], sweep: Results) -> None:
    with pytest.raises(ResultsError, match="tx_j: got source type digits; allowed 'all' only"):
        sweep.mean("tx_j", source_type="digits")
    assert sweep.mean("tx_j")["n"].eq(0).all(), "of all together it may be asked"
    assert len(sweep.values(["tx_j", "ss_mean"], source_type=["all", "digits"])) == 240
