"""Canonical Huffman codes: whole-number lengths are the table, so that every machine reads the same codes from them.

D. A. Huffman, Proc. IRE 40(9), 1952; lengths limited by package-merge (Larmore and Hirschberg, J. ACM 37(3), 1990).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simnet.core.errors import SimnetError

LONGEST = 15
"""Bits of a code at most, so that a length has 4 bits itself."""


class HuffmanError(SimnetError):
    """Lengths that no prefix code has, or bits that are no code of a table."""


def code_lengths(counts: Sequence[int] | NDArray[np.integer], longest: int = LONGEST) -> NDArray[np.uint8]:
    """The lengths in bits of an optimal prefix code whose codes have at most ``longest`` bits.

    Args:
        counts: how often each symbol is, each ≥ 1; 2 … 2^longest symbols.

    Raises:
        HuffmanError: other counts.
    """
    weights = [int(c) for c in counts]
    if not 2 <= len(weights) <= 1 << longest or min(weights) < 1:
        raise HuffmanError(f"counts: got {len(weights)} of them, the least {min(weights, default=None)}; "
                           f"allowed 2..{1 << longest}, each at least 1")  # fmt: skip
    leaves: list[tuple[int, tuple[int, ...]]] = sorted((weight, (symbol,)) for symbol, weight in enumerate(weights))
    packages = leaves
    for _ in range(longest - 1):
        paired = [(a[0] + b[0], a[1] + b[1]) for a, b in zip(packages[::2], packages[1::2], strict=False)]
        packages = sorted([*leaves, *paired], key=lambda package: package[0])
    lengths = np.zeros(len(weights), np.uint8)
    for _, symbols in packages[: 2 * len(weights) - 2]:
        for symbol in symbols:
            lengths[symbol] += 1
    return lengths


class HuffmanCode:
    """The canonical code of a table of lengths: by length, then by symbol, each the one before plus 1.

    Args:
        lengths: bits of each symbol's code, 1 … 15.

    Raises:
        HuffmanError: no complete prefix code has these lengths; is the table damaged?
    """

    def __init__(self, lengths: NDArray[np.uint8]) -> None:
        sizes = lengths.astype(np.int64)
        if len(sizes) < 2 or sizes.min() < 1 or sizes.max() > LONGEST or (2.0**-sizes).sum() != 1.0:
            raise HuffmanError(f"Huffman lengths {sizes.tolist()}: of no complete prefix code; is the table damaged?")
        self.lengths = sizes
        self._longest = int(sizes.max())
        order = np.lexsort((np.arange(len(sizes)), sizes))
        starts = np.concatenate(([0], np.cumsum(1 << (self._longest - sizes[order]))[:-1]))
        self._codes = np.empty(len(sizes), np.int64)
        self._codes[order] = starts >> (self._longest - sizes[order])
        self._symbol_at = np.repeat(order, 1 << (self._longest - sizes[order])).tolist()
        self._length_of = sizes.tolist()

    def n_bit(self, symbols: NDArray[np.integer]) -> int:
        """Bits of the symbols' codes."""
        return int(self.lengths[symbols].sum())

    def encode(self, symbols: NDArray[np.integer]) -> NDArray[np.uint8]:
        """Bits (0 or 1) of the symbols' codes, one after another."""
        flat = symbols.ravel()
        lengths = self.lengths[flat]
        ends = np.cumsum(lengths)
        total = int(ends[-1]) if len(flat) else 0
        owner = np.repeat(np.arange(len(flat)), lengths)
        shift = ends[owner] - 1 - np.arange(total)
        bits: NDArray[np.uint8] = (self._codes[flat][owner] >> shift & 1).astype(np.uint8)
        return bits

    def decode(self, bits: NDArray[np.uint8], n_symbols: int, start: int = 0) -> tuple[NDArray[np.int64], int]:
        """So many symbols from bit ``start`` on, and where the next bit is.

        Raises:
            HuffmanError: the bits end before.
        """
        # Every run of the longest code's bits that the stream holds, as a number: one look-up per symbol.
        padded = np.concatenate((bits[start:], np.zeros(self._longest, np.uint8)))
        windows = np.zeros(len(padded) - self._longest + 1, np.int64)
        for i in range(self._longest):
            windows = windows << 1 | padded[i : len(windows) + i]
        window, at, symbols = windows.tolist(), 0, []
        for _ in range(n_symbols):
            if at >= len(window):
                break
            symbol = self._symbol_at[window[at]]
            symbols.append(symbol)
            at += self._length_of[symbol]
        if len(symbols) < n_symbols or at > len(bits) - start:
            raise HuffmanError(f"Huffman code: its {len(bits) - start} bits end before {n_symbols} symbols")
        return np.array(symbols, np.int64), start + at
