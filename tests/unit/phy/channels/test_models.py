"""Channel models and their names."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from simnet.core.errors import SimnetError, UnknownName
from simnet.core.streams import generator
from simnet.phy import qam
from simnet.phy.channels import delay_profile, flat
from simnet.phy.channels.flat_models import Awgn, Rayleigh, Rician
from simnet.phy.channels.grid import OfdmGrid
from simnet.phy.channels.registry import CHANNEL_NAMES, channel_by_name
from simnet.phy.channels.tapped_delay_line import TappedDelayLine

GRID = OfdmGrid(48, 15e3, 12, "comb", 6)


def settings_of(name: str) -> dict[str, Any]:
    if name.startswith("tdl"):
        return {"rms_delay_spread_s": 300e-9, "grid": GRID}
    return {"k_factor_db": 6.0} if name.startswith("rician") else {}


@pytest.mark.parametrize("name", CHANNEL_NAMES)
def test_every_channel_gives_a_gain_per_symbol_that_its_names_decide(name: str) -> None:
    model = channel_by_name(name, **settings_of(name))
    gains = model.gains(100, rng=generator(1, "link", 5))
    assert gains.shape == (100,)
    assert gains.dtype == np.complex64
    assert np.array_equal(gains, model.gains(100, rng=generator(1, "link", 5)))
    assert np.array_equal(gains[:70], model.gains(70, rng=generator(1, "link", 5)))
    assert np.array_equal(gains, model.gains(100, rng=generator(1, "link", 6))) == (name == "awgn")


def test_names_choose_what_they_say() -> None:
    assert channel_by_name("awgn") == Awgn()
    assert channel_by_name("rayleigh_fast") == Rayleigh(fading="fast")
    assert channel_by_name("rician_block", k_factor_db=3.0, n_pilot=2) == Rician(
        fading="block", k_factor_db=3.0, n_pilot=2
    )
    line = channel_by_name("tdl_b", rms_delay_spread_s=1e-7, grid=GRID, doppler_hz=5.0)
    assert line == TappedDelayLine(delay_profile.TDL_B, 1e-7, GRID, 5.0)


def test_what_is_not_allowed_is_told_with_what_is() -> None:
    with pytest.raises(UnknownName, match=r"unknown channel: got 'rayleigh_slow'; did you mean.*tdl_a, tdl_b"):
        channel_by_name("rayleigh_slow")
    with pytest.raises(UnknownName, match=r"unknown setting of channel 'rician_fast': got 'k_db'.*k_factor_db"):
        channel_by_name("rician_fast", k_db=3.0)
    with pytest.raises(UnknownName, match=r"unknown setting of channel 'rayleigh_fast': got 'fading'"):
        channel_by_name("rayleigh_fast", fading="block")
    with pytest.raises(SimnetError, match=r"'tdl_a': missing setting grid; required are rms_delay_spread_s, grid"):
        channel_by_name("tdl_a", rms_delay_spread_s=1e-7)
    with pytest.raises(SimnetError, match=r"n_pilot: got 2 with fast fading; allowed 0"):
        channel_by_name("rayleigh_fast", n_pilot=2)
    with pytest.raises(SimnetError, match=r"n_pilot: got -1; allowed 0"):
        channel_by_name("awgn", n_pilot=-1)
    with pytest.raises(SimnetError, match=r"unknown fading: got 'slow'"):
        Rayleigh(fading="slow")  # type: ignore[arg-type]
    with pytest.raises(SimnetError, match=r"K factor: got nan dB"):
        channel_by_name("rician_fast", k_factor_db=math.nan)
    with pytest.raises(SimnetError, match=r"Doppler shift: got inf Hz"):
        channel_by_name("tdl_a", rms_delay_spread_s=1e-7, grid=GRID, doppler_hz=math.inf)


def test_a_delay_beyond_the_prefix_is_refused_with_the_remedy() -> None:
    # TDL-A's last tap comes at 9.6586 · 2 µs, 13.9 samples of 720 kHz.
    with pytest.raises(SimnetError, match=r"TDL-A: its longest delay is 1\.93e-05 s.*n_cyclic_prefix to 14 samples"):
        channel_by_name("tdl_a", rms_delay_spread_s=2e-6, grid=GRID)
    channel_by_name("tdl_a", rms_delay_spread_s=2e-6, grid=OfdmGrid(48, 15e3, 14))


def test_channel_uses_count_pilots_and_prefixes() -> None:
    assert channel_by_name("rayleigh_block", n_pilot=4).channel_uses(100) == 104
    assert channel_by_name("tdl_c", rms_delay_spread_s=1e-7, grid=GRID).channel_uses(40) == 2 * 60


def test_gains_are_the_response_where_data_lie() -> None:
    model = TappedDelayLine(delay_profile.TDL_C, 300e-9, GRID, doppler_hz=200.0)
    n_symbols = 3 * 39
    response = model.response(3, rng=generator(1, "response"))
    gains = model.gains(n_symbols, rng=generator(1, "response"))
    assert np.array_equal(gains, response[~GRID.pilot_mask(3)])
    assert np.abs(response[0] - response[2]).max() > 1e-3
    still = TappedDelayLine(delay_profile.TDL_C, 300e-9, GRID).response(3, rng=generator(1, "response"))
    assert np.array_equal(still[0], still[2])


def test_a_moving_channel_goes_on_from_block_to_block() -> None:
    model = TappedDelayLine(delay_profile.TDL_B, 300e-9, GRID, doppler_hz=50.0)
    whole = model.response(10, rng=generator(1, "link"), start_s=2.0)
    second_half = model.response(5, rng=generator(1, "link"), start_s=2.0 + 5 * GRID.symbol_time_s)
    np.testing.assert_allclose(second_half, whole[5:], atol=1e-5)


def test_flat_estimates_err_by_n0_over_the_pilots() -> None:
    model = channel_by_name("rayleigh_block", n_pilot=5)
    rng, pilot_rng, errors = generator(1, "many"), generator(1, "many pilots"), []
    for _ in range(20_000):
        known = model.estimate(2, 0.3, rng=rng, pilot_rng=pilot_rng)
        errors.append(abs(known.estimate[0] - known.gain[0]) ** 2)
    assert known.error_variance.tolist() == pytest.approx([0.06, 0.06])
    assert abs(np.mean(errors) - 0.06) < 4 * 0.06 / math.sqrt(len(errors))
    again = model.estimate(3, 0.3, rng=generator(1, "one"), pilot_rng=generator(1, "pilot"))
    assert np.array_equal(again.gain, model.gains(3, rng=generator(1, "one")))
    assert len(set((again.estimate - again.gain).tolist())) == 1


def test_estimates_of_a_delay_line_err_by_little_more_than_the_noise() -> None:
    model = TappedDelayLine(delay_profile.TDL_A, 100e-9, GRID)
    known = model.estimate(500, 0.01, rng=generator(1, "tdl"), pilot_rng=generator(1, "tdl pilots"))
    assert np.array_equal(known.gain, model.gains(500, rng=generator(1, "tdl")))
    assert known.estimate.dtype == np.complex64
    assert known.error_variance.dtype == np.float32
    errors = np.abs(known.estimate - known.gain) ** 2 / known.error_variance
    # 500 places share some 9 pilots in each of 13 OFDM symbols: about 117 independent errors, at worst.
    assert abs(errors.mean() - 1) < 4 / math.sqrt(117)
    noiseless = model.estimate(500, 1e-12, rng=generator(1, "tdl"), pilot_rng=generator(1, "tdl pilots"))
    assert np.mean(np.abs(noiseless.estimate - noiseless.gain) ** 2) < 1e-3


def test_no_pilots_no_estimate() -> None:
    rngs = {"rng": generator(1), "pilot_rng": generator(2)}
    with pytest.raises(SimnetError, match=r"got n_pilot 0; allowed 1 or more with csi 'pilot', or csi 'perfect'"):
        channel_by_name("rayleigh_block").estimate(3, 0.1, **rngs)
    bare = TappedDelayLine(delay_profile.TDL_A, 100e-9, OfdmGrid(48, 15e3, 12))
    with pytest.raises(SimnetError, match=r"got an OFDM grid without pilots"):
        bare.estimate(3, 0.1, **rngs)


def test_gains_per_symbol_go_through_channel_and_demapper() -> None:
    bits = torch.from_numpy(generator(1, "bits").integers(0, 2, (4, 120), dtype=np.uint8))
    model = channel_by_name("tdl_a", rms_delay_spread_s=300e-9, grid=GRID)
    gain = torch.from_numpy(np.stack([model.gains(60, rng=generator(1, i)) for i in range(4)]))
    noise = torch.from_numpy(np.stack([flat.complex_noise((1, "n", i), 60) for i in range(4)]))
    variance = torch.full((4,), 1e-6)
    received = flat.pass_through(qam.modulate(bits, 2), gain, variance, noise)
    llr = qam.demodulate(*flat.equalise(received, gain, variance), 2)
    assert torch.equal((llr < 0).to(torch.uint8), bits)
