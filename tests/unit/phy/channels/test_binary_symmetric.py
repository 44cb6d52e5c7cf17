"""Bits are flipped at the rate that was set, independently and evenly over positions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from simnet.phy.channels.binary_symmetric import flip

N_BYTE, N_DRAW = 25, 4000


def errors(bit_error_rate: float) -> np.ndarray:
    """[N_DRAW, bits] bool: which bits of a constant payload arrive wrong."""
    data = bytes(range(N_BYTE))
    arrived = b"".join(flip(data, bit_error_rate, 1, "draw", i) for i in range(N_DRAW))
    wrong = np.frombuffer(arrived, np.uint8).reshape(N_DRAW, N_BYTE) ^ np.frombuffer(data, np.uint8)
    return np.unpackbits(wrong, axis=1)


@pytest.mark.parametrize("rate", [0.003, 0.1, 0.5])
def test_counts_are_binomial(rate: float) -> None:
    counts, n_bit = errors(rate).sum(axis=1), 8 * N_BYTE
    n_all = N_DRAW * n_bit
    assert abs(counts.sum() / n_all - rate) < 4 * math.sqrt(rate * (1 - rate) / n_all)
    most = int(stats.binom.ppf(0.999, n_bit, rate))
    observed = np.bincount(np.minimum(counts, most).astype(np.int64), minlength=most + 1)
    expected = stats.binom.pmf(np.arange(most + 1), n_bit, rate)
    expected[-1] = stats.binom.sf(most - 1, n_bit, rate)
    enough = expected * N_DRAW >= 5
    scaled = expected[enough] / expected[enough].sum() * observed[enough].sum()
    assert stats.chisquare(observed[enough], scaled).pvalue > 1e-4


def test_positions_are_even_and_independent() -> None:
    wrong = errors(0.1)
    assert stats.chisquare(wrong.sum(axis=0)).pvalue > 1e-4
    neighbours = (wrong[:, 1:] & wrong[:, :-1]).mean()
    n = wrong[:, 1:].size
    # neighbouring pairs overlap, which adds twice the covariance p³(1 − p) of each two that share a bit
    variance = (0.01 * 0.99 + 2 * (0.001 - 0.0001)) / n
    assert abs(neighbours - 0.01) < 4 * math.sqrt(variance)


def test_rate_zero_and_names() -> None:
    data = bytes(range(200))
    assert flip(data, 0.0, 1, "a") == data
    assert flip(data, 1.0, 1, "a") == bytes(byte ^ 0xFF for byte in data)
    assert flip(data, 0.1, 1, "a") == flip(data, 0.1, 1, "a") != flip(data, 0.1, 1, "b")
    assert flip(b"", 0.1, 1, "a") == b""
