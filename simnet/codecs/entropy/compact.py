"""Small pictures without loss: each value less what its neighbours foretell, range coded by a static table."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simnet.codecs.entropy.static import BIN_BIT, N_BINS, StaticCoder, fit_table


class CompactCoder:
    """Codes pictures [C, h, w] of whole numbers 0 … 2^n_bit − 1.

    Args:
        table: [C, 16], as :func:`fit_compact_table` makes it.
        size: (h, w).

    Raises:
        EntropyError: not such a table, or constriction isn't installed.
    """

    def __init__(self, table: NDArray[np.uint8], size: tuple[int, int], n_bit: int) -> None:
        self._size, self._n = size, 2**n_bit
        self._coder = StaticCoder(table, n_values=size[0] * size[1], n_bit=n_bit)

    def encode(self, picture: NDArray[np.int64]) -> bytes:
        return self._coder.encode(differences(picture, self._n).reshape(len(picture), -1))

    def decode(self, code: bytes) -> NDArray[np.int64]:
        """The picture.

        Raises:
            EntropyError: no code of this table.
        """
        return _restored(self._coder.decode(code).reshape(-1, *self._size), self._n)


def fit_compact_table(pictures: NDArray[np.integer], n_bit: int) -> NDArray[np.uint8]:
    """The table [C, 16] that fits pictures [N, C, h, w]."""
    n = 2**n_bit
    found = np.stack([differences(picture, n) for picture in pictures]).swapaxes(0, 1)
    bins = found.reshape(found.shape[0], -1) >> max(0, n_bit - BIN_BIT)
    return fit_table(np.stack([np.bincount(row, minlength=N_BINS) for row in bins]) + 1)


def differences(picture: NDArray[np.integer], n: int) -> NDArray[np.int64]:
    """What a picture [C, h, w] of values below n is beyond its prediction, modulo n; n / 2 is as foretold."""
    values = picture.astype(np.int64)
    padded = _bordered(values)
    return (values - _foretold(padded[:, 1:, :-1], padded[:, :-1, 1:], padded[:, :-1, :-1]) + n // 2) % n


def _restored(found: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    _, height, width = found.shape
    padded = _bordered(np.zeros_like(found))
    for y in range(1, height + 1):
        for x in range(1, width + 1):
            foretold = _foretold(padded[:, y, x - 1], padded[:, y - 1, x], padded[:, y - 1, x - 1])
            padded[:, y, x] = (found[:, y - 1, x - 1] + foretold - n // 2) % n
    return padded[:, 1:, 1:]


def _bordered(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """With zeros to the left and above."""
    return np.pad(values, ((0, 0), (1, 0), (1, 0)))


def _foretold(left: NDArray[np.int64], above: NDArray[np.int64], corner: NDArray[np.int64]) -> NDArray[np.int64]:
    """The median edge detector of JPEG-LS (ITU-T T.87, A.3.1): the median of left, above and left + above − corner."""
    low, high = np.minimum(left, above), np.maximum(left, above)
    median: NDArray[np.int64] = np.clip(left + above - corner, low, high)
    return median
