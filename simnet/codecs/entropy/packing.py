"""Whole numbers of a fixed number of bits, packed without gaps: the layout in which a wrong bit stays local."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def packed_n_byte(n_symbols: int, n_bit: int) -> int:
    """Bytes that :func:`pack` makes of so many symbols."""
    return (n_symbols * n_bit + 7) // 8


def pack(symbols: NDArray[np.integer], n_bit: int) -> bytes:
    """Symbols in [0, 2^n_bit), any shape, highest bit first; the last byte is filled with zeros.

    Args:
        n_bit: 1..16.
    """
    return np.packbits(bits_of(symbols, n_bit)).tobytes()


def unpack(packed: bytes, n_symbols: int, n_bit: int) -> NDArray[np.int64]:
    """The first ``n_symbols`` of what :func:`pack` made; ``packed`` is long enough."""
    return numbers_of(np.unpackbits(np.frombuffer(packed, np.uint8), count=n_symbols * n_bit), n_bit)


def bits_of(symbols: NDArray[np.integer], n_bit: int) -> NDArray[np.uint8]:
    """Bits (0 or 1) of symbols in [0, 2^n_bit), any shape, highest first."""
    bits = symbols.reshape(-1, 1).astype(np.int64) >> np.arange(n_bit - 1, -1, -1) & 1
    return bits.astype(np.uint8).ravel()


def numbers_of(bits: NDArray[np.uint8], n_bit: int) -> NDArray[np.int64]:
    """Symbols of bits, ``n_bit`` each."""
    return bits.reshape(-1, n_bit).astype(np.int64) @ (1 << np.arange(n_bit - 1, -1, -1))
