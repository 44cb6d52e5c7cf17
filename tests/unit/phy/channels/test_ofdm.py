"""OFDM: grid, cyclic prefix, convolution, tapped delay lines."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from simnet.core.errors import SimnetError
from simnet.core.streams import generator
from simnet.phy.channels import delay_profile, ofdm
from simnet.phy.channels.delay_profile import PowerDelayProfile, rms_delay_spread
from simnet.phy.channels.grid import OfdmGrid, Pilots, data_of, fill
from simnet.phy.channels.taps import Taps


def qpsk(name: str, *shape: int) -> torch.Tensor:
    """Random symbols of unit energy, complex128."""
    signs = 1 - 2 * generator(1, name).integers(0, 2, (2, *shape))
    return torch.from_numpy((signs[0] + 1j * signs[1]) * math.sqrt(0.5))


def test_modulation_is_undone_and_keeps_the_energy() -> None:
    grid = OfdmGrid(48, 15e3, 0)
    elements = qpsk("unitary", 3, 5, 48)
    samples = ofdm.modulate(elements, grid)
    assert samples.shape == (3, 5 * 48)
    assert float(samples.abs().square().mean()) == pytest.approx(1.0, abs=1e-12)
    torch.testing.assert_close(ofdm.demodulate(samples, grid), elements)


def test_the_prefix_repeats_the_end() -> None:
    grid = OfdmGrid(16, 15e3, 5)
    symbols = ofdm.modulate(qpsk("prefix", 4, 16), grid).reshape(4, 21)
    assert torch.equal(symbols[:, :5], symbols[:, 16:])


def test_a_subcarrier_is_a_tone_of_its_frequency() -> None:
    grid = OfdmGrid(8, 10e3, 0)
    elements = torch.zeros(1, 8, dtype=torch.complex128)
    elements[0, 6] = 1.0
    times_s = np.arange(8) / grid.sample_rate_hz
    tone = np.exp(2j * math.pi * grid.frequencies_hz[6] * times_s) / math.sqrt(8)
    assert grid.frequencies_hz[6] == 20e3
    np.testing.assert_allclose(ofdm.modulate(elements, grid).numpy(), tone, atol=1e-15)


def test_convolution_is_numpys() -> None:
    sent, taps = qpsk("convolution", 2, 40), qpsk("convolution taps", 7)
    expected = [np.convolve(row, taps.numpy())[:40] for row in sent.numpy()]
    np.testing.assert_allclose(ofdm.convolve(sent, taps).numpy(), expected, atol=1e-13)
    assert ofdm.convolve(sent[:, :3], taps).shape == (2, 3)


def static_taps(profile: PowerDelayProfile, grid: OfdmGrid, rms_delay_spread_s: float) -> Taps:
    """A realisation whose delays lie on the grid's samples."""
    delays = np.rint(np.array(profile.delays) * rms_delay_spread_s * grid.sample_rate_hz) / grid.sample_rate_hz
    on_samples = PowerDelayProfile(profile.name, tuple(delays), profile.powers_db, profile.los_power_db)
    return Taps.draw(on_samples, 1.0, 0.0, rng=generator(1, "static", profile.name))


@pytest.mark.parametrize("profile", [delay_profile.TDL_A, delay_profile.TDL_C, delay_profile.TDL_D])
def test_a_long_enough_prefix_makes_the_channel_a_gain_per_subcarrier(profile: PowerDelayProfile) -> None:
    longest = math.ceil(max(profile.delays) * 2)
    grid = OfdmGrid(64, 15e3, longest)
    taps = static_taps(profile, grid, 2 / grid.sample_rate_hz)
    response = torch.from_numpy(taps.frequency_response(0.0, grid.frequencies_hz))
    impulse = torch.from_numpy(taps.impulse_response(0.0, grid.sample_rate_hz, n_lead=0, n_tail=0))
    assert longest - 1 <= impulse.shape[1] - 1 <= longest
    elements = qpsk("long prefix", 6, 64)
    received = ofdm.demodulate(ofdm.convolve(ofdm.modulate(elements, grid), impulse[0]), grid)
    assert response.abs().min() < 0.7 * response.abs().max()
    torch.testing.assert_close(received, response * elements, rtol=0, atol=1e-13)


