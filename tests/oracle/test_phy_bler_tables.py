"""The shipped BLER tables against fresh runs of the exact chain, with other payloads and noise."""

from __future__ import annotations

from math import sqrt

import pytest

from simnet.phy.bler import load_table
from simnet.phy.blocks import BLOCK_LENGTHS
from simnet.phy.calibration import block_job
from simnet.phy.chain import DigitalChain
from simnet.phy.mcs import MCS_TABLE, Mcs

N_BLOCKS = 400
OTHER_SEED = 77


@pytest.mark.parametrize("mcs", MCS_TABLE)
@pytest.mark.parametrize("n", BLOCK_LENGTHS)
def test_a_fresh_run_finds_the_tabled_rate(n: int, mcs: Mcs) -> None:
    waterfall = [point for point in load_table(n, mcs).points if 0.02 < point.bler < 0.9]
    assert len(waterfall) >= 4
    for point in (waterfall[1], waterfall[-1]):
        jobs = [block_job(n, mcs, point.esno_db, i, OTHER_SEED) for i in range(N_BLOCKS)]
        lost = sum(not result.ok for result in DigitalChain().transmit(jobs)) / N_BLOCKS
        standard_error = sqrt(point.bler * (1 - point.bler) * (1 / N_BLOCKS + 1 / point.blocks))
        assert abs(lost - point.bler) < 4 * standard_error
