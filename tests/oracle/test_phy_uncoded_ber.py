"""Uncoded bit error rates against their closed forms.

AWGN: K. Cho, D. Yoon, "On the general BER expression of one- and two-dimensional amplitude modulations", IEEE Trans.
Commun. 50(7), 2002, eq. (14): exact for Gray-mapped square QAM. Rayleigh: the same sum with each erfc averaged over the
exponential distribution of |h|².
"""

from __future__ import annotations

import cmath
from collections.abc import Callable
from math import floor, log2, sqrt

import numpy as np
import pytest
from scipy.special import erfc

from simnet.core.mcs import UNCODED_TABLE, Mcs
from simnet.core.streams import complex_normal, generator
from simnet.core.units import db_to_linear
from simnet.phy.chain import DigitalChain, UncodedJob


def closed_form_ber(order: int, mean_erfc: Callable[[float], float]) -> float:
    """BER of ``order``-QAM; ``mean_erfc(a)`` is the mean of erfc(√(a·γ)), γ the Es/N0 met."""
    side = int(sqrt(order))
    n_bits = int(log2(side))
    total = 0.0
    for k in range(1, n_bits + 1):
        for i in range(int((1 - 2.0**-k) * side)):
            weight = 2 ** (k - 1) - floor(i * 2 ** (k - 1) / side + 0.5)
            sign = (-1) ** floor(i * 2 ** (k - 1) / side)
            total += sign * weight * mean_erfc(3 * (2 * i + 1) ** 2 / (2 * (order - 1))) / side
    return total / n_bits


def awgn_ber(order: int, esno: float) -> float:
    return closed_form_ber(order, lambda a: float(erfc(sqrt(a * esno))))


def rayleigh_ber(order: int, esno: float) -> float:
    return closed_form_ber(order, lambda a: 1 - sqrt(a * esno / (1 + a * esno)))


def bit_error_rates(mcs: Mcs, esno: float, gains: list[complex], n_byte: int) -> np.ndarray:
    """Measured BER of each of ``len(gains)`` payloads."""
    jobs = [
        UncodedJob(generator(1, "ber", i).bytes(n_byte), mcs, esno, gain, (1, "ber", mcs.name, str(esno), i))
        for i, gain in enumerate(gains)
    ]
    received = DigitalChain().transmit_uncoded(jobs)
    return np.array(
        [
            np.unpackbits(np.frombuffer(a.payload, np.uint8) ^ np.frombuffer(b, np.uint8)).mean()
            for a, b in zip(jobs, received, strict=True)
        ]
    )


def test_the_closed_form_is_that_of_qpsk() -> None:
    assert awgn_ber(4, 3.0) == pytest.approx(0.5 * erfc(sqrt(1.5)))


@pytest.mark.parametrize("mcs", UNCODED_TABLE)
@pytest.mark.parametrize("ber", [0.1, 0.01, 0.001])
def test_awgn(mcs: Mcs, ber: float) -> None:
    order = 2**mcs.bits_per_symbol
    esno = next(db_to_linear(0.5 * i) for i in range(100) if awgn_ber(order, db_to_linear(0.5 * i)) < ber)
    expected = awgn_ber(order, esno)
    n_payloads, n_byte = 20, 30_000
    measured = bit_error_rates(mcs, esno, [cmath.exp(1j * i) for i in range(n_payloads)], n_byte).mean()
    # The bits of one symbol err together at worst, so this bounds the standard error.
    standard_error = sqrt(expected * mcs.bits_per_symbol / (8 * n_byte * n_payloads))
    assert abs(measured - expected) < 4 * standard_error
    assert 4 * standard_error < 0.2 * expected


@pytest.mark.parametrize("mcs", UNCODED_TABLE)
@pytest.mark.parametrize("esno_db", [5.0, 15.0, 25.0])
def test_rayleigh(mcs: Mcs, esno_db: float) -> None:
    esno = db_to_linear(esno_db)
    gains = [complex_normal(1, "rayleigh", i) for i in range(1000)]
    measured = bit_error_rates(mcs, esno, gains, n_byte=30)
    standard_error = measured.std(ddof=1) / sqrt(len(measured))
    assert abs(measured.mean() - rayleigh_ber(2**mcs.bits_per_symbol, esno)) < 4 * standard_error
