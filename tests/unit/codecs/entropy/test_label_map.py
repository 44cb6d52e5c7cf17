"""Label maps without loss: round trip, the cost that the tables promise, damage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simnet.codecs.entropy.label_map import MapCoder, fit_map_table
from simnet.codecs.entropy.static import EntropyError

RNG = np.random.default_rng(1)
PATCHES = np.kron(RNG.integers(0, 7, (30, 3, 4)), np.ones((1, 3, 3), np.int64))
CODER = MapCoder(fit_map_table(PATCHES, 7), 7, (9, 12))


@given(st.integers(0, 2**32), st.integers(1, 7))
def test_any_map_comes_back(seed: int, n_classes: int) -> None:
    label_map = np.random.default_rng(seed).integers(0, n_classes, (9, 12))
    assert np.array_equal(CODER.decode(CODER.encode(label_map)), label_map)


def test_maps_cost_what_the_tables_say() -> None:
    """Against −Σ log₂ p written out, place by place."""
    table = fit_map_table(PATCHES, 7)
    for label_map in PATCHES[:10]:
        bits = 0.0
        for i in range(9):
            for j in range(12):
                left = label_map[i, j - 1] if j else 7
                above = label_map[i - 1, j] if i else 7
                bits -= np.log2(table[left * 8 + above, label_map[i, j]] / 256)
        assert bits - 8 <= 8 * len(CODER.encode(label_map)) <= bits + 16
        assert len(CODER.encode(label_map)) < 9 * 12 * np.log2(7) / 8


@given(st.binary(max_size=40))
def test_any_bytes_are_a_map_or_one_error(code: bytes) -> None:
    try:
        label_map = CODER.decode(code)
    except EntropyError:
        return
    assert label_map.shape == (9, 12) and label_map.min() >= 0 and label_map.max() < 7


def test_foreign_tables_and_too_many_classes_are_refused() -> None:
    with pytest.raises(EntropyError, match="table of label maps"):
        MapCoder(fit_map_table(PATCHES, 7), 8, (9, 12))
    with pytest.raises(EntropyError, match=r"allowed 2\.\.64"):
        fit_map_table(PATCHES, 65)


@pytest.mark.parametrize("n_classes", [16, 17, 30, 64])
def test_many_classes_come_back_too(n_classes: int) -> None:
    maps = np.random.default_rng(2).integers(0, n_classes, (3, 9, 12))
    table = fit_map_table(maps, n_classes)
    assert table.shape == ((n_classes + 1) ** 2, max(16, n_classes)) and (table.sum(axis=1, dtype=int) == 256).all()
    coder = MapCoder(table, n_classes, (9, 12))
    assert all(np.array_equal(coder.decode(coder.encode(label_map)), label_map) for label_map in maps)
