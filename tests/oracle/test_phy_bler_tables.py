"""The shipped BLER tables against fresh runs of the exact chain, with other payloads and noise."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from scipy.stats import poisson

from simnet.core.mcs import MCS_TABLE, mcs_by_name
from simnet.core.streams import generator
from simnet.core.units import db_to_linear
from simnet.phy.blocks import BLOCK_BITS, BlockFormat
from simnet.phy.chain import BlockJob, DigitalChain, Reception
from simnet.phy.native import NativeBackend
from simnet.phy.tables.bler import load_table
from simnet.phy.tables.calibration import StopRule, measure, send_round

N_BLOCKS = 400
OTHER_SEED = 77
FORMATS = [BlockFormat(k, mcs) for k in BLOCK_BITS for mcs in MCS_TABLE]


@pytest.mark.parametrize("block_format", FORMATS, ids=str)
def test_a_fresh_run_finds_the_tabled_rate(block_format: BlockFormat) -> None:
    waterfall = [point for point in load_table(block_format).points if 0.02 < point.bler < 0.9]
    assert len(waterfall) >= 4
    for point in (waterfall[1], waterfall[-1]):
        rng = generator(OTHER_SEED, str(block_format), str(point.esno_db))
        lost, _ = send_round(NativeBackend(), block_format, db_to_linear(point.esno_db), N_BLOCKS, rng)
        standard_error = sqrt(point.bler * (1 - point.bler) * (1 / N_BLOCKS + 1 / point.blocks))
        assert abs(lost.mean() - point.bler) < 4 * standard_error


def test_blocks_sent_one_by_one_meet_the_tabled_rate() -> None:
    """Named noise, as in a network, in place of the calibration's."""
    block_format = BlockFormat(576, MCS_TABLE[0])
    point = next(point for point in load_table(block_format).points if point.bler < 0.3)
    esno = db_to_linear(point.esno_db)
    jobs = [
        BlockJob(generator(3, "one by one", i).bytes(69), block_format, (Reception(esno, 1j, (3, "noise", i)),))
        for i in range(N_BLOCKS)
    ]
    lost = np.mean([not result.ok for result in DigitalChain().transmit(jobs)])
    standard_error = sqrt(point.bler * (1 - point.bler) * (1 / N_BLOCKS + 1 / point.blocks))
    assert abs(lost - point.bler) < 4 * standard_error


@pytest.mark.slow
def test_the_tails_are_no_better_than_what_the_chain_shows() -> None:
    """0.75 dB above the last measured point: the failures of a million blocks against those that the tables expect."""
    failed, expected = 0, 0.0
    for name in ("QPSK 1/2", "QPSK 3/4", "16-QAM 3/4", "64-QAM 2/3", "256-QAM 5/6"):
        block_format = BlockFormat(576, mcs_by_name(name))
        table = load_table(block_format)
        esno_db = table.measured_esno_db[1] + 0.75
        point = measure(NativeBackend(), block_format, esno_db, StopRule(1000, 200_000), seed=OTHER_SEED)
        failed += point.errors
        expected += table.lookup(db_to_linear(esno_db)).bler * point.blocks
    assert failed <= poisson.ppf(1 - 1e-4, expected)
