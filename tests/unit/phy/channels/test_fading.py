"""Fading gains: draws, time, Doppler; their distributions are checked in tests/oracle/test_phy_fading.py."""

from __future__ import annotations

import cmath
import math

import numpy as np
import pytest
from scipy.special import j0

from simnet.core.errors import SimnetError
from simnet.core.streams import generator
from simnet.phy.channels.clarke import ClarkeProcess
from simnet.phy.channels.doppler import coherence_time_s, maximum_doppler_hz, speed_m_per_s
from simnet.phy.channels.fading import rayleigh_gains, rician_gains


def test_block_fading_is_constant_and_fast_fading_is_not() -> None:
    block = rayleigh_gains(50, "block", rng=generator(1, "block"))
    fast = rayleigh_gains(50, "fast", rng=generator(1, "fast"))
    assert block.shape == fast.shape == (50,)
    assert block.dtype == fast.dtype == np.complex64
    assert len(set(block.tolist())) == 1
    assert len(set(fast.tolist())) == 50


def test_a_longer_block_begins_as_the_shorter_one() -> None:
    for fading in ("block", "fast"):
        short = rayleigh_gains(10, fading, rng=generator(1, fading))  # type: ignore[arg-type]
        long = rayleigh_gains(99, fading, rng=generator(1, fading))  # type: ignore[arg-type]
        assert np.array_equal(short, long[:10])


def test_fast_gains_have_unit_power_in_equal_halves_and_are_white() -> None:
    n = 400_000
    gains = rayleigh_gains(n, "fast", rng=generator(1, "white")).astype(np.complex128)
    # Standard errors: of E|h|² √(1/n), of each half √(1/2n), of the correlations √(1/2n) and √(1/n).
    assert abs(np.mean(np.abs(gains) ** 2) - 1) < 4 * math.sqrt(1 / n)
    assert abs(np.mean(gains.real**2) - 0.5) < 4 * math.sqrt(0.5 / n)
    assert abs(np.mean(gains.real * gains.imag)) < 4 * math.sqrt(0.25 / n)
    assert abs(np.mean(gains[1:] * gains[:-1].conj())) < 4 * math.sqrt(1 / n)


def test_a_strong_line_of_sight_is_all_there_is() -> None:
    gains = rician_gains(1000, "fast", k_factor_db=80.0, los_phase_rad=0.7, rng=generator(1, "los"))
    assert np.abs(gains - cmath.exp(0.7j)).max() < 1e-3


def test_a_weak_line_of_sight_leaves_rayleigh_fading() -> None:
    rician = rician_gains(1000, "fast", k_factor_db=-80.0, rng=generator(1, "weak"))
    rayleigh = rayleigh_gains(1000, "fast", rng=generator(1, "weak"))
    assert np.abs(rician - rayleigh).max() < 2e-4


def test_what_is_not_allowed() -> None:
    rng = generator(1, "errors")
    with pytest.raises(SimnetError, match=r"unknown fading: got 'slow'\. Allowed: block, fast"):
        rayleigh_gains(3, "slow", rng=rng)  # type: ignore[arg-type]
    with pytest.raises(SimnetError, match=r"K factor: got inf dB; allowed any finite value"):
        rician_gains(3, "block", k_factor_db=math.inf, rng=rng)
    with pytest.raises(SimnetError, match=r"Doppler shift: got -1\.0 Hz; allowed 0"):
        ClarkeProcess.draw(-1.0, rng=rng)
    with pytest.raises(SimnetError, match=r"waves of a Clarke process: got 4; allowed 8 or more"):
        ClarkeProcess.draw(1.0, rng=rng, n_waves=4)


def test_a_process_answers_for_any_time_in_any_order() -> None:
    times_s = generator(1, "times").uniform(-10.0, 1e5, 30)
    at_once = ClarkeProcess.draw(80.0, rng=generator(1, "link", "fading")).gains(times_s)
    again = ClarkeProcess.draw(80.0, rng=generator(1, "link", "fading"))
    one_by_one = [complex(again.gains(time_s)) for time_s in times_s[::-1]]
    np.testing.assert_allclose(one_by_one[::-1], at_once, rtol=0, atol=1e-12)
    other = ClarkeProcess.draw(80.0, rng=generator(1, "other link", "fading")).gains(times_s)
    assert np.abs(other - at_once).min() > 1e-3


def test_shapes_and_many_times() -> None:
    process = ClarkeProcess.draw(10.0, rng=generator(1, "shapes"), shape=(3, 2), n_waves=8)
    assert process.gains(0.5).shape == (3, 2)
    assert process.gains(np.zeros((4, 5))).shape == (3, 2, 4, 5)
    assert process.gains(np.zeros(0)).shape == (3, 2, 0)
    many = process.gains(np.arange(9000) * 1e-3)
    np.testing.assert_allclose(many[..., 8999], process.gains(8.999), rtol=0, atol=1e-12)


def test_each_process_has_unit_power_over_time() -> None:
    doppler_hz, n_processes, n_times = 100.0, 20, 20_000
    process = ClarkeProcess.draw(doppler_hz, rng=generator(1, "ergodic"), shape=(n_processes,))
    # Uniform times over many coherence times, so that the samples of one process are nearly independent.
    power = np.abs(process.gains(generator(1, "when").uniform(0, 1000.0, n_times))) ** 2
    assert np.abs(power.mean(1) - 1).max() < 4.5 / math.sqrt(n_times)


def test_without_movement_nothing_changes() -> None:
    gains = ClarkeProcess.draw(0.0, rng=generator(1, "still")).gains([0.0, 1.0, 1e6])
    assert np.ptp(np.abs(gains - gains[0])) < 1e-12


def test_doppler_and_speed() -> None:
    assert maximum_doppler_hz(30.0, 2e9) == pytest.approx(200.138, abs=1e-3)
    assert speed_m_per_s(maximum_doppler_hz(3.0, 3.5e9), 3.5e9) == pytest.approx(3.0)


def test_the_autocorrelation_is_one_half_at_the_coherence_time() -> None:
    assert j0(2 * math.pi * 70.0 * coherence_time_s(70.0)) == pytest.approx(0.5, abs=1e-12)
    assert coherence_time_s(1.0) == pytest.approx(0.2421, abs=1e-4)
    assert coherence_time_s(0.0) == math.inf
