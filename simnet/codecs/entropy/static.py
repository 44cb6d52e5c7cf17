"""Range coding with static tables that travel with the decoder.

A table has 16 whole-number weights per code dimension, of sum 256: the probabilities of the symbol's four highest bits.
The lower bits are taken as uniform. So one table of 16 bytes per dimension serves every number of bits, and every
probability is a multiple of 2^-8: nothing is rounded, and codes decode alike on every machine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simnet.core.errors import SimnetError

N_BINS = 16
BIN_BIT = 4
TOTAL = 256
WORD_BYTE = 4
"""constriction's range coder reads and writes words of 32 bits."""


class EntropyError(SimnetError):
    """Bytes that aren't a code of these tables, or no library to read them with."""


def fit_table(counts: NDArray[np.integer | np.floating]) -> NDArray[np.uint8]:
    """Weights [D, n], each ≥ 1, of sum 256 per row, near the relative frequencies.

    Args:
        counts: [D, n], how often each of n ≤ 256 bins was seen in each dimension; each row has a sum > 0.
    """
    spare = TOTAL - counts.shape[1]
    exact = counts / counts.sum(axis=1, keepdims=True) * spare
    weights = np.floor(exact).astype(np.int64)
    by_remainder = np.argsort(weights - exact, axis=1, kind="stable")
    missing = spare - weights.sum(axis=1, keepdims=True)
    gains = np.argsort(by_remainder, axis=1) < missing
    table: NDArray[np.uint8] = (weights + gains + 1).astype(np.uint8)
    return table


class StaticCoder:
    """Codes symbols [D, n]: D dimensions of n values that share a table.

    Args:
        table: [D, 16] uint8, as :func:`fit_table` makes it.
        n_values: n.
        n_bit: bits per symbol, 2..16.

    Raises:
        EntropyError: not such a table, or constriction isn't installed.
    """

    def __init__(self, table: NDArray[np.uint8], *, n_values: int, n_bit: int) -> None:
        stream = range_coding()
        if table.ndim != 2 or table.shape[1] != N_BINS:
            raise EntropyError(f"entropy table: got shape {table.shape}; allowed [D, {N_BINS}]")
        if (table < 1).any() or (table.sum(axis=1, dtype=np.int64) != TOTAL).any():
            raise EntropyError(f"entropy table: allowed are weights ≥ 1 of sum {TOTAL} per row; is it damaged?")
        self._queue = stream.queue
        self._n_values = n_values
        self._low_bit = max(0, n_bit - BIN_BIT)
        merged = table.reshape(len(table), 2 ** min(n_bit, BIN_BIT), -1).sum(axis=2, dtype=np.int64)
        self._high = [stream.model.Categorical(row / TOTAL, perfect=False) for row in merged]
        self._low = stream.model.Uniform(2**self._low_bit) if self._low_bit else None

    def encode(self, symbols: NDArray[np.int64]) -> bytes:
        """The shortest bytes that :meth:`decode` reads as ``symbols`` ([D, n], in [0, 2^n_bit))."""
        encoder = self._queue.RangeEncoder()
        values = symbols.astype(np.int32)
        for model, row in zip(self._high, values >> self._low_bit, strict=True):
            encoder.encode(row, model)
        if self._low is not None:
            encoder.encode(np.ascontiguousarray(values & (1 << self._low_bit) - 1).ravel(), self._low)
        whole = encoder.get_compressed().astype(">u4").tobytes()
        return shortest(whole, lambda code: bool((self.decode(code) == symbols).all()))

    def decode(self, code: bytes) -> NDArray[np.int64]:
        """The symbols [D, n].

        Raises:
            EntropyError: no code of these tables. What follows a code isn't looked at.
        """
        decoder = self._queue.RangeDecoder(read_words(code))
        try:
            symbols = np.stack([decoder.decode(model, self._n_values) for model in self._high]).astype(np.int64)
            if self._low is not None:
                low = decoder.decode(self._low, symbols.size).reshape(symbols.shape)
                symbols = symbols << self._low_bit | low
        except AssertionError as error:
            raise EntropyError(f"entropy code of {len(code)} bytes: not one of these tables") from error
        return symbols


def range_coding() -> Any:
    """constriction's module of stream codes.

    Raises:
        EntropyError: it isn't installed.
    """
    try:
        import constriction
    except ImportError as error:
        hint = "install it (codec aesc does without: entropy_coding: false)"
        raise EntropyError(f"no package constriction: {hint}") from error
    return constriction.stream


def read_words(code: bytes) -> NDArray[np.uint32]:
    """The words of a code, whose last one is filled up with zeros."""
    return np.frombuffer(code + bytes(-len(code) % WORD_BYTE), ">u4").astype(np.uint32)


def shortest(whole: bytes, reads: Callable[[bytes], bool]) -> bytes:
    """A code without the last bytes that it, or the code + 1, can do without.

    The coder ends on a whole word, though a point of its last interval often has a shorter name: 2 bytes per code on
    average, a tenth of a small code.

    Args:
        reads: whether a code decodes to the same; may raise :class:`EntropyError`.
    """
    best = whole
    for n_byte in range(len(whole) - 1, -1, -1):
        cut = whole[:n_byte]
        above = int.from_bytes(cut, "big") + 1
        candidates = [cut] if above >> 8 * n_byte else [cut, above.to_bytes(n_byte, "big")]
        fitting = next((c for c in candidates if _reads(c, reads)), None)
        if fitting is None:
            return best
        best = fitting
    return best


def _reads(code: bytes, reads: Callable[[bytes], bool]) -> bool:
    try:
        return reads(code)
    except EntropyError:
        return False
