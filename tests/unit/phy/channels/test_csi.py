"""Equalisation and channel estimates: what the demapper is told is what there is."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from simnet.core.errors import SimnetError
from simnet.core.streams import generator
from simnet.phy import qam
from simnet.phy.channels import flat
from simnet.phy.channels.equaliser import mmse, zero_forcing
from simnet.phy.channels.estimate import estimate_grid, interpolation_weights, least_squares
from simnet.phy.channels.grid import OfdmGrid, Pilots, fill


def gaussian(name: str, *shape: int) -> torch.Tensor:
    """CN(0, 1), complex128."""
    draws = generator(1, name).standard_normal((*shape, 2)) * math.sqrt(0.5)
    return torch.from_numpy(draws.view(np.complex128)[..., 0])


def qam_symbols(name: str, m: int, *shape: int) -> torch.Tensor:
    bits = generator(1, name).integers(0, 2, (*shape[:-1], shape[-1] * m), dtype=np.uint8)
    return qam.modulate(torch.from_numpy(bits), m).to(torch.complex128)


def test_a_gain_per_symbol_is_that_per_block_where_it_is_constant() -> None:
    gain, sent, noise = gaussian("gain", 3), gaussian("sent", 3, 8), gaussian("noise", 3, 8)
    variance = torch.tensor([0.1, 0.2, 0.3], dtype=torch.float64)
    received = flat.pass_through(sent, gain, variance, noise)
    each = gain[:, None].expand(-1, 8)
    assert torch.equal(received, flat.pass_through(sent, each, variance, noise))
    assert torch.equal(received, flat.pass_through(sent, each, variance[:, None].expand(-1, 8), noise))
    symbols, left = flat.equalise(received, gain, variance)
    symbols_each, left_each = flat.equalise(received, each, variance)
    assert left.shape == (3, 1)
    assert left_each.shape == (3, 8)
    assert torch.equal(symbols, symbols_each)
    assert torch.equal(left.expand(-1, 8), left_each)


@pytest.mark.parametrize("m", qam.BITS_PER_SYMBOL)
def test_unbiased_mmse_gives_the_llrs_of_zero_forcing(m: int) -> None:
    gain, sent = gaussian("mmse gain", 20, 30), qam_symbols("mmse sent", m, 20, 30)
    variance = torch.full((20,), 0.2, dtype=torch.float64)
    error = torch.full((20,), 0.05, dtype=torch.float64)
    received = flat.pass_through(sent, gain, variance, gaussian("mmse noise", 20, 30))
    forced = qam.demodulate(*zero_forcing(received, gain, variance, error), m)
    equalised = mmse(received, gain, variance, error)
    torch.testing.assert_close(qam.demodulate(*equalised.unbiased(), m), forced, rtol=1e-9, atol=1e-9)
    assert float(equalised.bias.max()) < 1


def test_biased_mmse_symbols_are_as_stated_and_have_the_least_error() -> None:
    n_symbols, noise_variance = 400_000, 0.3
    gain = torch.tensor([0.6 - 0.5j], dtype=torch.complex128)
    sent, noise = qam_symbols("biased", 4, 1, n_symbols), gaussian("biased noise", 1, n_symbols)
    variance = torch.tensor([noise_variance], dtype=torch.float64)
    received = flat.pass_through(sent, gain, variance, noise)
    equalised = mmse(received, gain, variance)
    bias = 0.61 / (0.61 + noise_variance)
    assert float(equalised.bias) == pytest.approx(bias)
    left = (equalised.symbols - bias * sent).abs().square().double()
    # |left|² is exponential: its mean has the standard error mean/√n.
    assert abs(float(left.mean()) - bias * (1 - bias)) < 4 * bias * (1 - bias) / math.sqrt(n_symbols)
    forced, _ = zero_forcing(received, gain, variance)
    assert (equalised.symbols - sent).abs().square().mean() < 0.9 * (forced - sent).abs().square().mean()


def test_biased_symbols_are_wrong_for_the_demapper() -> None:
    gain = torch.tensor([1.0 + 0j], dtype=torch.complex128)
    variance = torch.tensor([0.5], dtype=torch.float64)
    sent = qam_symbols("bias hurts", 4, 1, 100)
    received = flat.pass_through(sent, gain, variance, torch.zeros_like(sent))
    symbols, left = mmse(received, gain, variance).unbiased()
    torch.testing.assert_close(symbols, sent)
    decided = qam.demodulate(symbols, left, 4) < 0
    assert torch.equal(decided, qam.demodulate(sent, left, 4) < 0)
    assert not torch.equal(decided, qam.demodulate(mmse(received, gain, variance).symbols, left, 4) < 0)


def test_a_vanished_channel_tells_nothing() -> None:
    received = torch.tensor([[0.3 - 0.1j]], dtype=torch.complex64)
    equalised = mmse(received, torch.zeros(1, dtype=torch.complex64), torch.tensor([0.1]))
    assert qam.demodulate(*equalised.unbiased(), 4).abs().max() < 1e-6


def test_the_noise_that_is_left_counts_the_estimate_error() -> None:
    """y − ĥ·s = w − e·s has the variance N0 + σ², and ZF divides it by |ĥ|²."""
    n_blocks, n_pilot, noise_variance = 200_000, 4, 0.4
    gain, sent = gaussian("csi gain", n_blocks), qam_symbols("csi sent", 6, n_blocks, 1)
    variance = torch.full((n_blocks,), noise_variance, dtype=torch.float64)
    pilots = torch.ones(n_pilot, dtype=torch.complex128)
    met = flat.pass_through(pilots.expand(n_blocks, -1), gain, variance, gaussian("csi pilots", n_blocks, n_pilot))
    estimate, error_variance = least_squares(met, pilots, variance)
    received = flat.pass_through(sent, gain, variance, gaussian("csi noise", n_blocks, 1))
    symbols, left = zero_forcing(received, estimate, variance, error_variance)
    ratio = ((symbols - sent).abs().square() / left).squeeze()
    standard_error = float(ratio.std()) / math.sqrt(n_blocks)
    assert abs(float(ratio.mean()) - 1) < 4 * standard_error
    _, without = zero_forcing(received, estimate, variance)
    assert abs(float(((symbols - sent).abs().square() / without).mean()) - 1) > 10 * standard_error


@pytest.mark.parametrize("n_pilot", [1, 3, 16])
def test_least_squares_errs_by_n0_over_the_pilots(n_pilot: int) -> None:
    n_blocks, noise_variance = 100_000, 0.5
    gain = gaussian("ls gain", n_blocks)
    variance = torch.full((n_blocks,), noise_variance, dtype=torch.float64)
    pilots = qam_symbols("ls pilots", 2, n_pilot)
    met = flat.pass_through(pilots.expand(n_blocks, -1), gain, variance, gaussian("ls noise", n_blocks, n_pilot))
    estimate, error_variance = least_squares(met, pilots, variance)
    torch.testing.assert_close(error_variance, variance / n_pilot)
    measured = (estimate - gain).abs().square()
    expected = noise_variance / n_pilot
    assert abs(float(measured.mean()) - expected) < 4 * expected / math.sqrt(n_blocks)


def test_interpolation_is_linear_and_held_outside() -> None:
    weights = interpolation_weights(np.array([1, 5]), 8)
    np.testing.assert_allclose(weights @ [10.0, 30.0], [10, 10, 15, 20, 25, 30, 30, 30])
    np.testing.assert_allclose(weights.sum(1), 1.0)


@pytest.mark.parametrize("pilots", ["comb", "block"])
def test_a_linear_channel_is_estimated_exactly_without_noise(pilots: Pilots) -> None:
    grid = OfdmGrid(13, 15e3, 0, pilots, 4)
    elements = fill(qam_symbols("grid data", 2, 1, 36), grid)
    n_rows = elements.shape[1]
    axis = torch.arange(13) if pilots == "comb" else torch.arange(n_rows)[:, None]
    gain = (1 - 0.5j) + (0.1 + 0.3j) * axis + torch.zeros(n_rows, 13, dtype=torch.complex128)
    estimate, _ = estimate_grid(elements * gain, grid, torch.zeros(1, dtype=torch.float64))
    known = n_rows if pilots == "comb" else int(grid.pilot_symbols(n_rows)[-1]) + 1
    torch.testing.assert_close(estimate[0, :known], gain[:known], rtol=1e-6, atol=1e-6)
    if pilots == "block":
        assert torch.equal(estimate[0, known:], estimate[0, known - 1].expand(n_rows - known, -1))


@pytest.mark.parametrize("pilots", ["comb", "block"])
def test_the_error_variance_of_the_grid_is_the_measured_one(pilots: Pilots) -> None:
    n_blocks, noise_variance = 20_000, 0.25
    grid = OfdmGrid(9, 15e3, 0, pilots, 4)
    elements = fill(qam_symbols("grid data", 2, n_blocks, 45), grid)
    noise = gaussian("grid noise", *elements.shape) * math.sqrt(noise_variance)
    variance = torch.full((n_blocks,), noise_variance, dtype=torch.float64)
    estimate, error_variance = estimate_grid(elements + noise, grid, variance)
    measured = (estimate - 1).abs().square().mean(0)
    expected = error_variance[0]
    assert float(expected.min()) == pytest.approx(noise_variance / 2)
    assert float(expected.max()) == pytest.approx(noise_variance)
    # The error is complex Gaussian; 5 instead of 4 standard errors, since this is the largest of some 60 deviations.
    assert float(((measured - expected) / expected).abs().max()) < 5 / math.sqrt(n_blocks)


def test_no_pilots_no_estimate() -> None:
    with pytest.raises(SimnetError, match=r"got an OFDM grid without pilots; allowed pilots 'comb' or 'block'"):
        estimate_grid(torch.zeros(1, 1, 8, dtype=torch.complex64), OfdmGrid(8, 15e3, 0), torch.ones(1))
