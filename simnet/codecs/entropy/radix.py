"""Symbols of an alphabet that is no power of two, as one large number: within a byte of n·log2(m) bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def radix_n_byte(n_symbols: int, n_levels: int) -> int:
    """Bytes that :func:`radix_pack` makes of so many symbols."""
    most: int = n_levels**n_symbols - 1
    return (most.bit_length() + 7) // 8


def radix_pack(symbols: NDArray[np.integer], n_levels: int) -> bytes:
    """Symbols in [0, n_levels), any shape, the first one the most significant."""
    number = 0
    for symbol in symbols.ravel().tolist():
        number = number * n_levels + symbol
    return number.to_bytes(radix_n_byte(symbols.size, n_levels), "big")


def radix_unpack(packed: bytes, n_symbols: int, n_levels: int) -> NDArray[np.int64]:
    """What :func:`radix_pack` was given, flat. Bytes of no such number give its remainder: some symbols."""
    number = int.from_bytes(packed, "big")
    symbols = np.empty(n_symbols, np.int64)
    for i in range(n_symbols - 1, -1, -1):
        number, symbols[i] = divmod(number, n_levels)
    return symbols