def test_too_short_a_prefix_interferes_as_much_as_reckoned() -> None:
    """One tap of power p that comes e samples after the prefix: e samples of each window are the previous symbol's
    instead of this one's, so the error on a subcarrier has the power 2·e·p/N."""
    n_subcarriers, prefix, excess, power = 64, 4, 6, 0.3
    grid = OfdmGrid(n_subcarriers, 15e3, prefix)
    impulse = torch.zeros(prefix + excess + 1, dtype=torch.complex128)
    impulse[0], impulse[-1] = math.sqrt(1 - power), 1j * math.sqrt(power)
    delay_s = (prefix + excess) / grid.sample_rate_hz
    response = impulse[0] + impulse[-1] * torch.from_numpy(np.exp(-2j * math.pi * grid.frequencies_hz * delay_s))
    elements = qpsk("short prefix", 2000, n_subcarriers)
    received = ofdm.demodulate(ofdm.convolve(ofdm.modulate(elements, grid), impulse), grid)
    per_symbol = (received - response * elements)[1:].abs().square().mean(1)
    expected = 2 * excess * power / n_subcarriers
    # Neighbouring OFDM symbols share one symbol's data, hence every second one.
    standard_error = float(per_symbol[::2].std()) / math.sqrt(len(per_symbol[::2]))
    assert abs(float(per_symbol[::2].mean()) - expected) < 4 * standard_error
    assert 4 * standard_error < 0.1 * expected


def test_a_tap_between_samples_is_band_limited() -> None:
    sample_rate_hz, n_lead, n_tail = 1e6, 16, 16
    taps = Taps.draw(PowerDelayProfile("one", (1.0,), (0.0,)), 2.5e-6, 0.0, rng=generator(1, "between"))
    impulse = taps.impulse_response(0.0, sample_rate_hz, n_lead, n_tail)[0]
    frequencies_hz = np.linspace(-0.5e6, 0.5e6, 2000, endpoint=False)
    phase = np.outer(np.arange(len(impulse)) - n_lead, frequencies_hz) / sample_rate_hz
    error = impulse @ np.exp(-2j * math.pi * phase) - taps.frequency_response(0.0, frequencies_hz)[0]
    power = float(np.abs(taps.gains(0.0)[0, 0]) ** 2)
    lost = np.mean(np.abs(error) ** 2) / power
    assert 0.3 / math.pi**2 / n_lead < lost < (1 / n_lead + 1 / n_tail) / math.pi**2


def test_the_grid_in_numbers() -> None:
    grid = OfdmGrid(72, 15e3, 9)
    assert grid.sample_rate_hz == 1.08e6
    assert grid.symbol_time_s == pytest.approx(75e-6)
    assert grid.cyclic_prefix_s == pytest.approx(9 / 1.08e6)
    assert grid.cyclic_prefix_overhead == pytest.approx(1 / 9)
    assert grid.pilot_overhead == 0
    assert grid.data_fraction == pytest.approx(8 / 9)
    assert grid.channel_uses(72) == 81
    assert grid.channel_uses(73) == 162
    assert grid.channel_uses(0) == 0


def test_a_comb_ends_with_a_pilot() -> None:
    grid = OfdmGrid(12, 15e3, 0, "comb", 4)
    assert grid.pilot_subcarriers.tolist() == [0, 4, 8, 11]
    assert grid.pilot_mask(2).sum() == 8
    assert grid.pilot_overhead == pytest.approx(4 / 12)
    assert grid.n_ofdm_symbols(16) == 2
    assert grid.n_ofdm_symbols(17) == 3


def test_pilot_blocks_lead_each_group() -> None:
    grid = OfdmGrid(10, 15e3, 2, "block", 4)
    assert grid.pilot_overhead == 0.25
    assert [grid.n_ofdm_symbols(n) for n in (1, 10, 30, 31, 60)] == [2, 2, 4, 6, 8]
    assert np.flatnonzero(grid.pilot_mask(6).all(1)).tolist() == [0, 4]
    assert grid.data_fraction == pytest.approx(60 / grid.channel_uses(60))


