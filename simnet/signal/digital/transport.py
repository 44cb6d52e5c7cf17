"""How many symbols a number of bytes takes with LDPC and QAM, and how likely all of them arrive."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simnet.core.mcs import Mcs
from simnet.phy.blocks import BlockFormat, capacity_byte, segment
from simnet.phy.tables.bler import load_table
from simnet.phy.tables.effective_fit import symbol_gains

Fading = Literal["awgn", "rayleigh_block", "rayleigh_fast"]
Words = Literal["short", "2304"]
"""``short``: the blocks that simnet's radios cut, codewords of 576 to 2304 bits, shortened; ``2304``: full codewords of
2304 bits only, the last one padded."""
CODEWORD_BIT = 2304
N_GAIN = 400
"""Equally likely |h|² that stand for Rayleigh fading."""
N_REALISATION = 60
"""Of fast fading, over which a block's error rate is averaged."""


@cache
def blocks(n_byte: int, mcs: Mcs, words: Words) -> Mapping[BlockFormat, int]:
    """The blocks that carry so many bytes, and how many of each; 3 bytes of each are its CRC."""
    if words == "short":
        return Counter(BlockFormat(k, mcs) for k in segment(n_byte))
    k = int(CODEWORD_BIT * mcs.rate)
    return Counter({BlockFormat(k, mcs): -(-n_byte // capacity_byte(k))})


@cache
def channel_uses(n_byte: int, mcs: Mcs, words: Words) -> int:
    """Complex symbols of :func:`blocks`."""
    return sum(count * block.channel_uses for block, count in blocks(n_byte, mcs, words).items())


@cache
def most_byte(n_symbol: int, mcs: Mcs, words: Words) -> int:
    """The most bytes whose blocks take at most so many symbols; 0 if none fit."""
    upper = n_symbol * mcs.bits_per_symbol // 8
    return bisect_right(range(1, upper + 1), n_symbol, key=lambda n_byte: channel_uses(n_byte, mcs, words))


@cache
def delivery(n_byte: int, mcs: Mcs, words: Words, fading: Fading, esno: float) -> float:
    """The probability that all blocks are decoded; nothing is repeated.

    Args:
        fading: ``awgn``; ``rayleigh_block``: one h ~ CN(0, 1) for all blocks; ``rayleigh_fast``: one for every symbol.
        esno: mean Es/N0, linear.
    """
    arrived: NDArray[np.float64] = np.ones(1)
    for block, count in blocks(n_byte, mcs, words).items():
        arrived = arrived * (1 - _bler(block, fading, esno)) ** count
    return float(arrived.mean())


@cache
def _bler(block: BlockFormat, fading: Fading, esno: float) -> NDArray[np.float64]:
    """Block error rate at each of the equally likely states of the channel."""
    table = load_table(block)
    if fading == "awgn":
        met = [esno]
    elif fading == "rayleigh_block":
        met = [esno * power for power in rayleigh_powers()]
    else:
        rng = np.random.default_rng(0)
        gains = (symbol_gains("rayleigh_fast", block.channel_uses, rng) for _ in range(N_REALISATION))
        met = [table.effective_esno(esno * np.abs(gain).astype(np.float64) ** 2) for gain in gains]
    bler = np.array([table.lookup(each).bler for each in met])
    return bler.mean(keepdims=True) if fading == "rayleigh_fast" else bler


def rayleigh_powers() -> NDArray[np.float64]:
    """|h|² of equal probability, h ~ CN(0, 1), [N_GAIN]."""
    return -np.log1p(-(np.arange(N_GAIN) + 0.5) / N_GAIN)
