"""Rates that codes of unlimited length can carry without error, their inverses, and outage under block fading."""

from __future__ import annotations

from math import log, log2

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import exp1

from simnet.core.errors import SimnetError
from simnet.core.units import FloatLike
from simnet.phy.bounds.arguments import check_bits_per_symbol, like, non_negative
from simnet.phy.bounds.fading_power import power_cdf
from simnet.phy.bounds.information_density import loss_moments

_ASYMPTOTIC_FROM = 50.0
"""x from which e^x·E1(x) is taken from its asymptotic series; 20 terms leave a relative error below 1e-15."""


def capacity(esno: FloatLike) -> FloatLike:
    """Shannon capacity log2(1 + Es/N0) of complex AWGN, bits per channel use.

    Raises:
        SimnetError: ``esno`` is negative or not finite; so it is in every function below.
    """
    return like(esno, np.log1p(non_negative("esno", esno)) / log(2.0))


def qam_capacity(esno: FloatLike, bits_per_symbol: int) -> FloatLike:
    """Mutual information of QAM with equally likely points in AWGN (coded modulation), bits per channel use.

    Exact to 1e-12. G. Ungerboeck, "Channel coding with multilevel/phase signals", IEEE Trans. Inf. Theory 28(1), 1982.

    Args:
        esno: Es/N0, linear.
        bits_per_symbol: 2, 4, 6 or 8.

    Raises:
        SimnetError: another ``bits_per_symbol``.
    """
    return _constrained(esno, bits_per_symbol, bicm=False)


def bicm_capacity(esno: FloatLike, bits_per_symbol: int) -> FloatLike:
    """Sum of the mutual informations of the bits of Gray-mapped QAM in AWGN (BICM), bits per channel use.

    The limit of a receiver that demaps bit by bit, without feedback from the decoder; at most :func:`qam_capacity`.
    Exact to 1e-12; :func:`simnet.phy.bounds.bit_information.bit_information` is its fast form. G. Caire, G.
    Taricco, E. Biglieri, "Bit-interleaved coded modulation", IEEE Trans. Inf. Theory 44(3), 1998.

    Args:
        esno: Es/N0, linear.
        bits_per_symbol: 2, 4, 6 or 8.

    Raises:
        SimnetError: another ``bits_per_symbol``.
    """
    return _constrained(esno, bits_per_symbol, bicm=True)


def _constrained(esno: FloatLike, bits_per_symbol: int, *, bicm: bool) -> FloatLike:
    check_bits_per_symbol(bits_per_symbol)
    loss, _ = loss_moments(non_negative("esno", esno), bits_per_symbol, bicm=bicm)
    return like(esno, np.maximum(bits_per_symbol - loss, 0.0))


def esno_for_rate(rate: FloatLike, bits_per_symbol: int | None = None, *, bicm: bool = True) -> FloatLike:
    """The Es/N0 (linear) at which the capacity equals ``rate``: no code of this rate works below it.

    Args:
        rate: bits per complex channel use, (bits per symbol) · (code rate).
        bits_per_symbol: 2, 4, 6 or 8 for QAM; None for Gaussian symbols, :func:`capacity`.
        bicm: of QAM, :func:`bicm_capacity`, else :func:`qam_capacity`.

    Raises:
        SimnetError: ``rate`` is negative, or QAM cannot reach it at any Es/N0.
    """
    rates = non_negative("rate", rate)
    if bits_per_symbol is None:
        return like(rate, np.expm1(rates * log(2.0)))
    check_bits_per_symbol(bits_per_symbol)
    if (rates >= bits_per_symbol).any():
        raise SimnetError(
            f"rate: got {rates.max()} bit per channel use; allowed below {bits_per_symbol}, the bits per symbol; "
            "take a larger constellation or a lower code rate"
        )
    found = [_esno_of_qam(float(r), bits_per_symbol, bicm) for r in rates.flat]
    return like(rate, np.array(found, dtype=np.float64).reshape(rates.shape))


def _esno_of_qam(rate: float, bits_per_symbol: int, bicm: bool) -> float:
    if rate == 0.0:
        return 0.0

    def excess(esno: float) -> float:
        return _constrained(esno, bits_per_symbol, bicm=bicm) - rate

    low = high = 2.0**rate - 1.0
    while excess(low) > 0.0:  # by rounding at most: QAM carries less than Gaussian symbols
        low /= 2.0
    while excess(high) < 0.0:
        high *= 2.0
    return float(brentq(excess, low, high, xtol=1e-300, rtol=1e-14))


def ergodic_rayleigh_capacity(mean_esno: FloatLike) -> FloatLike:
    """E[log2(1 + |h|²·mean_esno)], h ~ CN(0, 1), bits per channel use: for codes that see all states of the fading.

    log2(e)·e^x·E1(x) with x = 1/mean_esno: W. C. Y. Lee, "Estimate of channel capacity in Rayleigh fading environment",
    IEEE Trans. Veh. Technol. 39(3), 1990; M.-S. Alouini, A. J. Goldsmith, "Capacity of Rayleigh fading channels under
    different adaptive transmission and diversity-combining techniques", IEEE Trans. Veh. Technol. 48(4), 1999. The
    receiver knows h, the transmitter does not. Under block fading :func:`outage_probability` holds.
    """
    esno = non_negative("mean_esno", mean_esno)
    x = 1.0 / np.maximum(esno, 1e-300)
    small = np.minimum(x, _ASYMPTOTIC_FROM)
    series = np.ones_like(x)
    for n in range(20, 0, -1):
        series = 1.0 - n * series / np.maximum(x, _ASYMPTOTIC_FROM)
    scaled: NDArray[np.float64] = np.where(x < _ASYMPTOTIC_FROM, np.exp(small) * exp1(small), series * esno)
    return like(mean_esno, scaled * log2(np.e))


def outage_probability(
    rate: float, mean_esno: FloatLike, *, k_factor: float = 0.0, bits_per_symbol: int | None = None, bicm: bool = True
) -> FloatLike:
    """P(capacity at |h|²·mean_esno < rate): the block error rate of ideal long codes under flat block fading.

    Rayleigh: 1 − exp(−g/mean_esno) with g = :func:`esno_for_rate`; Rician: 1 − Q1(√(2K), √(2(K+1)·g/mean_esno)). L. H.
    Ozarow, S. Shamai, A. D. Wyner, "Information theoretic considerations for cellular mobile radio", IEEE Trans. Veh.
    Technol. 43(2), 1994.

    Args:
        rate: bits per complex channel use.
        mean_esno: E|h|²·Es/N0, linear.
        k_factor: Rician K, linear; 0 is Rayleigh.
        bits_per_symbol: as in :func:`esno_for_rate`.
        bicm: as in :func:`esno_for_rate`.

    Raises:
        SimnetError: an argument is negative, or QAM cannot reach the rate.
    """
    threshold = esno_for_rate(rate, bits_per_symbol, bicm=bicm)
    esno = non_negative("mean_esno", mean_esno)
    k = float(non_negative("k_factor", k_factor))
    if threshold == 0.0:
        return like(mean_esno, np.zeros_like(esno))
    with np.errstate(divide="ignore"):
        return like(mean_esno, power_cdf(threshold / esno, k))