@pytest.mark.parametrize(("pilots", "spacing"), [("none", 0), ("comb", 3), ("block", 2)])
def test_data_go_into_the_grid_and_come_back(pilots: Pilots, spacing: int) -> None:
    grid = OfdmGrid(12, 15e3, 0, pilots, spacing)
    symbols = 2 * qpsk("fill", 3, 50)
    elements = fill(symbols, grid)
    n_ofdm_symbols = grid.n_ofdm_symbols(50)
    assert elements.shape == (3, n_ofdm_symbols, 12)
    assert torch.equal(data_of(elements, grid, 50), symbols)
    pilots = elements.numpy()[:, grid.pilot_mask(n_ofdm_symbols)]
    np.testing.assert_allclose(np.abs(pilots), 1.0, atol=1e-6)
    energy = float(elements.abs().square().sum())
    assert energy == pytest.approx(3 * (50 * 4 + grid.pilot_mask(n_ofdm_symbols).sum()), rel=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ((1, 15e3, 0), r"n_subcarriers: got 1; allowed 2 or more"),
        ((8, 0.0, 0), r"subcarrier_spacing_hz: got 0\.0; allowed above 0"),
        ((8, 15e3, 9), r"n_cyclic_prefix: got 9 samples; allowed 0 to 8"),
        ((8, 15e3, 0, "lattice", 2), r"unknown OFDM pilots: got 'lattice'.*Allowed: block, comb, none"),
        ((8, 15e3, 0, "none", 2), r"pilot_spacing: got 2 with pilots 'none'.*allowed 0 with 'none', else 2 or more"),
        ((8, 15e3, 0, "comb", 1), r"pilot_spacing: got 1 with pilots 'comb'.*else 2 or more"),
        ((8, 15e3, 0, "block", 0), r"pilot_spacing: got 0 with pilots 'block'"),
        ((2, 15e3, 0, "comb", 2), r"and 2 subcarriers; .*a subcarrier is left for data"),
    ],
)
def test_grids_that_are_not_allowed(settings: tuple, message: str) -> None:
    with pytest.raises(SimnetError, match=message):
        OfdmGrid(*settings)


def test_samples_must_fill_symbols() -> None:
    with pytest.raises(SimnetError, match=r"OFDM samples: got 21; allowed a multiple of 10"):
        ofdm.demodulate(torch.zeros(21, dtype=torch.complex64), OfdmGrid(8, 15e3, 2))


@pytest.mark.parametrize("name", ["TDL_A", "TDL_B", "TDL_C", "TDL_D", "TDL_E"])
def test_tables_have_unit_power_and_unit_delay_spread(name: str) -> None:
    profile: PowerDelayProfile = getattr(delay_profile, name)
    assert profile.powers.sum() + profile.los_power == pytest.approx(1.0)
    # TR 38.901 says "normalised"; its powers are rounded to 0.1 dB.
    spread = rms_delay_spread([*profile.delays, 0.0], [*profile.powers, profile.los_power])
    assert spread == pytest.approx(1.0, abs=0.01)


def test_an_own_profile_is_scaled_and_scales_back() -> None:
    profile = PowerDelayProfile.from_taps("two rays", [0.0, 4e-6], [0.0, 0.0])
    assert profile.delays == pytest.approx((0.0, 2.0))
    taps = Taps.draw(profile, 2e-6, 0.0, rng=generator(1, "two rays"))
    np.testing.assert_allclose(taps.delays_s, [0.0, 4e-6])
    with pytest.raises(SimnetError, match=r"all taps have one delay; .*choose Rayleigh"):
        PowerDelayProfile.from_taps("flat", [1e-6], [0.0])
    with pytest.raises(SimnetError, match=r"'odd': got 2 delays and 1 powers"):
        PowerDelayProfile("odd", (0.0, 1.0), (0.0,))
    with pytest.raises(SimnetError, match=r"RMS delay spread: got 0\.0 s; allowed above 0"):
        Taps.draw(profile, 0.0, 0.0, rng=generator(1))


def test_a_moving_line_goes_on_in_time() -> None:
    def response(times_s: list[float]) -> np.ndarray:
        taps = Taps.draw(delay_profile.TDL_D, 100e-9, 300.0, rng=generator(1, "moving"))
        return taps.frequency_response(times_s, np.array([-1e6, 0.0, 2e6]))

    together = response([7.0, 3.0, 1e4])
    assert together.shape == (3, 3)
    np.testing.assert_allclose(together[1], response([3.0])[0], atol=1e-12)
    assert np.abs(together[0] - together[1]).max() > 0.01
    line_of_sight = Taps.draw(delay_profile.TDL_D, 100e-9, 300.0, rng=generator(1, "moving")).gains([0.0, 1 / 210.0])
    assert line_of_sight[0, -1] == pytest.approx(line_of_sight[1, -1])  # a turn at 0.7·f_D
