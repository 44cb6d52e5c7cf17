"""Uncoded bit error rates over fading channels against their closed forms.

K. Cho, D. Yoon, IEEE Trans. Commun. 50(7), 2002, eq. (14), each erfc averaged over the fading by its moment generating
function (M. K. Simon, M.-S. Alouini, Digital Communication over Fading Channels, 2nd ed., 2005, chapter 8).
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from scipy import integrate

from simnet.core.streams import generator
from simnet.core.units import db_to_linear
from simnet.phy import qam
from simnet.phy.channels import equaliser, flat
from simnet.phy.channels.estimate import shrink
from simnet.phy.channels.fading import rayleigh_gains
from simnet.phy.channels.grid import OfdmGrid
from simnet.phy.channels.registry import channel_by_name

SETTINGS: dict[str, dict[str, Any]] = {
    "rician_block": {"k_factor_db": 6.0, "los_phase_rad": 1.0},
    "rician_fast": {"k_factor_db": 6.0, "los_phase_rad": 1.0},
    "tdl_a": {"rms_delay_spread_s": 100e-9, "grid": OfdmGrid(32, 480e3, 16)},
}


@cache
def drawn_gains(name: str, n_blocks: int, n_symbols: int) -> np.ndarray:
    """[n_blocks, n_symbols]: independent realisations."""
    model, rng = channel_by_name(name, **SETTINGS.get(name, {})), generator(1, "oracle", name)
    return np.stack([model.gains(n_symbols, rng=rng) for _ in range(n_blocks)])


def fading_ber(order: int, esno: float, k_factor: float) -> float:
    """BER of Gray ``order``-QAM, coherent, over Rician fading; K = 0 is Rayleigh."""

    def mean_erfc(a: float) -> float:
        """E erfc(√(a·γ)) = 2/π ∫ E exp(−a·γ/sin²θ) dθ over (0, π/2)."""

        def transform(theta: float) -> float:
            s = a * esno / math.sin(theta) ** 2
            return (1 + k_factor) / (1 + k_factor + s) * math.exp(-k_factor * s / (1 + k_factor + s))

        return 2 / math.pi * float(integrate.quad(transform, 0, math.pi / 2)[0])

    side = math.isqrt(order)
    n_bits = side.bit_length() - 1
    total = 0.0
    for k in range(1, n_bits + 1):
        for i in range(int((1 - 2.0**-k) * side)):
            weight = 2 ** (k - 1) - math.floor(i * 2 ** (k - 1) / side + 0.5)
            sign = (-1) ** math.floor(i * 2 ** (k - 1) / side)
            total += sign * weight * mean_erfc(3 * (2 * i + 1) ** 2 / (2 * (order - 1))) / side
    return total / n_bits


def bit_error_rate(name: str, gain: np.ndarray, esno: float, m: int, estimate: np.ndarray | None = None) -> np.ndarray:
    """Measured BER of each block; the receiver takes ``estimate`` for the gain."""
    n_blocks, n_symbols = gain.shape
    bits = torch.from_numpy(generator(1, "ber bits", name).integers(0, 2, (n_blocks, m * n_symbols), dtype=np.uint8))
    noise = torch.from_numpy(flat.complex_noise((1, "ber", name), gain.size)).reshape(gain.shape)
    variance = torch.full((n_blocks,), 1 / esno)
    received = flat.pass_through(qam.modulate(bits, m), torch.from_numpy(gain), variance, noise)
    known = torch.from_numpy(gain if estimate is None else estimate)
    llr = qam.demodulate(*equaliser.zero_forcing(received, known, variance), m, max_log=True)
    return ((llr < 0) != bits).double().mean(1).numpy()


def test_the_closed_form_has_its_known_limits() -> None:
    a = 0.5 * 3.0
    assert fading_ber(4, 3.0, 0.0) == pytest.approx(0.5 * (1 - math.sqrt(a / (1 + a))))
    assert fading_ber(4, 3.0, 1e6) == pytest.approx(0.5 * math.erfc(math.sqrt(1.5)), rel=1e-4)


@pytest.mark.parametrize("m", qam.BITS_PER_SYMBOL)
@pytest.mark.parametrize("name", ["rayleigh_fast", "rayleigh_block", "rician_fast", "rician_block", "tdl_a"])
def test_uncoded_bit_error_rate(name: str, m: int) -> None:
    esno = db_to_linear(12.0)
    n_blocks, n_symbols = (500, 400) if name.endswith("fast") else (20_000, 16)
    rates = bit_error_rate(name, drawn_gains(name, n_blocks, n_symbols), esno, m)
    expected = fading_ber(2**m, esno, 10**0.6 if name.startswith("rician") else 0.0)
    standard_error = rates.std(ddof=1) / math.sqrt(n_blocks)
    assert abs(rates.mean() - expected) < 4 * standard_error
    assert 4 * standard_error < 0.15 * expected


@pytest.mark.parametrize("n_pilot", [1, 4])
def test_bit_error_rate_with_a_channel_known_from_pilots(n_pilot: int) -> None:
    """QPSK, Rayleigh: (1 − μ/√(2 − μ²))/2 with μ² = 1/((1 + N0/P)(1 + N0)) (J. G. Proakis, Digital Communications,
    4th ed., 2001, appendix C)."""
    esno, n_blocks, n_symbols = db_to_linear(10.0), 40_000, 8
    model = channel_by_name("rayleigh_block", n_pilot=n_pilot)
    rng, pilot_rng = generator(1, "pilot ber"), generator(1, "pilot ber pilots", n_pilot)
    known = [model.estimate(n_symbols, 1 / esno, rng=rng, pilot_rng=pilot_rng) for _ in range(n_blocks)]
    gain, estimate = (np.stack([getattr(each, what) for each in known]) for what in ("gain", "estimate"))
    rates = bit_error_rate("pilot", gain, esno, 2, estimate)
    mu2 = 1 / ((1 + 1 / esno / n_pilot) * (1 + 1 / esno))
    expected = 0.5 * (1 - math.sqrt(mu2 / (2 - mu2)))
    standard_error = rates.std(ddof=1) / math.sqrt(n_blocks)
    assert abs(rates.mean() - expected) < 4 * standard_error
    assert 4 * standard_error < 0.1 * expected
    assert expected > 1.1 * fading_ber(4, esno, 0.0)


def test_pilot_estimates_make_honest_llrs() -> None:
    """Of the bits with an LLR near L, the share of zeros is 1/(1 + exp(−L)), with the variance N0 + σ² and QPSK."""
    esno, n_blocks, n_pilot = db_to_linear(6.0), 200_000, 2
    gain = rayleigh_gains(n_blocks, "fast", rng=generator(1, "honest"))
    error_variance = 1 / esno / n_pilot
    error = flat.complex_noise((1, "honest error"), n_blocks) * np.float32(math.sqrt(error_variance))
    bits = torch.from_numpy(generator(1, "honest bits").integers(0, 2, (n_blocks, 2), dtype=np.uint8))
    variance = torch.full((n_blocks,), 1 / esno)
    noise = torch.from_numpy(flat.complex_noise((1, "honest noise"), n_blocks))[:, None]
    received = flat.pass_through(qam.modulate(bits, 2), torch.from_numpy(gain), variance, noise)
    estimate, left = shrink(torch.from_numpy(gain + error), torch.full((n_blocks,), error_variance))
    llr = qam.demodulate(*equaliser.zero_forcing(received, estimate, variance, left), 2).ravel()
    is_zero = (bits.ravel() == 0).double()
    p_zero = torch.sigmoid(llr.double())
    for low, high in ((-6, -3), (-3, -1), (-1, 1), (1, 3), (3, 6)):
        here = (llr >= low) & (llr < high)
        deviation = float((is_zero - p_zero)[here].mean())
        standard_error = math.sqrt(float((p_zero * (1 - p_zero))[here].mean()) / int(here.sum()))
        assert abs(deviation) < 4 * standard_error
    # Without σ² the LLRs boast.
    boasting = qam.demodulate(*equaliser.zero_forcing(received, estimate, variance), 2).ravel()
    here = (boasting >= 3) & (boasting < 6)
    p_zero = torch.sigmoid(boasting.double())[here]
    standard_error = math.sqrt(float((p_zero * (1 - p_zero)).mean()) / int(here.sum()))
    assert float((is_zero[here] - p_zero).mean()) < -4 * standard_error
