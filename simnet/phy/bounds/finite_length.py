"""Block error rates of the best codes of finite length: the normal approximation.

Y. Polyanskiy, H. V. Poor, S. Verdú, "Channel coding rate in the finite blocklength regime", IEEE Trans. Inf. Theory
56(5), 2010, theorem 54 for AWGN. With n complex channel uses, capacity C and dispersion V, both per complex use, a code
of block error rate ε carries about

    k = n·C − √(n·V)·Q⁻¹(ε) + ½·log2(2n)   bits.

The third term is the paper's ½·log2 of the number of *real* channel uses, for which it is stated, and a complex use is
two of them: written as ½·log2(n) it would be half a bit less. (Exact to order one: V. Y. F. Tan, M. Tomamichel, "The
third-order term in the normal approximation for the AWGN channel", IEEE Trans. Inf. Theory 61(5), 2015.)

It is an approximation and no bound. It is close for blocks of some hundred bits and loses its accuracy where the rate
is far below capacity: at very low error rates of short blocks.

The dispersion of QAM is the variance of the information density with independent, equally likely symbols, as random
and linear codes have it; codes of constant composition could do slightly better. That of BICM is the variance of the
sum of its bit-wise densities (module :mod:`simnet.phy.bounds.information_density`).
"""

from __future__ import annotations

from math import log, log2

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from simnet.core.errors import SimnetError
from simnet.core.units import FloatLike
from simnet.phy.bounds.arguments import check_bits_per_symbol, like, non_negative
from simnet.phy.bounds.information_density import loss_moments


def dispersion(esno: FloatLike, bits_per_symbol: int | None = None, *, bicm: bool = True) -> FloatLike:
    """Channel dispersion V in AWGN, bits² per complex channel use.

    Args:
        esno: Es/N0, linear.
        bits_per_symbol: 2, 4, 6 or 8 for QAM; None for Gaussian symbols, V = log2²(e)·esno·(esno + 2)/(esno + 1)²
            (twice the paper's, because a complex use is two real ones).
        bicm: of QAM, the bit-wise metric, else the symbol-wise one.

    Raises:
        SimnetError: another ``bits_per_symbol``, or ``esno`` is negative or not finite.
    """
    return like(esno, _moments(non_negative("esno", esno), bits_per_symbol, bicm)[1])


def _moments(
    esno: NDArray[np.float64], bits_per_symbol: int | None, bicm: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Capacity and dispersion per complex channel use."""
    if bits_per_symbol is None:
        inverse = 1.0 / (1.0 + esno)
        return np.log1p(esno) / log(2.0), log2(np.e) ** 2 * (1.0 - inverse) * (1.0 + inverse)
    check_bits_per_symbol(bits_per_symbol)
    loss, variance = loss_moments(esno, bits_per_symbol, bicm=bicm)
    return bits_per_symbol - loss, variance


def normal_approximation_bler(
    n_channel_uses: int, n_bits: int, esno: FloatLike, bits_per_symbol: int | None = None, *, bicm: bool = True
) -> FloatLike:
    """Block error rate of the best code: Q((n·C − k + ½·log2(2n)) / √(n·V)).

    Args:
        n_channel_uses: n, complex symbols per block.
        n_bits: k, information bits per block.
        esno: Es/N0, linear.
        bits_per_symbol: 2, 4, 6 or 8 for QAM; None for Gaussian symbols.
        bicm: of QAM, the bit-wise metric, else the symbol-wise one.

    Raises:
        SimnetError: ``n_bits`` is no more than ½·log2(2n), where the approximation means nothing, or is not less than
            the coded bits of the block; or as in :func:`dispersion`.
    """
    _check_block(n_channel_uses, n_bits, bits_per_symbol)
    return like(esno, ndtr(-_argument(n_channel_uses, n_bits, non_negative("esno", esno), bits_per_symbol, bicm)))


def _argument(
    n_channel_uses: int, n_bits: int, esno: NDArray[np.float64], bits_per_symbol: int | None, bicm: bool
) -> NDArray[np.float64]:
    """The argument of Q; infinite where nothing is random."""
    mean, variance = _moments(esno, bits_per_symbol, bicm)
    margin = n_channel_uses * mean - n_bits + _third_term(n_channel_uses)
    with np.errstate(divide="ignore"):
        argument: NDArray[np.float64] = margin / np.sqrt(n_channel_uses * variance)
    return argument


def _third_term(n_channel_uses: int) -> float:
    return 0.5 * log2(2 * n_channel_uses)


def _check_block(n_channel_uses: int, n_bits: int, bits_per_symbol: int | None) -> None:
    if n_channel_uses < 1:
        raise SimnetError(f"channel uses per block: got {n_channel_uses}; allowed 1 or more")
    lowest = _third_term(n_channel_uses)
    highest = np.inf if bits_per_symbol is None else n_channel_uses * bits_per_symbol
    if not lowest < n_bits < highest:
        raise SimnetError(
            f"information bits per block: got {n_bits}; allowed between {lowest:.2f} and {highest} "
            f"for {n_channel_uses} channel uses"
        )


def _check_bler(bler: float) -> None:
    if not 0.0 < bler < 1.0:
        raise SimnetError(f"block error rate: got {bler}; allowed between 0 and 1")


def normal_approximation_esno(
    n_channel_uses: int, n_bits: int, bler: float, bits_per_symbol: int | None = None, *, bicm: bool = True
) -> float:
    """The Es/N0 (linear) at which :func:`normal_approximation_bler` is ``bler``: codes need at least about this.

    Raises:
        SimnetError: ``bler`` is not between 0 and 1; or as in :func:`normal_approximation_bler`.
    """
    _check_block(n_channel_uses, n_bits, bits_per_symbol)
    _check_bler(bler)
    target = -float(ndtri(bler))

    def excess(log_esno: float) -> float:
        esno = np.array(np.exp(log_esno))
        # A large finite number serves where nothing is random, so that the search can go on.
        return float(np.clip(_argument(n_channel_uses, n_bits, esno, bits_per_symbol, bicm), -1e9, 1e9)) - target

    low = high = 0.0
    while excess(low) > 0.0:
        low -= 1.0
    while excess(high) < 0.0:
        high += 1.0
    return float(np.exp(brentq(excess, low, high, xtol=1e-12)))


def normal_approximation_bits(
    n_channel_uses: int, bler: float, esno: FloatLike, bits_per_symbol: int | None = None, *, bicm: bool = True
) -> FloatLike:
    """Information bits, not rounded, of the best code of block error rate ``bler``: n·C − √(n·V)·Q⁻¹(ε) + ½·log2(2n).

    At least 0, and for QAM at most the coded bits of the block.

    Raises:
        SimnetError: ``bler`` is not between 0 and 1; or as in :func:`dispersion`.
    """
    if n_channel_uses < 1:
        raise SimnetError(f"channel uses per block: got {n_channel_uses}; allowed 1 or more")
    _check_bler(bler)
    mean, variance = _moments(non_negative("esno", esno), bits_per_symbol, bicm)
    bits = n_channel_uses * mean + np.sqrt(n_channel_uses * variance) * ndtri(bler) + _third_term(n_channel_uses)
    highest = np.inf if bits_per_symbol is None else n_channel_uses * bits_per_symbol
    return like(esno, np.clip(bits, 0.0, highest))
