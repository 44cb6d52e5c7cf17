"""Link curves against closed forms, plain numerical integrals, and the chain's other entrance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import sqrt

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import erfc
from scipy.stats import expon, gamma, ncx2

from simnet.core.mcs import mcs_by_name
from simnet.core.streams import complex_normal, generator
from simnet.core.units import db_to_linear
from simnet.phy.blocks import BlockFormat
from simnet.phy.chain import BlockJob, DigitalChain, Reception
from simnet.phy.channels.registry import CHANNEL_NAMES
from simnet.phy.curves.ber import measure_ber
from simnet.phy.curves.bler import measure_bler
from simnet.phy.curves.channel import ChannelSettings
from simnet.phy.curves.setup import BlerSetup
from simnet.phy.curves.throughput import Link, goodput_curves
from simnet.phy.tables.bler import BlerTable, load_table
from simnet.phy.tables.calibration import StopRule

Floats = NDArray[np.float64]
TDL_D_K, TDL_E_K = (
    10 ** (los_db / 10) / sum(10 ** (power_db / 10) for power_db in powers_db)
    for los_db, powers_db in (
        (-0.2, (-13.5, -18.8, -21, -22.8, -17.9, -20.1, -21.9, -22.9, -27.8, -23.6, -24.8, -30, -27.7)),
        (-0.03, (-22.03, -15.8, -18.1, -19.8, -22.9, -22.4, -18.6, -20.8, -22.6, -22.3, -25.6, -20.2, -29.8, -29.2)),
    )
)
"""Line of sight over all that is scattered, any tap (3GPP TR 38.901, tables 7.7.2-4 and 7.7.2-5)."""
POWER = np.geomspace(1e-6, 60.0, 20_000)


def q(x: Floats) -> Floats:
    result: Floats = erfc(x / sqrt(2)) / 2
    return result


AWGN_BER: dict[str, Callable[[Floats], Floats]] = {
    "QPSK": lambda esno: q(np.sqrt(esno)),
    # 4-PAM at ±d, ±3d, d² = Es/N0/5: the first bit errs with (Q(d) + Q(3d))/2, the second with Q(d) + (Q(3d) − Q(5d))/2
    "16-QAM": lambda esno: (3 * q(np.sqrt(esno / 5)) + 2 * q(3 * np.sqrt(esno / 5)) - q(5 * np.sqrt(esno / 5))) / 4,
}


def mean_over_power(function: Callable[[Floats], Floats], density: Floats) -> float:
    """∫ function(g)·density(g) dg, trapezoidal; below the grid as at its start."""
    return float(np.trapezoid(function(POWER) * density, POWER) + function(POWER[:1])[0] * POWER[0] * density[0])


def expected_ber(modulation: str, name: str, esno: float) -> float:
    k_factor = {"rician_block": 10**0.6, "rician_fast": 10**0.6, "tdl_d": TDL_D_K, "tdl_e": TDL_E_K}.get(name, 0.0)
    if name == "awgn":
        return float(AWGN_BER[modulation](np.array(esno)))
    density = (
        2 * (k_factor + 1) * ncx2.pdf(2 * (k_factor + 1) * POWER, 2, 2 * k_factor) if k_factor else expon.pdf(POWER)
    )
    return mean_over_power(lambda g: AWGN_BER[modulation](g * esno), density)


@pytest.mark.parametrize("modulation", ["QPSK", "16-QAM"])
@pytest.mark.parametrize("name", CHANNEL_NAMES)
def test_uncoded_points_lie_on_theory(name: str, modulation: str) -> None:
    for esno_db in (4.0, 10.0):
        point = measure_ber(modulation, ChannelSettings(name), esno_db, StopRule(10_000, 600))
        expected = expected_ber(modulation, name, db_to_linear(esno_db))
        assert point.theory == pytest.approx(expected, rel=1e-3)
        bits = point.count.bits / point.count.design_effect
        standard_error = sqrt(point.theory * (1 - point.theory) / bits)
        assert 4 * standard_error < point.theory
        assert abs(point.count.rate - point.theory) < 4 * standard_error


def faded_bler(table: BlerTable, esno: float, density: Floats) -> tuple[float, float]:
    """The table averaged over a density of the power, and what its counts leave unknown of that."""

    def average(sign: int) -> float:
        points = tuple(
            replace(p, errors=min(p.blocks, max(1, round(p.errors + sign * sqrt(p.errors))))) for p in table.points
        )
        moved = replace(table, points=points)
        return mean_over_power(lambda g: np.array([moved.lookup(float(x) * esno).bler for x in g]), density)

    return average(0), (average(1) - average(-1)) / 2


@pytest.mark.parametrize(
    ("name", "n_receptions", "density", "esno_db"),
    [
        ("rayleigh_block", 1, expon.pdf(POWER), 3.0),
        ("rayleigh_block", 1, expon.pdf(POWER), 10.0),
        ("rician_block", 1, 2 * (10**0.6 + 1) * ncx2.pdf(2 * (10**0.6 + 1) * POWER, 2, 2 * 10**0.6), 4.0),
        ("rayleigh_block", 2, gamma.pdf(POWER, 2), 3.0),
        ("rayleigh_block", 3, gamma.pdf(POWER, 3), -1.0),
    ],
    ids=lambda value: "" if isinstance(value, np.ndarray) else str(value),
)
def test_coded_blocks_under_flat_fading_fail_as_the_averaged_table_says(
    name: str, n_receptions: int, density: Floats, esno_db: float
) -> None:
    block_format = BlockFormat(1152, mcs_by_name("QPSK 1/2"))
    point = measure_bler(BlerSetup(block_format, ChannelSettings(name), n_receptions), esno_db, StopRule(10_000, 2000))
    expected, unknown = faded_bler(load_table(block_format), db_to_linear(esno_db), density)
    standard_error = sqrt(expected * (1 - expected) / point.blocks.blocks + unknown**2)
    assert 4 * standard_error < 0.4 * expected
    assert abs(point.blocks.bler - expected) < 4 * standard_error
    assert point.references.table == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("mcs", "esno_db"), [("QPSK 1/2", 1.5), ("16-QAM 3/4", 9.5), ("256-QAM 1/2", 15.5)])
@pytest.mark.parametrize("n_receptions", [2, 3])
def test_equal_receptions_are_one_of_their_total_energy(mcs: str, esno_db: float, n_receptions: int) -> None:
    block_format = BlockFormat(288, mcs_by_name(mcs))
    stop = StopRule(10_000, 1000)
    one = measure_bler(BlerSetup(block_format), esno_db, stop).blocks
    several = measure_bler(
        BlerSetup(block_format, harq=n_receptions), esno_db - 10 * np.log10(n_receptions), stop
    ).blocks
    assert 0.05 < one.bler < 0.95
    standard_error = sqrt((one.bler * (1 - one.bler) + several.bler * (1 - several.bler)) / 1000)
    assert abs(one.bler - several.bler) < 4 * standard_error


def test_goodput_of_harq_is_that_of_blocks_sent_until_they_arrive() -> None:
    """The chain block by block, each transmission with its own Rayleigh gain; at most four of them."""
    block_format, esno, n_blocks = BlockFormat(288, mcs_by_name("QPSK 1/2")), 1.0, 1200
    chain = DigitalChain()
    jobs = []
    for i in range(n_blocks):
        receptions = tuple(
            Reception(esno, complex_normal(8, "goodput", i, j), (8, "goodput noise", i, j)) for j in range(4)
        )
        payload = generator(8, "goodput payload", i).bytes(block_format.capacity_byte)
        jobs.append(BlockJob(payload, block_format, receptions))
    sent, delivered = np.zeros(n_blocks), np.zeros(n_blocks)
    waiting = np.arange(n_blocks)
    for attempt in range(1, 5):
        heard = [replace(jobs[i], receptions=jobs[i].receptions[:attempt]) for i in waiting]
        arrived = np.array([result.ok for result in chain.transmit(heard)])
        sent[waiting] = attempt
        delivered[waiting[arrived]] = 1
        waiting = waiting[~arrived]
    per_use = 8 * block_format.capacity_byte / block_format.channel_uses
    goodput = per_use * delivered.sum() / sent.sum()
    # a ratio of means: its variance is that of delivered − ratio·sent
    standard_error = per_use * np.std(delivered - goodput / per_use * sent) / sqrt(n_blocks) / sent.mean()
    curves = goodput_curves(Link((block_format,), attempts=4), ("rayleigh_block",), (0.0,))
    expected = next(curve.points[0] for curve in curves if curve.protection == "harq")
    assert abs(goodput - expected.goodput) < 4 * standard_error
    assert abs(sent.mean() - expected.transmissions) < 4 * np.std(sent) / sqrt(n_blocks)
    assert 4 * standard_error < 0.1 * goodput
