"""Intervals of replications against tables, by simulated coverage, and against the definition."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simnet.statistics.replications import enough, paired, replications_needed, student_t

T_975 = {1: 12.706, 2: 4.303, 4: 2.776, 9: 2.262, 30: 2.042}
"""Student's t, 97.5 %, by degrees of freedom: printed tables."""
R = 4000


def coverage_error(nominal: float) -> float:
    """Standard error of a coverage that was counted in R trials."""
    return math.sqrt(nominal * (1 - nominal) / R)


@pytest.mark.parametrize("df", sorted(T_975))
def test_half_width_is_that_of_the_printed_table(df: int) -> None:
    values = np.arange(df + 1.0)
    n = df + 1
    deviation = math.sqrt(n * (n + 1) / 12)  # of 0 … n−1, divided by n − 1
    found = student_t(values)
    assert (found.value, found.n) == (df / 2, n)
    assert found.half_width == pytest.approx(T_975[df] * deviation / math.sqrt(n), rel=2e-4)  # table's last digit


@pytest.mark.parametrize("confidence", [0.8, 0.95])
@pytest.mark.parametrize("n", [2, 5, 20])
def test_the_interval_covers_as_often_as_it_says(n: int, confidence: float) -> None:
    rng = np.random.default_rng(n)
    covered = sum(not student_t(rng.normal(3, 2, n), confidence).excludes(3) for _ in range(R))
    assert abs(covered / R - confidence) < 4 * coverage_error(confidence)


def test_one_replication_has_no_interval_and_none_no_value() -> None:
    assert (student_t([0.7]).value, student_t([0.7]).half_width) == (0.7, None)
    assert (student_t([]).value, student_t([]).n) == (None, 0)


@pytest.mark.parametrize(("value", "n"), [(0.1, 3), (0.7, 7), (1e-9, 10)])
def test_equal_values_have_no_spread(value: float, n: int) -> None:
    found = student_t([value] * n)
    assert (found.value, found.half_width, found.n) == (value, 0.0, n)


def test_what_is_no_list_of_numbers_is_refused() -> None:
    with pytest.raises(ValueError, match="leave out replications without a value"):
        student_t([1.0, math.nan])
    with pytest.raises(ValueError, match="allowed between 0 and 1"):
        student_t([1.0, 2.0], confidence=95)
    with pytest.raises(ValueError, match="got 2 and 3 values"):
        paired([1, 2], [1, 2, 3])


def test_common_random_numbers_cancel() -> None:
    rng = np.random.default_rng(8)
    shared, own = rng.normal(0, 10, 8), rng.normal(0, 0.1, 8)
    found = paired(shared + 0.5 + own, shared)
    assert found.half_width == pytest.approx(student_t(own).half_width)
    assert found.value == pytest.approx(0.5 + own.mean())


@pytest.mark.parametrize("correlation", [-0.5, 0.0, 0.9])
def test_paired_differences_cover_whatever_the_correlation(correlation: float) -> None:
    rng = np.random.default_rng(9)
    pairs = rng.multivariate_normal([1.0, 0.0], [[1, correlation], [correlation, 1]], size=(R, 6))
    covered = sum(not paired(a, b).excludes(1.0) for a, b in zip(pairs[..., 0], pairs[..., 1], strict=True))
    assert abs(covered / R - 0.95) < 4 * coverage_error(0.95)


@pytest.mark.parametrize(("half_width", "least"), [(5.0, 3), (0.9, 3), (0.3, 3), (0.3, 60), (0.05, 3)])
def test_needed_is_the_first_number_that_suffices(half_width: float, least: int) -> None:
    """Brute force, and the deviation alone: a list whose mean is 0 and whose variance is that of the sample."""
    from scipy.special import stdtrit

    values = np.array([1.0, 2.0, 4.0, 1.5, 2.5])
    s = math.sqrt(sum((v - 2.2) ** 2 for v in values) / 4)
    i = max(5, least)
    while stdtrit(i - 1, 0.975) * s / math.sqrt(i) > half_width:
        i += 1
    assert replications_needed(values, half_width, least=least) == i


def test_enough_agrees_with_needed_and_heeds_the_least() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        values = rng.normal(size=rng.integers(3, 30))
        assert enough(values, 0.5) == (replications_needed(values, 0.5) == len(values))
    assert not enough([1.0, 1.0], 0.1)
    assert enough([1.0, 1.0, 1.0], 0.1)
    assert not enough([1.0, 1.0, 1.0], 0.1, least=4)


def test_no_precision_and_no_variance_are_refused() -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        enough([1, 2, 3], 0.0)
    with pytest.raises(ValueError, match="at least 2"):
        replications_needed([1.0], 0.1)
