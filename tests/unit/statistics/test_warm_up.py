"""MSER-5 on transients whose length is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simnet.statistics.warm_up import mser5, unsettled
from tests.support.queue import waits_s


def brute_force(series: list[float]) -> int:
    """The definition, written as it is printed."""
    y = [sum(series[i : i + 5]) / 5 for i in range(0, len(series) - 4, 5)]
    best, chosen = math.inf, 0
    for d in range(len(y) // 2 + 1):
        tail = y[d:]
        mean = sum(tail) / len(tail)
        statistic = sum((v - mean) ** 2 for v in tail) / len(tail) ** 2
        if statistic < best:
            best, chosen = statistic, d
    return 5 * chosen


@pytest.mark.parametrize("n", [10, 23, 61, 400])
def test_is_the_printed_definition(n: int) -> None:
    rng = np.random.default_rng(n)
    for _ in range(20):
        series = rng.normal(size=n) + 5 * np.exp(-np.arange(n) / 20)
        assert mser5(series) == brute_force(list(series))


def test_a_step_is_cut_exactly() -> None:
    assert mser5([9.0] * 40 + [1.0, 2.0, 3.0, 4.0, 5.0] * 20) == 40
    assert mser5([1.0] * 100) == 0


def test_an_exponential_transient_is_cut_where_its_bias_no_longer_pays() -> None:
    """The best truncation of the expected statistic, from bias and variance alone."""
    n, tau, height, trials = 1000, 40.0, 4.0, 300
    bias = height * np.exp(-(np.arange(n).reshape(-1, 5)).mean(axis=1) / tau)
    expected = [
        ((m := len(bias) - d) - 1) / 5 / m**2 + ((bias[d:] - bias[d:].mean()) ** 2).sum() / m**2
        for d in range(len(bias) // 2 + 1)
    ]
    best = 5 * int(np.argmin(expected))
    rng = np.random.default_rng(4)
    transient = height * np.exp(-np.arange(n) / tau)
    found = [mser5(transient + rng.normal(size=n)) for _ in range(trials)]
    # a minimum is flat, and its place scatters to both sides: the median is within its own error
    error = 1.2533 * np.std(found, ddof=1) / math.sqrt(trials)
    assert 0 < error < best / 10
    assert abs(np.median(found) - best) < 4 * error


def test_a_queue_that_starts_full_is_cut_after_it_has_drained() -> None:
    """M/M/1 with 100 s of work before it: it loses 1/λ − 1/μ of it with each customer, and so is empty after 400."""
    load, backlog_s, trials = 0.8, 100.0, 150
    drained = backlog_s / (1 / load - 1)
    mean_s = load / (1 - load)
    rng = np.random.default_rng(5)
    whole, cut, found = [], [], []
    for _ in range(trials):
        w = waits_s(load, 4000, rng=rng, backlog_s=backlog_s)
        first = mser5(w)
        found.append(first)
        whole.append(w.mean() - mean_s)
        cut.append(w[first:].mean() - mean_s)
    # the backlog runs out after `drained` customers with deviation √(backlog·(1 + 1/load²)/(1/load − 1)³)
    scatter = math.sqrt(backlog_s * (1 + 1 / load**2) / (1 / load - 1) ** 3)
    assert abs(np.median(found) - drained) < scatter
    # a tenth of the bias is left, or less
    assert np.mean(whole) > 4
    assert abs(np.mean(cut)) + 4 * np.std(cut) / math.sqrt(trials) < np.mean(whole) / 10


def test_a_queue_that_starts_empty_needs_no_cut() -> None:
    """Its transient is short beside its fluctuations; MSER mostly keeps everything."""
    rng = np.random.default_rng(6)
    found = [mser5(waits_s(0.8, 2000, rng=rng)) for _ in range(100)]
    assert np.median(found) == 0


def test_a_series_that_is_still_falling_is_unsettled() -> None:
    assert unsettled(np.linspace(10, 0, 200))
    assert not unsettled(np.random.default_rng(7).normal(size=500))


@pytest.mark.parametrize("series", [[1.0] * 9, [1.0] * 20 + [math.nan], [[1.0] * 20]])
def test_too_little_is_refused(series: list[float]) -> None:
    with pytest.raises(ValueError, match=r"mser5: got .* at least 10 finite numbers"):
        mser5(series)
