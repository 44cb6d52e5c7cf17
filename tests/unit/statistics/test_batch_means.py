"""Coverage on series whose mean is known, and the test that lets batches grow."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import lfilter

from simnet.statistics.batch_means import batch_means, correlation_p
from simnet.statistics.replications import student_t
from tests.support.queue import waits_s

R = 500
ERROR = math.sqrt(0.95 * 0.05 / R)


def autoregressive(phi: float, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Mean 3; starts in equilibrium."""
    noise = rng.normal(size=n)
    noise[0] /= math.sqrt(1 - phi**2)
    series: NDArray[np.float64] = 3 + lfilter([1], [1, -phi], noise)
    return series


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9])
def test_covers_the_mean_of_an_autoregressive_series(phi: float) -> None:
    rng = np.random.default_rng(1)
    found = [batch_means(autoregressive(phi, 10_000, rng)) for _ in range(R)]
    known = [i for i in found if i.half_width is not None]
    assert len(known) > 0.95 * R
    assert sum(not i.excludes(3) for i in known) / len(known) > 0.95 - 4 * ERROR
    # and is not merely wide: Var(mean) = σ²/(n(1 − φ)²); Student's t of eight batches is 1.2 times the normal's 1.96
    exact = 1.96 / (1 - phi) / math.sqrt(10_000)
    assert exact * 0.9 < np.mean([i.half_width for i in known if i.half_width]) < exact * 1.25


@pytest.mark.parametrize(("load", "n"), [(0.5, 20_000), (0.8, 60_000)])
def test_covers_the_mean_wait_of_a_queue(load: float, n: int) -> None:
    rng = np.random.default_rng(2)
    warm_up = n // 10
    found = [batch_means(waits_s(load, n + warm_up, rng=rng)[warm_up:]) for _ in range(R)]
    known = [i for i in found if i.half_width is not None]
    assert len(known) > 0.95 * R
    assert sum(not i.excludes(load / (1 - load)) for i in known) / len(known) > 0.95 - 4 * ERROR


def test_taken_as_independent_the_same_queue_would_not_be_covered() -> None:
    rng = np.random.default_rng(2)
    covered = sum(not student_t(waits_s(0.8, 20_000, rng=rng)[2000:]).excludes(4) for _ in range(100))
    assert covered / 100 < 0.5


def test_too_short_a_run_gets_a_mean_but_no_interval() -> None:
    series = autoregressive(0.999, 2000, np.random.default_rng(3))
    found = batch_means(series)
    assert found.value == pytest.approx(series.mean())
    assert found.half_width is None


def test_a_number_of_batches_that_was_asked_for_is_used() -> None:
    found = batch_means([99.0, 1, 3, 5, 7, 9, 11], n_batches=3)  # the rest is left out at the front
    by_hand = student_t([2.0, 6.0, 10.0])
    assert (found.value, found.half_width, found.n) == (6.0, by_hand.half_width, 3)


def test_p_of_independent_values_is_uniform_and_of_correlated_ones_small() -> None:
    rng = np.random.default_rng(4)
    p = np.array([correlation_p(rng.normal(size=64)) for _ in range(2000)])
    for level in (0.1, 0.5, 0.9):
        assert abs((p < level).mean() - level) < 4 * math.sqrt(level * (1 - level) / 2000)
    assert correlation_p(autoregressive(0.8, 200, rng)) < 1e-6
    assert correlation_p([1.0] * 5) == 1.0


@pytest.mark.parametrize(("n", "n_batches"), [(31, None), (5, 6), (100, 1)])
def test_what_cannot_be_batched_is_refused(n: int, n_batches: int | None) -> None:
    with pytest.raises(ValueError, match=r"batch_means: got .* allowed"):
        batch_means(np.zeros(n), n_batches)
