"""Fading channels against their closed forms, scipy's distributions and Sionna's tapped delay lines."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import j0

from simnet.core.streams import generator
from simnet.phy.channels import delay_profile
from simnet.phy.channels.clarke import ClarkeProcess
from simnet.phy.channels.delay_profile import PowerDelayProfile
from simnet.phy.channels.fading import rician_gains
from simnet.phy.channels.registry import channel_by_name
from simnet.phy.channels.taps import Taps

FOUR_SIGMA = 2 * stats.norm.sf(4)
"""The p value of a deviation by four standard errors."""
PROFILES = {name: getattr(delay_profile, f"TDL_{name}") for name in "ABCDE"}


# Distributions


@pytest.mark.parametrize("name", ["rayleigh_block", "rayleigh_fast"])
def test_rayleigh_power_is_exponential_and_its_phase_uniform(name: str) -> None:
    model, rng = channel_by_name(name), generator(1, "oracle", name)
    gains = np.array([model.gains(1, rng=rng)[0] for _ in range(20_000)])
    assert stats.kstest(np.abs(gains) ** 2, stats.expon.cdf).pvalue > FOUR_SIGMA
    assert stats.kstest(np.angle(gains), stats.uniform(-math.pi, 2 * math.pi).cdf).pvalue > FOUR_SIGMA


@pytest.mark.parametrize("k_factor_db", [-3.0, 6.0, 12.0])
def test_rician_magnitude_is_that_of_scipy(k_factor_db: float) -> None:
    k_factor = 10 ** (k_factor_db / 10)
    gains = rician_gains(100_000, "fast", k_factor_db=k_factor_db, rng=generator(1, "rice", str(k_factor_db)))
    rice = stats.rice(b=math.sqrt(2 * k_factor), scale=math.sqrt(0.5 / (k_factor + 1)))
    assert rice.moment(2) == pytest.approx(1.0)
    assert stats.kstest(np.abs(gains), rice.cdf).pvalue > FOUR_SIGMA


def test_clarke_power_is_exponential_at_any_time() -> None:
    process = ClarkeProcess.draw(90.0, rng=generator(1, "clarke"), shape=(20_000,))
    assert stats.kstest(np.abs(process.gains(12345.6)) ** 2, stats.expon.cdf).pvalue > FOUR_SIGMA


def test_clarke_fourth_moment_is_that_of_equal_waves() -> None:
    process = ClarkeProcess.draw(90.0, rng=generator(1, "fourth"), shape=(150_000,), n_waves=8)
    fourth = np.abs(process.gains(3.0)) ** 4
    error = fourth.std() / math.sqrt(len(fourth))
    assert abs(fourth.mean() - (2 - 1 / 8)) < 4 * error
    assert 4 * error < 1 / 16


# Correlation in time


@pytest.mark.parametrize("start_s", [0.0, 86_400.0])
def test_clarke_autocorrelation_is_bessels(start_s: float) -> None:
    doppler_hz, n_processes = 120.0, 20_000
    lags_s = np.array([0.0, 0.05, 0.2, 0.38, 0.7, 1.3, 5.0, 30.0]) / doppler_hz
    process = ClarkeProcess.draw(doppler_hz, rng=generator(1, "lags"), shape=(n_processes,))
    gains = process.gains(start_s + lags_s)
    products = gains * gains[:, :1].conj()
    # The real part of J0's estimate, and the imaginary part, which is to vanish.
    error = products.real.std(0) / math.sqrt(n_processes)
    assert np.all(np.abs(products.real.mean(0) - j0(2 * math.pi * doppler_hz * lags_s)) < 4 * error)
    error = products.imag.std(0) / math.sqrt(n_processes)
    assert np.all(np.abs(products.imag.mean(0))[1:] < 4 * error[1:])


def test_clarke_crosses_levels_as_often_as_rice_says() -> None:
    """Upward crossings of |h| = ρ per second: √(2π)·f_D·ρ·exp(−ρ²)."""
    doppler_hz, duration_s, n_processes = 1.0, 40.0, 60
    times_s = np.arange(0, duration_s, 0.01)
    magnitude = np.abs(ClarkeProcess.draw(doppler_hz, rng=generator(1, "rice"), shape=(n_processes,)).gains(times_s))
    for level in (0.5, 1.0, 1.5):
        crossings = ((magnitude[:, :-1] < level) & (magnitude[:, 1:] >= level)).sum(1) / duration_s
        expected = math.sqrt(2 * math.pi) * doppler_hz * level * math.exp(-(level**2))
        error = crossings.std(ddof=1) / math.sqrt(n_processes)
        assert abs(crossings.mean() - expected) < 4 * error
        assert 4 * error < 0.15 * expected


# Tapped delay lines


@pytest.mark.parametrize("doppler_hz", [0.0, 100.0])
@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_taps_have_the_powers_of_the_profile(profile: PowerDelayProfile, doppler_hz: float) -> None:
    n_draws, rng = 4000, generator(1, "tap powers", profile.name)
    taps = [Taps.draw(profile, 1e-7, doppler_hz, rng=rng) for _ in range(n_draws)]
    gains = np.array([each.gains(0.37)[0] for each in taps])
    scattered = 10 ** (np.array(profile.powers_db) / 10)
    total = scattered.sum() + (0.0 if profile.los_power_db is None else 10 ** (profile.los_power_db / 10))
    power = np.abs(gains[:, :-1]) ** 2
    error = power.std(0, ddof=1) / math.sqrt(n_draws)
    assert np.all(np.abs(power.mean(0) - scattered / total) < 4 * error)
    np.testing.assert_allclose(np.abs(gains[:, -1]) ** 2, 1 - scattered.sum() / total, atol=1e-12)
    # Taps fade apart from each other.
    normalised = gains[:, :-1] / np.sqrt(power.mean(0))
    correlation = np.abs(normalised.T @ normalised.conj() / n_draws - np.eye(len(scattered)))
    assert correlation[~np.eye(len(scattered), dtype=bool)].max() < 4.5 / math.sqrt(n_draws)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_frequency_correlation_is_the_profiles_transform(profile: PowerDelayProfile) -> None:
    n_draws, rng = 4000, generator(1, "frequency", profile.name)
    frequencies_hz = np.array([-1.3e6, -1.2e6, -1.0e6, -0.5e6, 0.7e6])
    response = np.array(
        [Taps.draw(profile, 300e-9, 0.0, rng=rng).frequency_response(0.0, frequencies_hz)[0] for _ in range(n_draws)]
    )
    assert_correlates(response, frequencies_hz, profile, 300e-9)


def assert_correlates(
    response: np.ndarray, frequencies_hz: np.ndarray, profile: PowerDelayProfile, rms_delay_spread_s: float
) -> None:
    """E H(f)·H*(f') = Σ p_k·exp(−j2π(f − f')τ_k), for responses [n_draws, N]."""
    products = response * response[:, :1].conj()
    power = 10 ** (np.array([*profile.powers_db, profile.los_power_db or -math.inf]) / 10)
    if profile.los_power_db is None:
        power[-1] = 0.0
    delays_s = np.array([*profile.delays, 0.0]) * rms_delay_spread_s
    phase = np.outer(frequencies_hz - frequencies_hz[0], delays_s)
    expected = np.exp(-2j * math.pi * phase) @ (power / power.sum())
    difference = products.mean(0) - expected
    scale = 4 / math.sqrt(len(products))
    assert np.all(np.abs(difference.real) < scale * products.real.std(0))
    assert np.all(np.abs(difference.imag)[1:] < scale * products.imag.std(0)[1:])
    assert np.abs(expected).min() < (0.9 if profile.los_power_db is None else 0.97)


@pytest.mark.parametrize("name", PROFILES)
def test_tables_are_sionnas(name: str) -> None:
    tr38901 = pytest.importorskip("sionna.phy.channel.tr38901")
    theirs = tr38901.TDL(model=name, delay_spread=100e-9, carrier_frequency=3.5e9, precision="double", device="cpu")
    ours = PROFILES[name]
    np.testing.assert_allclose(theirs.delays.numpy(), np.array(ours.delays) * 100e-9, rtol=1e-12)
    powers = ours.powers.copy()
    if ours.los_power > 0:
        assert float(theirs.mean_power_los) == pytest.approx(ours.los_power)
        powers[0] += ours.los_power
    np.testing.assert_allclose(theirs.mean_powers.numpy(), powers, rtol=1e-6)


@pytest.mark.parametrize("name", ["A", "C", "D"])
def test_sionnas_lines_correlate_over_frequency_as_ours(name: str) -> None:
    tr38901 = pytest.importorskip("sionna.phy.channel.tr38901")
    line = tr38901.TDL(model=name, delay_spread=300e-9, carrier_frequency=3.5e9, precision="double", device="cpu")
    amplitudes, delays_s = line(4000, 1, 1e6)
    frequencies_hz = np.array([-1.3e6, -1.2e6, -1.0e6, -0.5e6, 0.7e6])
    phase = np.outer(delays_s[0, 0, 0].numpy(), frequencies_hz)
    response = amplitudes[:, 0, 0, 0, 0, :, 0].numpy() @ np.exp(-2j * math.pi * phase)
    assert_correlates(response, frequencies_hz, PROFILES[name], 300e-9)
