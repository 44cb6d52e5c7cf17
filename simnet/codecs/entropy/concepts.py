"""The bytes of RL-ASC's codes: label map, a level for each concept that is there, Huffman codes of its features.

::

    n_map (1 byte; 255: 4 bytes follow) | label map | levels, 3 bits each | [tables, 4 bits per symbol] | Huffman codes

The label map has the size of the features, or that of the picture; then the features' is made of it.

The raw layout, in which a wrong bit stays local unless it hits map or levels: 4 bits of class per place of the
map (5 or 6 where there are more than 16 classes), 3 bits of level for each class of the model, symbols of whole bits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simnet.codecs.entropy.huffman import HuffmanCode, HuffmanError, code_lengths
from simnet.codecs.entropy.label_map import MapCoder, class_bit
from simnet.codecs.entropy.lengths import part_at, with_length
from simnet.codecs.entropy.packing import bits_of, numbers_of
from simnet.codecs.entropy.static import EntropyError
from simnet.codecs.entropy.whole_map import WholeMaps

LENGTH_BIT = 4
"""Of the length of a Huffman code."""


@dataclass(frozen=True)
class Concepts:
    """What a picture becomes: its label map [h, w], each class's level [M], and symbols [n, places] by class.

    ``whole_map``: the map [H, W] of the picture's size, where that is what is sent.
    """

    label_map: NDArray[np.int64]
    levels: NDArray[np.int64]
    symbols: Mapping[int, NDArray[np.int64]]
    whole_map: NDArray[np.int64] | None = None


class ConceptFormat:
    """Writes and reads the concepts of pictures of one size.

    Args:
        grid: (h, w) of the label map.
        n_channels: n, values per place.
        n_classes: M, 2 … 64.
        n_centres: of each level.
        own_tables: each code brings the Huffman tables that it uses.
        whole_maps: what codes label maps of the picture's size; None: they have the features'.
    """

    def __init__(
        self, grid: tuple[int, int], n_channels: int, n_classes: int, n_centres: tuple[int, ...], *, own_tables: bool,
        whole_maps: WholeMaps | None = None,
    ) -> None:  # fmt: skip
        self._grid, self._n, self._n_classes = grid, n_channels, n_classes
        self._n_centres, self._own_tables, self._whole_maps = n_centres, own_tables, whole_maps
        self._starts = np.cumsum((0, *n_centres)).tolist()
        self._class_bit = class_bit(n_classes)
        self._level_bit = (len(n_centres) - 1).bit_length()

    def write(self, concepts: Concepts, tables: Mapping[int, NDArray[np.uint8]], map_table: NDArray[np.uint8]) -> bytes:
        """A code.

        Args:
            tables: class -> Huffman lengths of all levels, [Σ n_centres].
            map_table: of the label map's coder.
        """
        if self._whole_maps is None:
            coded_map = self._map_coder(map_table).encode(concepts.label_map)
        else:
            coded_map = self._whole_maps.encode(self._sent_map(concepts))
        parts = [bits_of(concepts.levels[sorted(concepts.symbols)], self._level_bit)]
        for label, values in sorted(concepts.symbols.items()):
            lengths = self._table(tables, label, int(concepts.levels[label]))
            if self._own_tables:
                lengths = code_lengths(np.bincount(values.ravel(), minlength=len(lengths)) + 1)
                parts.append(bits_of(lengths, LENGTH_BIT))
            parts.append(HuffmanCode(lengths).encode(values))
        return with_length(coded_map) + np.packbits(np.concatenate(parts)).tobytes()

    def read(self, code: bytes, tables: Mapping[int, NDArray[np.uint8]], map_table: NDArray[np.uint8]) -> Concepts:
        """The concepts of a code.

        Raises:
            EntropyError, HuffmanError: not such a code, or of other tables.
            KeyError: the tables of a class in it are missing.
        """
        label_map, whole_map, at = self._read_map(code, map_table)
        there, counts = np.unique(label_map, return_counts=True)
        bits = np.unpackbits(np.frombuffer(code, np.uint8, offset=at))
        levels, symbols = np.zeros(self._n_classes, np.int64), {}
        named, at = self._taken(bits, 0, len(there), self._level_bit)
        if named.max() >= len(self._n_centres):
            raise EntropyError(f"code of {len(code)} bytes: it names level {named.max() + 1} of {len(self._n_centres)}")
        levels[there] = named
        for label, n_places in zip(there.tolist(), counts.tolist(), strict=True):
            lengths = self._table(tables, label, int(levels[label]))
            if self._own_tables:
                found, at = self._taken(bits, at, len(lengths), LENGTH_BIT)
                lengths = found.astype(np.uint8)
            values, at = HuffmanCode(lengths).decode(bits, self._n * n_places, at)
            symbols[label] = values.reshape(self._n, n_places)
        if len(bits) - at >= 8:
            raise EntropyError(f"code of {len(code)} bytes: the last {(len(bits) - at) // 8} are too many")
        return Concepts(label_map, levels, symbols, whole_map)

    def read_map(self, code: bytes, map_table: NDArray[np.uint8]) -> NDArray[np.int64]:
        """The label map [h, w] of a code.

        Raises:
            EntropyError: not such a code.
        """
        return self._read_map(code, map_table)[0]

    def _read_map(
        self, code: bytes, map_table: NDArray[np.uint8]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64] | None, int]:
        """The label map of the features' size, the one of the picture's, and at which byte the rest begins."""
        coded_map, end = part_at(code, 0, "label map")
        if self._whole_maps is None:
            return self._map_coder(map_table).decode(coded_map), None, end
        whole_map = self._whole_maps.decode(coded_map)
        return self._whole_maps.shrink(whole_map), whole_map, end

    def _sent_map(self, concepts: Concepts) -> NDArray[np.int64]:
        if self._whole_maps is None:
            return concepts.label_map
        if concepts.whole_map is None:
            raise EntropyError("concepts: no label map of the picture's size; it is what this format sends")
        return concepts.whole_map

    def spent(self, concepts: Concepts, tables: Mapping[int, NDArray[np.uint8]]) -> NDArray[np.int64]:
        """Bits of each class's features, [M], by the tables of the model."""
        spent = np.zeros(self._n_classes, np.int64)
        for label, values in concepts.symbols.items():
            spent[label] = HuffmanCode(self._table(tables, label, int(concepts.levels[label]))).n_bit(values)
        return spent

    def write_raw(self, concepts: Concepts) -> bytes:
        """A code in the raw layout."""
        parts = [bits_of(self._sent_map(concepts), self._class_bit), bits_of(concepts.levels, self._level_bit)]
        for label, values in sorted(concepts.symbols.items()):
            parts.append(bits_of(values, self._symbol_bit(int(concepts.levels[label]))))
        return np.packbits(np.concatenate(parts)).tobytes()

    def read_raw(self, code: bytes) -> Concepts:
        """The concepts of any bytes: what can't be so becomes the nearest that can, what is missing zeros."""
        sent = self._grid if self._whole_maps is None else self._whole_maps.size
        n_sent, n_values = math.prod(sent), math.prod(self._grid) * self._n
        most = n_sent * self._class_bit + n_values * self._symbol_bit(len(self._n_centres) - 1)
        bits = np.unpackbits(np.frombuffer(code, np.uint8))
        bits = np.pad(bits, (0, max(0, most + self._n_classes * self._level_bit - len(bits))))
        labels, at = self._taken(bits, 0, n_sent, self._class_bit)
        levels, at = self._taken(bits, at, self._n_classes, self._level_bit)
        labels, levels = labels.clip(0, self._n_classes - 1), levels.clip(0, len(self._n_centres) - 1)
        whole_map = None
        if self._whole_maps is not None:
            whole_map = labels.reshape(sent)
            labels = self._whole_maps.shrink(whole_map)
        symbols = {}
        for label, n in zip(*(x.tolist() for x in np.unique(labels, return_counts=True)), strict=True):
            values, at = self._taken(bits, at, self._n * n, self._symbol_bit(levels[label]))
            symbols[label] = values.clip(0, self._n_centres[levels[label]] - 1).reshape(self._n, n)
        return Concepts(labels.reshape(self._grid), levels, symbols, whole_map)

    def _map_coder(self, table: NDArray[np.uint8]) -> MapCoder:
        return MapCoder(table, self._n_classes, self._grid)

    def _table(self, tables: Mapping[int, NDArray[np.uint8]], label: int, level: int) -> NDArray[np.uint8]:
        return tables[label][self._starts[level] : self._starts[level + 1]]

    def _symbol_bit(self, level: int) -> int:
        return (self._n_centres[level] - 1).bit_length()

    @staticmethod
    def _taken(bits: NDArray[np.uint8], at: int, n: int, n_bit: int) -> tuple[NDArray[np.int64], int]:
        """So many numbers from bit ``at`` on, and where the next bit is."""
        end = at + n * n_bit
        if len(bits) < end:
            raise HuffmanError(f"bits: got {len(bits)}; the code goes on to {end}")
        return numbers_of(bits[at:end], n_bit), end
