"""SS and recognition rates against closed forms and a brute-force twin."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simnet.tasks.similarity import recognition_rate, ss_population


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_recognition_rate_counts() -> None:
    rate = recognition_rate(np.array([True, False, True, True]))
    assert (rate.n_hits, rate.n, rate.value) == (3, 4, 0.75)


def test_ss_population_is_the_ratio_of_the_rates() -> None:
    original = np.array([True] * 8 + [False] * 2)
    recovered = np.array([True] * 5 + [False] * 4 + [True])
    ss = ss_population(original, recovered, rng=rng())
    assert (ss.n_original, ss.n_recovered, ss.n) == (8, 6, 10)
    assert ss.value == 0.75
    assert ss.low < ss.value < ss.high


def test_lossless_recovery_gives_exactly_one() -> None:
    original = np.arange(100) % 10 != 0
    ss = ss_population(original, original, rng=rng())
    assert (ss.value, ss.low, ss.high) == (1.0, 1.0, 1.0)


def test_bootstrap_agrees_with_resampling_of_items() -> None:
    """The multinomial shortcut against drawing item numbers, within the quantiles' sampling error."""
    draw = rng()
    n, n_resamples = 400, 4000
    original = draw.random(n) < 0.9
    recovered = np.where(original, draw.random(n) < 0.85, draw.random(n) < 0.1)
    picked = draw.integers(n, size=(n_resamples, n))
    ratios = recovered[picked].sum(axis=1) / original[picked].sum(axis=1)
    ss = ss_population(original, recovered, rng=draw, n_resamples=n_resamples)
    # sd of a 2.5 % quantile of m normal draws: sqrt(0.025 · 0.975 / m) / density there, 0.0584/sd
    error = ratios.std() * math.sqrt(0.025 * 0.975 / n_resamples) / 0.0584 * math.sqrt(2)
    assert ss.low == pytest.approx(np.quantile(ratios, 0.025), abs=4 * error)
    assert ss.high == pytest.approx(np.quantile(ratios, 0.975), abs=4 * error)


def test_same_generator_state_gives_the_same_interval() -> None:
    original, recovered = np.arange(50) < 45, np.arange(50) % 2 == 0
    assert ss_population(original, recovered, rng=rng()) == ss_population(original, recovered, rng=rng())


def test_undefined_ratios() -> None:
    none = np.zeros(3, bool)
    with pytest.raises(ValueError, match="not one of the 3 originals"):
        ss_population(none, none, rng=rng())
    with pytest.raises(ValueError, match="they must be equal"):
        ss_population(none, np.zeros(4, bool), rng=rng())
