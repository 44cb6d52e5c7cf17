"""The entropy coder: exact, near the table's entropy, and clear about foreign bytes."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from simnet.codecs.entropy.static import EntropyError, StaticCoder, fit_table

SKEWED = fit_table(np.array([[1000, 0, 3, 900, *range(12)], [1] * 16, [0] * 15 + [5]]))


@given(st.lists(st.lists(st.integers(0, 10**6), min_size=16, max_size=16).filter(sum), min_size=1, max_size=5))
def test_tables_are_whole_positive_and_of_sum_256(counts: list[list[int]]) -> None:
    table = fit_table(np.array(counts)).astype(int)
    assert (table >= 1).all()
    assert (table.sum(axis=1) == 256).all()
    shares = np.array(counts) / np.array(counts).sum(axis=1, keepdims=True)
    assert (np.abs(table - 1 - 240 * shares) < 1).all()  # rounded down or up


@pytest.mark.parametrize("n_bit", [2, 3, 4, 5, 8, 12, 16])
def test_codes_decode_exactly_and_are_as_short_as_the_table_promises(n_bit: int) -> None:
    coder = StaticCoder(SKEWED, n_values=20, n_bit=n_bit)
    for seed in range(20):
        symbols = drawn(SKEWED, n_bit, 20, np.random.default_rng(seed))
        code = coder.encode(symbols)
        assert (coder.decode(code) == symbols).all()
        assert len(code) <= information_bit(SKEWED, symbols, n_bit) / 8 + 1


def test_any_symbols_can_be_coded() -> None:
    coder = StaticCoder(SKEWED, n_values=2, n_bit=4)
    rarest = np.array([[1, 1], [0, 15], [0, 0]])
    assert (coder.decode(coder.encode(rarest)) == rarest).all()


def test_the_most_probable_symbols_can_have_an_empty_code() -> None:
    coder = StaticCoder(fit_table(np.array([[10**6] + [0] * 15])), n_values=1, n_bit=4)
    assert coder.encode(np.array([[0]])) == b""
    assert coder.decode(b"").tolist() == [[0]]


@given(st.binary(max_size=40))
def test_foreign_bytes_give_symbols_or_one_clear_error(code: bytes) -> None:
    coder = StaticCoder(SKEWED, n_values=9, n_bit=6)
    try:
        symbols = coder.decode(code)
    except EntropyError as error:
        assert "not one of these tables" in str(error)
    else:
        assert symbols.shape == (3, 9)
        assert ((symbols >= 0) & (symbols < 64)).all()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (np.full((2, 15), 16, np.uint8), r"got shape \(2, 15\)"),
        (np.full((2, 16), 15, np.uint8), "sum 256"),
        (np.eye(16, dtype=np.uint8) * 255 + 1, "sum 256"),
        (np.array([[0, *[17] * 14, 18]], np.uint8), "weights ≥ 1"),
    ],
)
def test_damaged_tables_are_refused(table: NDArray[np.uint8], message: str) -> None:
    with pytest.raises(EntropyError, match=message):
        StaticCoder(table, n_values=1, n_bit=4)


def test_without_constriction_only_entropy_coding_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "constriction", None)
    with pytest.raises(EntropyError, match="entropy_coding: false"):
        StaticCoder(SKEWED, n_values=1, n_bit=4)


def drawn(table: NDArray[np.uint8], n_bit: int, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Symbols as probable as the table says, [D, n]."""
    bins = np.stack([rng.choice(16, n, p=row / 256) for row in table])
    if n_bit < 4:
        return bins >> 4 - n_bit
    return bins << n_bit - 4 | rng.integers(0, 1 << n_bit - 4, bins.shape)


def information_bit(table: NDArray[np.uint8], symbols: NDArray[np.int64], n_bit: int) -> float:
    """−log2 of the symbols' probability under the table."""
    total = 0.0
    for row, values in zip(table.astype(float), symbols, strict=True):
        for value in values:
            if n_bit < 4:
                span = 1 << 4 - n_bit
                total -= np.log2(row[value * span : (value + 1) * span].sum() / 256)
            else:
                total -= np.log2(row[value >> n_bit - 4] / 256) - (n_bit - 4)
    return total
