"""Segmentation of payloads and the table of schemes."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simnet.core.errors import SimnetError, UnknownName
from simnet.phy.blocks import BLOCK_LENGTHS, capacity_byte, channel_uses, segment, split
from simnet.phy.mcs import MCS_TABLE, UNCODED_TABLE, mcs_by_name


@cache
def fewest_coded_bits(n_byte: int) -> int:
    """By trying every first block."""
    if n_byte <= 0:
        return 0
    return min(n + fewest_coded_bits(n_byte - capacity_byte(n)) for n in BLOCK_LENGTHS)


def test_capacities() -> None:
    assert [capacity_byte(n) for n in BLOCK_LENGTHS] == [33, 69, 141]


def test_segments_carry_every_length_in_the_fewest_coded_bits() -> None:
    for n_byte in range(900):
        blocks = segment(n_byte)
        assert sum(map(capacity_byte, blocks)) >= n_byte
        assert sum(blocks) == fewest_coded_bits(n_byte), n_byte


@given(st.binary(max_size=2000))
def test_split_loses_nothing_and_fills_all_but_the_last_block(payload: bytes) -> None:
    blocks = split(payload)
    assert b"".join(part for _, part in blocks) == payload
    assert all(len(part) == capacity_byte(n) for n, part in blocks[:-1])
    assert all(0 < len(part) <= capacity_byte(n) for n, part in blocks)


def test_a_negative_length_is_refused() -> None:
    with pytest.raises(SimnetError, match="got -1 byte; allowed 0 or more"):
        segment(-1)


def test_channel_uses_are_complex_symbols() -> None:
    assert [channel_uses(2304, mcs) for mcs in MCS_TABLE] == [1152, 576, 384]
    assert channel_uses(8, UNCODED_TABLE[2]) == 2


def test_schemes_by_name() -> None:
    assert [mcs_by_name(mcs.name) for mcs in MCS_TABLE + UNCODED_TABLE] == [*MCS_TABLE, *UNCODED_TABLE]
    rates = [mcs.bits_per_symbol * mcs.code_rate for mcs in MCS_TABLE]
    assert rates == sorted(rates)
    with pytest.raises(UnknownName, match=r"unknown MCS: got '16-QAM 1/3'; did you mean '16-QAM 1/2'\?"):
        mcs_by_name("16-QAM 1/3")
