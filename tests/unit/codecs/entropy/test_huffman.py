"""Canonical Huffman codes: round trip for any table, optimal against the textbook's tree, limited lengths, errors."""

from __future__ import annotations

import heapq
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simnet.codecs.entropy.huffman import LONGEST, HuffmanCode, HuffmanError, code_lengths

COUNTS = st.lists(st.integers(1, 10**9), min_size=2, max_size=40)


def total_of_tree(counts: list[int]) -> int:
    """Bits of all symbols by Huffman's own construction: the sum of all inner nodes' weights."""
    heap, total = list(counts), 0
    heapq.heapify(heap)
    while len(heap) > 1:
        node = heapq.heappop(heap) + heapq.heappop(heap)
        total += node
        heapq.heappush(heap, node)
    return total


@given(COUNTS, st.data())
def test_any_table_reads_what_it_wrote(counts: list[int], data: st.DataObject) -> None:
    code = HuffmanCode(code_lengths(counts))
    symbols = np.array(data.draw(st.lists(st.integers(0, len(counts) - 1), max_size=60)), np.int64)
    before = np.ones(data.draw(st.integers(0, 9)), np.uint8)
    bits = code.encode(symbols)
    assert len(bits) == code.n_bit(symbols)
    found, at = code.decode(np.concatenate((before, bits)), len(symbols), len(before))
    assert found.tolist() == symbols.tolist() and at == len(before) + len(bits)


@given(st.lists(st.integers(1, 50), min_size=2, max_size=40))
def test_as_short_as_a_huffman_tree_and_within_a_bit_of_entropy(counts: list[int]) -> None:
    lengths = code_lengths(counts)
    total = int((lengths * np.array(counts)).sum())
    assert total == total_of_tree(counts), "no length reaches the limit with so few counts"
    p = np.array(counts) / sum(counts)
    entropy = float(-(p * np.log2(p)).sum())
    assert entropy - 1e-9 <= total / sum(counts) < entropy + 1


@given(COUNTS, st.integers(6, LONGEST))
def test_no_code_is_longer_than_the_limit(counts: list[int], longest: int) -> None:
    lengths = code_lengths(counts, longest)
    assert lengths.max() <= longest
    assert sum(2.0 ** -int(n) for n in lengths) == 1.0
    cheapest = total_of_tree(counts)
    assert int((lengths * np.array(counts)).sum()) >= cheapest


def test_the_limited_code_is_the_best_of_all_that_keep_the_limit() -> None:
    """Against every assignment of lengths 1 … 3 to five symbols."""
    counts = [100, 40, 9, 3, 1]
    best = math.inf
    for code in range(3**5):
        lengths = [code // 3**i % 3 + 1 for i in range(5)]
        if sum(2.0**-n for n in lengths) <= 1:
            best = min(best, sum(n * c for n, c in zip(lengths, counts, strict=True)))
    assert int((code_lengths(counts, 3) * np.array(counts)).sum()) == best


def test_codes_follow_each_other_by_length_and_symbol() -> None:
    """RFC 1951, 3.2.2: lengths (3, 3, 3, 3, 3, 2, 4, 4) give 010, 011, 100, 101, 110, 00, 1110, 1111."""
    code = HuffmanCode(np.array([3, 3, 3, 3, 3, 2, 4, 4], np.uint8))
    words = ["".join(map(str, code.encode(np.array([symbol])))) for symbol in range(8)]
    assert words == ["010", "011", "100", "101", "110", "00", "1110", "1111"]


@pytest.mark.parametrize("lengths", [[1], [1, 1, 1], [1, 2], [0, 1], [16, 1]])
def test_lengths_of_no_code_are_refused(lengths: list[int]) -> None:
    with pytest.raises(HuffmanError, match="damaged"):
        HuffmanCode(np.array(lengths, np.uint8))


def test_bits_that_end_early_are_refused() -> None:
    code = HuffmanCode(np.array([1, 2, 2], np.uint8))
    with pytest.raises(HuffmanError, match="end before"):
        code.decode(code.encode(np.array([2, 2]))[:-1], 2)
    with pytest.raises(HuffmanError, match="allowed 2"):
        code_lengths([5])
