"""Fieller's interval: coverage, and what it says when the denominator may be 0."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simnet.statistics.ratio import ratio_of_means


@pytest.mark.parametrize("spread", [0.5, 3.0])
def test_covers_as_often_as_it_says_where_bounded(spread: float) -> None:
    rng = np.random.default_rng(1)
    trials, covered = 3000, 0
    for _ in range(trials):
        shared = rng.normal(0, spread, 6)
        found = ratio_of_means(60 + rng.normal(0, spread, 6) + shared, 20 + shared)
        assert found.low is not None and found.high is not None
        covered += found.low <= 3 <= found.high
    assert abs(covered / trials - 0.95) < 4 * math.sqrt(0.95 * 0.05 / trials)


def test_a_constant_denominator_leaves_the_interval_of_a_mean() -> None:
    from simnet.statistics.replications import student_t

    a = [1.0, 2.0, 4.0]
    found, mean = ratio_of_means(a, [2.0] * 3), student_t(a)
    assert mean.low is not None and mean.high is not None
    assert (found.value, found.low, found.high) == pytest.approx((7 / 6, mean.low / 2, mean.high / 2))


def test_a_denominator_that_may_be_zero_leaves_it_without_bound() -> None:
    found = ratio_of_means([100.0, 101, 99, 100], [1.0, -1, 2, 0])
    assert found.high == math.inf
    assert found.low is not None and 0 < found.low < found.value == 200.0


def test_two_means_that_may_both_be_zero_say_nothing() -> None:
    found = ratio_of_means([1.0, -1.5, 0.1], [0.5, 1, -1.4])
    assert (found.low, found.high) == (-math.inf, math.inf)


def test_one_replication_has_a_ratio_and_no_interval() -> None:
    assert (ratio_of_means([6.0], [2.0]).value, ratio_of_means([6.0], [2.0]).low) == (3.0, None)
    assert ratio_of_means([6.0], [0.0]).value == math.inf


def test_unequal_lists_are_refused() -> None:
    with pytest.raises(ValueError, match="two lists"):
        ratio_of_means([1.0, 2.0], [1.0])
