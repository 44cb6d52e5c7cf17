"""Blocks, symbols and the probability that all arrive, held against the radios' own and against the exact chain."""

from __future__ import annotations

import numpy as np
import pytest

from simnet.core.mcs import Mcs, mcs_by_name
from simnet.phy.blocks import BlockFormat, split
from simnet.phy.bounds.fading_average import mean_over_rayleigh
from simnet.phy.chain import BlockJob, DigitalChain, Reception
from simnet.phy.tables.bler import load_table
from simnet.phy.tables.effective_fit import symbol_gains
from simnet.signal.digital.transport import Words, blocks, channel_uses, delivery, most_byte, rayleigh_powers

QPSK, QAM64 = mcs_by_name("QPSK 1/2"), mcs_by_name("64-QAM 3/4")


@pytest.mark.parametrize("n_byte", [1, 33, 34, 100, 141, 142, 500])
def test_short_words_are_the_blocks_that_radios_cut(n_byte: int) -> None:
    cut = [BlockFormat(k, QPSK) for k, _ in split(bytes(n_byte))]
    assert channel_uses(n_byte, QPSK, "short") == sum(block.channel_uses for block in cut)
    assert sum(blocks(n_byte, QPSK, "short").values()) == len(cut)


@pytest.mark.parametrize(("scheme", "n_byte", "symbols"), [
    ("QPSK 1/2", 141, 1152), ("QPSK 1/2", 142, 2304), ("64-QAM 1/2", 141, 384), ("64-QAM 3/4", 213, 384),
    ("16-QAM 2/3", 189, 576),
])  # fmt: skip
def test_long_words_have_2304_bits(scheme: str, n_byte: int, symbols: int) -> None:
    """PAPERS: one 2304-bit word at 64-QAM is 384 symbols. 3 bytes of each word are its CRC."""
    assert channel_uses(n_byte, mcs_by_name(scheme), "2304") == symbols


@pytest.mark.parametrize("words", ["short", "2304"])
@pytest.mark.parametrize("mcs", [QPSK, QAM64])
def test_the_most_bytes_that_fit(mcs: Mcs, words: Words) -> None:
    uses = [channel_uses(n, mcs, words) for n in range(1, 700)]
    assert uses == sorted(uses), "more bytes never take fewer symbols"
    for n_symbol in (50, 384, 800, 1000):
        fitting = [n for n, used in enumerate(uses, 1) if used <= n_symbol]
        assert most_byte(n_symbol, mcs, words) == (max(fitting) if fitting else 0) < 699


def test_every_block_must_arrive() -> None:
    esno = 10**0.12
    short, long = (load_table(BlockFormat(k, QPSK)).lookup(esno).bler for k in (288, 1152))
    assert 0.001 < short < 0.999
    assert delivery(141 + 30, QPSK, "short", "awgn", esno) == pytest.approx((1 - long) * (1 - short))
    assert delivery(3 * 141, QPSK, "2304", "awgn", esno) == pytest.approx((1 - long) ** 3)


@pytest.mark.parametrize("esno_db", [0.0, 10.0, 20.0])
def test_block_fading_is_the_mean_over_the_channel_s_power(esno_db: float) -> None:
    table, esno = load_table(BlockFormat(1152, QPSK)), 10 ** (esno_db / 10)
    exact = mean_over_rayleigh(lambda x: table.lookup(x).bler, esno).value
    assert delivery(141, QPSK, "2304", "rayleigh_block", esno) == pytest.approx(1 - exact, abs=0.003)
    assert rayleigh_powers().mean() == pytest.approx(1.0, abs=0.005)


def test_blocks_of_one_unit_fade_together() -> None:
    """Of ten blocks that all meet one h the probability is near that of one, not its tenth power."""
    one, ten = (delivery(n * 141, QPSK, "2304", "rayleigh_block", 10.0) for n in (1, 10))
    assert one**10 < 0.5 * ten and ten > 0.95 * one


def test_fast_fading_is_what_the_exact_chain_gives() -> None:
    block, esno_db, n = BlockFormat(288, mcs_by_name("16-QAM 2/3")), 9.5, 400
    rng = np.random.default_rng(5)
    jobs = [
        BlockJob(bytes(33), block, (Reception(10 ** (esno_db / 10), gain, (5, "fast", i)),))
        for i, gain in enumerate(symbol_gains("rayleigh_fast", block.channel_uses, rng) for _ in range(n))
    ]
    right = sum(result.payload == bytes(33) for result in DigitalChain().transmit(jobs)) / n
    expected = delivery(33, block.mcs, "short", "rayleigh_fast", 10 ** (esno_db / 10))
    assert 0.1 < expected < 0.9, "a place where errors are neither rare nor certain"
    assert right == pytest.approx(expected, abs=4 * (expected * (1 - expected) / n) ** 0.5 + 0.05)  # MIESM's own error


def test_nothing_arrives_below_the_tables() -> None:
    assert delivery(100, QAM64, "short", "awgn", 1.0) == 0.0
