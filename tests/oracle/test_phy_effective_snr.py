"""Effective-SNR maps, HARQ's conditional rule and fading by table, against the exact chain."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest
import torch

from simnet.core.mcs import MCS_TABLE, Mcs, mcs_by_name
from simnet.core.streams import complex_normal, generator
from simnet.core.units import db_to_linear, linear_to_db
from simnet.phy.blocks import BLOCK_BITS, BlockFormat
from simnet.phy.chain import BlockJob, DigitalChain, Reception
from simnet.phy.native import NativeBackend
from simnet.phy.tables.bler import load_table
from simnet.phy.tables.calibration import send_round
from simnet.phy.tables.effective_fit import symbol_gains
from simnet.phy.tables.effective_snr import eesm, miesm

FORMATS = [BlockFormat(k, mcs) for k in BLOCK_BITS for mcs in MCS_TABLE]


def test_equal_symbols_are_their_own_effective_esno() -> None:
    for esno in (0.3, 2.0, 40.0):
        assert miesm(np.full(7, esno), 4, 1.7) == pytest.approx(esno, rel=1e-6)
        assert eesm(np.full(7, esno), 3.1) == pytest.approx(esno, rel=1e-12)


def test_the_exponential_map_is_a_mean_of_exponentials() -> None:
    assert eesm(np.array([1.0, 3.0]), 2.0) == pytest.approx(-2 * np.log((np.exp(-0.5) + np.exp(-1.5)) / 2))
    assert eesm(np.array([0.0, 1e6]), 1.0) == pytest.approx(np.log(2))


def test_both_maps_lie_between_the_worst_symbol_and_the_mean() -> None:
    esno = generator(1, "maps").exponential(5.0, 300)
    for value in (miesm(esno, 6), eesm(esno, 4.0)):
        assert esno.min() < value < esno.mean()


@pytest.mark.parametrize("block_format", FORMATS, ids=str)
def test_the_fitted_maps_hold_on_channels_that_they_were_not_fitted_on(block_format: BlockFormat) -> None:
    """As the tables say themselves; a tenth of a dB is what a BLER of a few percent can tell from 512 blocks."""
    maps = load_table(block_format).effective
    assert maps
    for each in maps:
        assert each.check_rms_db < (0.15 if each.kind == "miesm" else 0.3)


@pytest.mark.parametrize("name", ["QPSK 1/2", "16-QAM 3/4", "64-QAM 5/6"])
@pytest.mark.parametrize("channel", ["tdl_c", "rician_fast"])
def test_a_frequency_selective_block_fares_as_the_table_says(channel: str, name: str) -> None:
    """Realisations that neither fit nor check has seen; 0.15 dB aside, the BLER must be the tabled one."""
    block_format = BlockFormat(1152, mcs_by_name(name))
    table = load_table(block_format)
    aim = table.threshold(0.2)
    for index in range(3):
        gains = symbol_gains(channel, block_format.channel_uses, generator(8, "unseen", channel, index))
        power = np.abs(gains).astype(np.float64) ** 2
        low, high = aim / 10, aim * 1000
        for _ in range(60):
            middle = sqrt(low * high)
            low, high = (low, middle) if table.effective_esno(power * middle) >= aim else (middle, high)
        rng = generator(8, "unseen blocks", channel, index)
        lost, _ = send_round(NativeBackend(), block_format, high, 300, rng, gains=gains)
        best, worst = (table.lookup(aim * db_to_linear(shift_db)).bler for shift_db in (0.15, -0.15))
        error = 4 * sqrt(0.25 / 300)
        assert best - error < lost.mean() < worst + error, linear_to_db(high)


def jobs(block_format: BlockFormat, esnos: list[float], n_blocks: int) -> list[BlockJob]:
    """Blocks heard as often as there are Es/N0, each with its own noise."""
    payload = [generator(9, "harq", i).bytes(block_format.capacity_byte) for i in range(n_blocks)]
    return [
        BlockJob(
            payload[i],
            block_format,
            tuple(Reception(esno, 1.0 + 0j, (9, "harq", i, attempt)) for attempt, esno in enumerate(esnos)),
        )
        for i in range(n_blocks)
    ]


@pytest.mark.parametrize(
    ("mcs", "esnos_db"),
    [(MCS_TABLE[0], (0.6, -7.0, -7.0)), (mcs_by_name("16-QAM 3/4"), (9.9, -1.0, -1.0))],
    ids=lambda value: getattr(value, "name", ""),
)
def test_combined_blocks_fail_again_as_the_conditional_rule_says(mcs: Mcs, esnos_db: tuple[float, ...]) -> None:
    """P(fail n | failed n − 1) = BLER(γ_1 + … + γ_n)/BLER(γ_1 + … + γ_(n−1)), within 0.1 dB of the sum."""
    block_format = BlockFormat(576, mcs)
    table, chain = load_table(block_format), DigitalChain()
    all_jobs = jobs(block_format, [db_to_linear(db) for db in esnos_db], 1500)
    failing = all_jobs
    for n in range(1, len(esnos_db) + 1):
        heard = [replace(job, receptions=job.receptions[:n]) for job in failing]
        results = chain.transmit(heard)
        still = [job for job, result in zip(failing, results, strict=True) if not result.ok]
        total = sum(db_to_linear(db) for db in esnos_db[:n])
        before = sum(db_to_linear(db) for db in esnos_db[: n - 1])
        known = table.lookup(before).bler if before else 1.0
        rate = len(still) / len(failing)
        error = 4 * sqrt(0.25 / len(failing))
        best, worst = (min(1.0, table.lookup(total * db_to_linear(s)).bler / known) for s in (0.1, -0.1))
        assert best - error < rate < worst + error, n
        failing = still
    assert len(failing) < len(all_jobs) / 4


def test_flat_block_fading_is_a_lookup_at_the_instant() -> None:
    """Blocks over named Rayleigh gains in the exact chain fail as often as the tabled rates at |h|²·Es/N0 add up to."""
    block_format, esno, n_blocks = BlockFormat(288, MCS_TABLE[0]), db_to_linear(6.0), 3000
    gains = [complex_normal(4, "flat", i) for i in range(n_blocks)]
    table = load_table(block_format)
    expected = [table.lookup(abs(gain) ** 2 * esno).bler for gain in gains]
    sent = [
        BlockJob(generator(4, "flat", i).bytes(33), block_format, (Reception(esno, gain, (4, "flat noise", i)),))
        for i, gain in enumerate(gains)
    ]
    failed = sum(not result.ok for result in DigitalChain().transmit(sent))
    variance = sum(p * (1 - p) for p in expected)
    assert abs(failed - sum(expected)) < 4 * sqrt(variance)
    assert failed > 300


@pytest.mark.parametrize("name", ["QPSK 1/2", "256-QAM 5/6"])
def test_two_receptions_are_one_at_the_sum_of_both(name: str) -> None:
    """Means and variances: at gains h1, h2 and Es/N0 γ1, γ2 the noise left has the variance 1/(|h1|²γ1 + |h2|²γ2)."""
    block_format = BlockFormat(576, mcs_by_name(name))
    chain, rng = DigitalChain(), generator(5, "combined")
    sent = chain.send(rng.integers(0, 256, (200, 69), dtype=np.uint8), block_format)
    heard = []
    for gain, esno in ((0.5 + 0.5j, 4.0), (-2j, 0.7)):
        draws = rng.standard_normal((*sent.symbols.shape, 2), dtype=np.float32) * np.float32(0.5**0.5)
        noise = torch.from_numpy(draws.view(np.complex64)[..., 0])
        gains = torch.full((200, 1), gain, dtype=torch.complex64)
        heard.append(chain.receive(sent, gains, torch.full((200,), esno), noise))
    both = heard[0].combined(heard[1])
    expected = 1 / (0.5 * 4.0 + 4.0 * 0.7)
    assert both.noise_variance.unique().tolist() == pytest.approx([expected], rel=1e-6)
    error = (both.symbols - sent.symbols).abs().square()
    n = error.numel()
    assert abs(float(error.mean()) - expected) < 4 * expected / sqrt(n)
