"""Symbols as one large number: round trip, and the bound of equation (5)."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simnet.codecs.entropy.radix import radix_n_byte, radix_pack, radix_unpack


@given(st.data(), st.integers(2, 16), st.integers(1, 200))
def test_round_trip_within_a_byte_of_the_bound(data: st.DataObject, n_levels: int, n: int) -> None:
    symbols = np.array(data.draw(st.lists(st.integers(0, n_levels - 1), min_size=n, max_size=n)))
    packed = radix_pack(symbols, n_levels)
    assert len(packed) == radix_n_byte(n, n_levels)
    assert n * math.log2(n_levels) - 1e-6 <= 8 * len(packed) < n * math.log2(n_levels) + 8
    assert radix_unpack(packed, n, n_levels).tolist() == symbols.tolist()


@given(st.binary(min_size=14, max_size=14))
def test_any_bytes_are_some_symbols(packed: bytes) -> None:
    symbols = radix_unpack(packed, 48, 5)
    assert symbols.shape == (48,) and 0 <= int(symbols.min()) <= int(symbols.max()) < 5
