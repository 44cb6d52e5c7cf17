"""Intervals over clusters."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from simnet.report import statistics
from simnet.tasks.similarity import ss_population


def test_a_rate_of_nothing_has_no_value() -> None:
    assert statistics.rate(0, 0) == {"value": None, "low": None, "high": None, "hits": 0, "n": 0}


def test_mean_of_independent_values_is_the_classical_interval() -> None:
    values = np.random.default_rng(1).normal(5, 2, 500)
    found = statistics.mean(values, np.arange(500))
    half = stats.t.ppf(0.975, 499) * values.std(ddof=1) / np.sqrt(500)
    assert found["value"] == pytest.approx(values.mean())
    assert found["high"] - found["value"] == pytest.approx(half)


@pytest.mark.parametrize("n_clusters", [2, 3, 5, 10])
def test_intervals_of_few_clusters_hold_what_they_claim(n_clusters: int) -> None:
    """Of 2,000 samples with a normal effect per cluster 95 % hold the true mean, within four standard errors."""
    rng, n = np.random.default_rng(n_clusters), 2000
    clusters = np.repeat(np.arange(n_clusters), 4)
    effects = rng.normal(size=(n, n_clusters))[:, clusters] + 0.5 * rng.normal(size=(n, 4 * n_clusters))
    found = [statistics.mean(values, clusters) for values in effects]
    covered = np.mean([each["low"] <= 0.0 <= each["high"] for each in found])
    assert abs(covered - 0.95) < 4 * (0.95 * 0.05 / n) ** 0.5


def test_a_bootstrap_of_few_items_claims_nothing() -> None:
    ones, rng = np.ones(90, bool), np.random.default_rng(1)
    few, enough = (statistics.ss_population(ones, ones, np.arange(90) % k, rng=rng) for k in (9, 10))
    assert (few["value"], few["low"], few["high"], few["items"]) == (1.0, None, None, 9)
    assert (enough["low"], enough["high"]) == (1.0, 1.0)


def test_copies_within_a_cluster_add_no_certainty() -> None:
    values = np.random.default_rng(2).normal(5, 2, 50)
    alone = statistics.mean(values, np.arange(50))
    copied = statistics.mean(np.repeat(values, 10), np.repeat(np.arange(50), 10))
    assert (copied["low"], copied["high"]) == (pytest.approx(alone["low"]), pytest.approx(alone["high"]))


def test_one_cluster_has_no_interval() -> None:
    assert statistics.mean([1.0, 2.0], ["a", "a"]) == {"value": 1.5, "low": None, "high": None, "n": 2}


def test_ss_of_single_items_agrees_with_the_tasks_function() -> None:
    rng = np.random.default_rng(3)
    original = rng.uniform(size=400) < 0.97
    recovered = original & (rng.uniform(size=400) < 0.9)
    ours = statistics.ss_population(original, recovered, np.arange(400), rng=np.random.default_rng(4))
    theirs = ss_population(original, recovered, rng=np.random.default_rng(5))
    assert ours["value"] == theirs.value
    # percentiles of 1000 and 2000 resamples: standard error of a 2.5 % quantile is about 2.7 σ/√R
    sigma = (theirs.high - theirs.low) / 3.92
    for mine, other in ((ours["low"], theirs.low), (ours["high"], theirs.high)):
        assert abs(mine - other) < 4 * 2.7 * sigma * (1 / 1000 + 1 / 2000) ** 0.5


def test_repeated_items_widen_the_interval_of_ss() -> None:
    rng = np.random.default_rng(6)
    recovered = rng.uniform(size=40) < 0.8
    original, items = np.ones(40, bool), np.arange(40)
    once = statistics.ss_population(original, recovered, items, rng=np.random.default_rng(7))
    many = statistics.ss_population(
        np.repeat(original, 25), np.repeat(recovered, 25), np.repeat(items, 25), rng=np.random.default_rng(7)
    )
    assert (many["low"], many["high"], many["items"], many["n"]) == (once["low"], once["high"], 40, 1000)


def test_ss_of_unrecognised_originals_is_undefined() -> None:
    nothing = np.zeros(3, bool)
    found = statistics.ss_population(nothing, nothing, np.arange(3), rng=np.random.default_rng(8))
    assert found["value"] is None and found["n"] == 3


def test_intervals_of_two_clusterings_hold_what_they_claim() -> None:
    """Each case has the effect of its item and that of its consumer: of 2,000 samples about 95 % hold the true mean."""
    rng, n, n_item, n_consumer = np.random.default_rng(9), 2000, 40, 30
    items, consumers = rng.integers(n_item, size=600), rng.integers(n_consumer, size=600)
    covered, covered_by_one = 0, 0
    for _ in range(n):
        of_item, of_consumer = rng.normal(size=n_item), rng.normal(size=n_consumer)
        values = of_item[items] + of_consumer[consumers] + rng.normal(size=600)
        found = statistics.mean(values, consumers, items)
        alone = statistics.mean(values, consumers)
        covered += found["low"] <= 0.0 <= found["high"]
        covered_by_one += alone["low"] <= 0.0 <= alone["high"]
    assert covered_by_one / n < 0.9 < 0.93 < covered / n < 0.975


def test_a_second_clustering_of_single_cases_changes_nothing() -> None:
    values, items = np.random.default_rng(10).normal(size=90), np.repeat(np.arange(30), 3)
    one, two = statistics.mean(values, items), statistics.mean(values, items, np.arange(90))
    assert (two["low"], two["high"]) == (pytest.approx(one["low"]), pytest.approx(one["high"]))


def test_a_share_of_independent_cases_has_wilsons_interval() -> None:
    hits = np.arange(1000) < 300
    found, plain = statistics.share(hits, np.arange(1000)), statistics.rate(300, 1000)
    assert found == plain | {end: pytest.approx(plain[end], abs=1e-3) for end in ("low", "high")}


def test_a_share_of_copies_is_as_sure_as_that_of_the_originals() -> None:
    hits = np.arange(50) < 20
    once, copied = (statistics.share(np.repeat(hits, k), np.repeat(np.arange(50), k)) for k in (1, 12))
    assert (copied["low"], copied["high"]) == (pytest.approx(once["low"]), pytest.approx(once["high"]))
    assert (copied["hits"], copied["n"]) == (240, 600)


def test_a_share_of_all_is_as_sure_as_its_clusters_are_many() -> None:
    found = statistics.share(np.ones(500, bool), np.arange(500) % 8, np.arange(500))
    assert (found["low"], found["high"]) == (statistics.rate(8, 8)["low"], 1.0)
