"""Label maps without loss: each place by a table that its left and upper neighbours choose, range coded.

Tables are those of :mod:`simnet.codecs.entropy.static`: whole numbers, so that codes decode alike on every machine.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from simnet.codecs.entropy.static import N_BINS, TOTAL, EntropyError, fit_table, range_coding, read_words, shortest

MAX_CLASSES: Final = 64
"""Each must have a weight ≥ 1 of a row's sum of 256, and room to differ."""


def class_bit(n_classes: int) -> int:
    """Bits of a class in raw layouts: at least 4."""
    return max(4, (n_classes - 1).bit_length())


def table_shape(n_classes: int) -> tuple[int, int]:
    """A row for each pair of neighbours, a column for each class, but at least 16."""
    return (n_classes + 1) ** 2, max(N_BINS, n_classes)


def fit_map_table(maps: NDArray[np.integer], n_classes: int) -> NDArray[np.uint8]:
    """Weights of a class, given the left and the upper neighbour (K: outside the map), as :func:`table_shape` says.

    Args:
        maps: [N, h, w], classes 0 … K − 1.

    Raises:
        EntropyError: more than ``MAX_CLASSES`` classes.
    """
    if n_classes > MAX_CLASSES:
        raise EntropyError(f"label maps: got {n_classes} classes; allowed 2..{MAX_CLASSES}")
    counts = np.full(table_shape(n_classes), 1e-3)
    np.add.at(counts, (_contexts(maps, n_classes).ravel(), maps.ravel()), 1.0)
    return fit_table(counts)


class MapCoder:
    """Codes maps of one size.

    Args:
        table: as :func:`fit_map_table` makes it.
        size: (h, w).

    Raises:
        EntropyError: not such a table, or constriction isn't installed.
    """

    def __init__(self, table: NDArray[np.uint8], n_classes: int, size: tuple[int, int]) -> None:
        if table.shape != table_shape(n_classes) or (table.sum(axis=1, dtype=np.int64) != TOTAL).any():
            raise EntropyError(f"table of label maps: got shape {table.shape}, or sums other than {TOTAL}")
        self._stream = range_coding()
        self._n_classes, self._size = n_classes, size
        self._weights = table / TOTAL
        self._models = [self._stream.model.Categorical(row, perfect=False) for row in self._weights]

    def encode(self, label_map: NDArray[np.integer]) -> bytes:
        """The shortest bytes that :meth:`decode` reads as this map [h, w]."""
        encoder = self._stream.queue.RangeEncoder()
        contexts = _contexts(label_map[None], self._n_classes)[0]
        family = self._stream.model.Categorical(perfect=False)
        encoder.encode(label_map.ravel().astype(np.int32), family, self._weights[contexts.ravel()])
        whole = encoder.get_compressed().astype(">u4").tobytes()
        return shortest(whole, lambda code: bool((self.decode(code) == label_map).all()))

    def decode(self, code: bytes) -> NDArray[np.int64]:
        """The map [h, w].

        Raises:
            EntropyError: no code of these tables.
        """
        decoder = self._stream.queue.RangeDecoder(read_words(code))
        h, w = self._size
        n = self._n_classes
        rows = [[n] * (w + 1)]
        try:
            for _ in range(h):
                row, above = [n], rows[-1]
                for column in range(w):
                    label = int(decoder.decode(self._models[row[-1] * (n + 1) + above[column + 1]]))
                    if label >= n:
                        raise EntropyError(f"label map's code of {len(code)} bytes: it names class {label} of {n}")
                    row.append(label)
                rows.append(row)
        except AssertionError as error:
            raise EntropyError(f"label map's code of {len(code)} bytes: not one of these tables") from error
        return np.array(rows[1:], np.int64)[:, 1:]


def _contexts(maps: NDArray[np.integer], n_classes: int) -> NDArray[np.int64]:
    """Row of the table for each place of maps [N, h, w]."""
    padded = np.pad(maps.astype(np.int64), ((0, 0), (1, 0), (1, 0)), constant_values=n_classes)
    contexts: NDArray[np.int64] = padded[:, 1:, :-1] * (n_classes + 1) + padded[:, :-1, 1:]
    return contexts
