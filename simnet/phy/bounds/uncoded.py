"""Exact bit and symbol error rates of uncoded Gray-mapped square QAM with ideal coherent detection.

AWGN: K. Cho, D. Yoon, "On the general BER expression of one- and two-dimensional amplitude modulations", IEEE Trans.
Commun. 50(7), 2002, eq. (14) to (16). Fading: each erfc of these averaged over |h|²
(:mod:`simnet.phy.bounds.fading_power`), h known to the receiver. Esno is Es/N0, linear, or its mean E|h|²·Es/N0.

Diversity: at high Es/N0 error rates fall exponentially with it in AWGN, but only as 1/mean_esno under Rayleigh and
Rician fading: the diversity order of one flat channel is 1, and a line of sight only multiplies the error rate by
(K+1)·exp(−K). With L independent branches combined it falls as mean_esno^−L.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc

from simnet.core.units import FloatLike
from simnet.phy.bounds.arguments import check_bits_per_symbol, like, non_negative
from simnet.phy.bounds.fading_power import mean_erfc, mean_erfc_squared


def qam_ber_awgn(esno: FloatLike, bits_per_symbol: int) -> FloatLike:
    """Bit error rate in AWGN.

    Args:
        esno: Es/N0, linear.
        bits_per_symbol: 2, 4, 6 or 8.

    Raises:
        SimnetError: another ``bits_per_symbol``, or ``esno`` is negative or not finite; so in every function here.
    """
    return _bit_error_rate(esno, bits_per_symbol, lambda x: erfc(np.sqrt(x)))


def qam_ber_rayleigh(mean_esno: FloatLike, bits_per_symbol: int) -> FloatLike:
    """Bit error rate under Rayleigh fading, closed form: E[erfc(√(a·|h|²))] = 1 − √(a/(1+a)).

    Args:
        mean_esno: E|h|²·Es/N0, linear.
        bits_per_symbol: 2, 4, 6 or 8.
    """
    # 1 − √(a/(1+a)), written without a difference of near numbers
    return _bit_error_rate(mean_esno, bits_per_symbol, lambda a: 1.0 / (1.0 + a + np.sqrt(a * (1.0 + a))))


def qam_ber_rician(mean_esno: FloatLike, bits_per_symbol: int, k_factor: float) -> FloatLike:
    """Bit error rate under Rician fading, from the moment generating function of |h|², within 1e-12.

    Args:
        mean_esno: E|h|²·Es/N0, linear.
        bits_per_symbol: 2, 4, 6 or 8.
        k_factor: Rician K, linear; 0 is Rayleigh.
    """
    k = float(non_negative("k_factor", k_factor))
    return _bit_error_rate(mean_esno, bits_per_symbol, lambda a: mean_erfc(a, k))


def qam_ser_awgn(esno: FloatLike, bits_per_symbol: int) -> FloatLike:
    """Symbol error rate in AWGN: 1 − (1 − p)², p = (1 − 1/√M)·erfc(√(3·esno/(2(M−1)))) in each real dimension.

    J. G. Proakis, "Digital Communications", 4th ed. 2001, eq. (5.2-78) and (5.2-79).

    Args:
        esno: Es/N0, linear.
        bits_per_symbol: log2(M), 2, 4, 6 or 8.
    """
    return _symbol_error_rate(esno, bits_per_symbol, lambda x: erfc(np.sqrt(x)), lambda x: erfc(np.sqrt(x)) ** 2)


def qam_ser_rayleigh(mean_esno: FloatLike, bits_per_symbol: int) -> FloatLike:
    """Symbol error rate under Rayleigh fading.

    Args:
        mean_esno: E|h|²·Es/N0, linear.
        bits_per_symbol: 2, 4, 6 or 8.
    """
    return qam_ser_rician(mean_esno, bits_per_symbol, 0.0)


def qam_ser_rician(mean_esno: FloatLike, bits_per_symbol: int, k_factor: float) -> FloatLike:
    """Symbol error rate under Rician fading, within 1e-12.

    Args:
        mean_esno: E|h|²·Es/N0, linear.
        bits_per_symbol: 2, 4, 6 or 8.
        k_factor: Rician K, linear; 0 is Rayleigh.
    """
    k = float(non_negative("k_factor", k_factor))
    return _symbol_error_rate(mean_esno, bits_per_symbol, lambda a: mean_erfc(a, k), lambda a: mean_erfc_squared(a, k))


_Mean = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""The mean of erfc(√x), or of its square, as a function of the mean of x."""


@cache
def _terms(bits_per_symbol: int) -> tuple[tuple[float, float], ...]:
    """(weight, a) of the terms weight·erfc(√(a·esno)) whose sum is the bit error rate; 1-based bit k of Cho & Yoon."""
    check_bits_per_symbol(bits_per_symbol)
    half = bits_per_symbol // 2
    side = 2**half
    weights: dict[int, float] = {}
    for k in range(1, half + 1):
        for i in range(side - (side >> k)):
            step = i << (k - 1)
            weight = (-1) ** (step // side) * (2 ** (k - 1) - (2 * step + side) // (2 * side))
            weights[i] = weights.get(i, 0.0) + weight / (side * half)
    return tuple((w, 1.5 * (2 * i + 1) ** 2 / (side**2 - 1)) for i, w in weights.items() if w)


def _bit_error_rate(esno: FloatLike, bits_per_symbol: int, mean: _Mean) -> FloatLike:
    terms = _terms(bits_per_symbol)
    values = non_negative("esno", esno)
    return like(esno, sum((w * mean(a * values) for w, a in terms), np.zeros(values.shape)))


def _symbol_error_rate(esno: FloatLike, bits_per_symbol: int, mean: _Mean, mean_of_square: _Mean) -> FloatLike:
    check_bits_per_symbol(bits_per_symbol)
    scaled = 1.5 / (2**bits_per_symbol - 1) * non_negative("esno", esno)
    inner = 1.0 - 2.0 ** (-bits_per_symbol / 2)
    return like(esno, 2.0 * inner * mean(scaled) - inner**2 * mean_of_square(scaled))
