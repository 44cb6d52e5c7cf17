"""RL-ASC's codes, of few classes and of many: what is written comes back, coded and in the raw layout."""

from __future__ import annotations

import numpy as np
import pytest

from simnet.codecs.entropy.concepts import ConceptFormat, Concepts
from simnet.codecs.entropy.huffman import code_lengths
from simnet.codecs.entropy.label_map import fit_map_table

GRID, N, N_CENTRES = (6, 8), 3, (3, 5, 9)


def drawn(n_classes: int) -> Concepts:
    """The highest class among them, each class at a level of its own."""
    rng = np.random.default_rng(n_classes)
    label_map = rng.integers(0, n_classes, GRID)
    label_map[0, 0] = n_classes - 1
    there, counts = np.unique(label_map, return_counts=True)
    levels = np.zeros(n_classes, np.int64)
    levels[there] = rng.integers(0, len(N_CENTRES), len(there))
    symbols = {
        label: rng.integers(0, N_CENTRES[levels[label]], (N, n))
        for label, n in zip(there.tolist(), counts.tolist(), strict=True)
    }
    return Concepts(label_map, levels, symbols)


def same(a: Concepts, b: Concepts) -> bool:
    return (
        np.array_equal(a.label_map, b.label_map)
        and np.array_equal(a.levels, b.levels)
        and a.symbols.keys() == b.symbols.keys()
        and all(np.array_equal(a.symbols[label], b.symbols[label]) for label in a.symbols)
    )


@pytest.mark.parametrize("n_classes", [2, 11, 17, 30, 64])
@pytest.mark.parametrize("own_tables", [False, True])
def test_concepts_come_back(n_classes: int, own_tables: bool) -> None:
    concepts = drawn(n_classes)
    format_ = ConceptFormat(GRID, N, n_classes, N_CENTRES, own_tables=own_tables)
    lengths = np.concatenate([code_lengths(np.ones(n, np.int64)) for n in N_CENTRES])
    tables = dict.fromkeys(range(n_classes), lengths)
    map_table = fit_map_table(concepts.label_map[None], n_classes)
    assert same(format_.read(format_.write(concepts, tables, map_table), tables, map_table), concepts)
    assert same(format_.read_raw(format_.write_raw(concepts)), concepts)
