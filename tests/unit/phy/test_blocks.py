"""Segmentation of payloads and the table of schemes."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simnet.core.errors import SimnetError, UnknownName
from simnet.core.mcs import CODE_FAMILIES, MCS_TABLE, UNCODED_TABLE, CodeFamily, Mcs, mcs_by_name
from simnet.phy.blocks import BLOCK_BITS, BlockFormat, capacity_byte, channel_uses, segment, split
from simnet.phy.families import block_code


@cache
def fewest_bits(n_byte: int) -> int:
    """By trying every first block."""
    if n_byte <= 0:
        return 0
    return min(k + fewest_bits(n_byte - capacity_byte(k)) for k in BLOCK_BITS)


def test_capacities() -> None:
    assert [capacity_byte(k) for k in BLOCK_BITS] == [33, 69, 141]


def test_segments_carry_every_length_in_the_fewest_bits() -> None:
    for n_byte in range(900):
        blocks = segment(n_byte)
        assert sum(map(capacity_byte, blocks)) >= n_byte
        assert sum(blocks) == fewest_bits(n_byte), n_byte


@given(st.binary(max_size=2000))
def test_split_loses_nothing_and_fills_all_but_the_last_block(payload: bytes) -> None:
    blocks = split(payload)
    assert b"".join(part for _, part in blocks) == payload
    assert all(len(part) == capacity_byte(k) for k, part in blocks[:-1])
    assert all(0 < len(part) <= capacity_byte(k) for k, part in blocks)


def test_a_negative_length_is_refused() -> None:
    with pytest.raises(SimnetError, match="got -1 byte; allowed 0 or more"):
        segment(-1)


def test_channel_uses_are_complex_symbols() -> None:
    uses = {mcs.name: BlockFormat(1152, mcs).channel_uses for mcs in MCS_TABLE}
    assert [uses[f"{name} 1/2"] for name in ("QPSK", "16-QAM", "64-QAM", "256-QAM")] == [1152, 576, 384, 288]
    assert [uses[f"QPSK {rate}"] for rate in ("1/2", "2/3", "3/4", "5/6")] == [1152, 864, 768, 696]
    assert channel_uses(8, UNCODED_TABLE[2]) == 2


@pytest.mark.parametrize("code", CODE_FAMILIES)
@pytest.mark.parametrize("mcs", MCS_TABLE, ids=lambda mcs: mcs.name)
def test_formats_count_the_bits_that_the_codes_send(mcs: Mcs, code: CodeFamily) -> None:
    for k in (32, 200, *BLOCK_BITS):
        block_format = BlockFormat(k, mcs, code)
        sent = block_code(block_format)
        assert (sent.k, sent.n) == (k, block_format.coded_bits)
        assert k <= mcs.rate * sent.n
        assert k > mcs.rate / 2 * sent.n or k < BLOCK_BITS[0]  # only tiny blocks are shortened by much


def test_a_block_too_long_for_the_standard_is_refused() -> None:
    with pytest.raises(SimnetError, match=r"block of 1160 bit: IEEE 802\.16e at rate 1/2 holds 1152 at most; cut it"):
        _ = BlockFormat(1160, MCS_TABLE[0]).coded_bits


def test_schemes_by_name() -> None:
    assert [mcs_by_name(mcs.name) for mcs in MCS_TABLE + UNCODED_TABLE] == [*MCS_TABLE, *UNCODED_TABLE]
    assert len(MCS_TABLE) == 16
    assert mcs_by_name("64-QAM 5/6").efficiency == pytest.approx(5.0)
    with pytest.raises(UnknownName, match=r"unknown MCS: got '16-QAM 1/3'; did you mean '16-QAM 2/3'\?"):
        mcs_by_name("16-QAM 1/3")
