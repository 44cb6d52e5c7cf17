"""The flat channel and its noise."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from simnet.core.streams import generator
from simnet.core.units import db_to_linear, linear_to_db
from simnet.phy import qam
from simnet.phy.channels import flat as channel


@pytest.mark.parametrize("esno_db", [-3.0, 5.0, 20.0])
@pytest.mark.parametrize("m", qam.BITS_PER_SYMBOL)
def test_measured_esno_is_the_nominal_one(esno_db: float, m: int) -> None:
    n_symbols = 200_000
    bits = torch.from_numpy(generator(1, "esno bits").integers(0, 2, (1, n_symbols * m), dtype=np.uint8))
    sent = qam.modulate(bits, m)
    noise = torch.from_numpy(channel.complex_noise((1, "esno", str(esno_db), m), n_symbols))[None]
    gain = torch.ones(1, dtype=torch.complex64)
    received = channel.pass_through(sent, gain, torch.tensor([1 / db_to_linear(esno_db)]), noise)
    difference = (received - sent).to(torch.complex128)
    measured = sent.abs().double().square().mean() / difference.abs().square().mean()
    assert linear_to_db(float(measured)) == pytest.approx(esno_db, abs=0.05)


def test_noise_is_circular() -> None:
    n = 400_000
    noise = channel.complex_noise((1, "circular"), n).astype(np.complex128)
    # Each estimate's standard deviation: mean √(1/2n), half power √(1/2n), correlation √(1/4n).
    assert abs(noise.real.mean()) < 4 * math.sqrt(0.5 / n)
    assert abs(noise.imag.mean()) < 4 * math.sqrt(0.5 / n)
    assert np.mean(noise.real**2) == pytest.approx(0.5, abs=4 * math.sqrt(0.5 / n))
    assert np.mean(noise.imag**2) == pytest.approx(0.5, abs=4 * math.sqrt(0.5 / n))
    assert abs(np.mean(noise.real * noise.imag)) < 4 * math.sqrt(0.25 / n)


def test_noise_is_a_function_of_its_names() -> None:
    first = channel.complex_noise((1, "link", b"payload", 3), 50)
    assert np.array_equal(first, channel.complex_noise((1, "link", b"payload", 3), 50))
    assert not np.array_equal(first, channel.complex_noise((1, "link", b"payload", 4), 50))
    assert not np.array_equal(first, channel.complex_noise((2, "link", b"payload", 3), 50))
    with pytest.raises(TypeError, match="start with an integer seed; got 'link'"):
        channel.complex_noise(("link", 1), 50)


def test_equalising_undoes_the_gain_and_scales_the_noise() -> None:
    gain = torch.tensor([0.5j, -2.0 + 1.0j], dtype=torch.complex64)
    sent = torch.tensor([[1 + 1j, -1j], [0.3, 2j]], dtype=torch.complex64)
    quiet = torch.zeros(2, 2, dtype=torch.complex64)
    received = channel.pass_through(sent, gain, torch.tensor([0.1, 0.2]), quiet)
    symbols, variance = channel.equalise(received, gain, torch.tensor([0.1, 0.2]))
    torch.testing.assert_close(symbols, sent)
    torch.testing.assert_close(variance, torch.tensor([[0.1 / 0.25], [0.2 / 5]]))


def test_a_vanished_channel_tells_nothing_and_is_no_nan() -> None:
    gain = torch.zeros(1, dtype=torch.complex64)
    received = torch.tensor([[0.3 - 0.1j]], dtype=torch.complex64)
    llr = qam.demodulate(*channel.equalise(received, gain, torch.tensor([0.1])), 4)
    assert llr.abs().max() < 1e-6
