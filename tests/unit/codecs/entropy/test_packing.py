"""Packed bits against Python's own big integers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simnet.codecs.entropy.packing import pack, packed_n_byte, unpack


@given(st.integers(1, 16).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.integers(0, 2**n - 1), min_size=1))))
def test_symbols_are_the_digits_of_one_big_number(case: tuple[int, list[int]]) -> None:
    n_bit, symbols = case
    number = 0
    for symbol in symbols:
        number = number << n_bit | symbol
    n_byte = packed_n_byte(len(symbols), n_bit)
    packed = pack(np.array(symbols), n_bit)
    assert packed == (number << 8 * n_byte - n_bit * len(symbols)).to_bytes(n_byte, "big")
    assert unpack(packed, len(symbols), n_bit).tolist() == symbols


def test_a_wrong_bit_changes_one_symbol() -> None:
    symbols = np.arange(40) % 32
    packed = bytearray(pack(symbols, 5))
    packed[7] ^= 0x10
    assert (unpack(bytes(packed), 40, 5) != symbols).sum() == 1
