"""The radio: bit and block error rates, noise, link budget, and how often ARQ sends a block."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from simnet.core.mcs import MODULATIONS, mcs_by_name
from simnet.core.streams import generator
from simnet.core.units import db_to_linear, linear_to_db
from simnet.net.offered_load import Offered
from simnet.phy import qam
from simnet.phy.blocks import BlockFormat
from simnet.phy.channels import flat
from simnet.phy.curves.ber import measure_ber
from simnet.phy.curves.bler import measure_bler
from simnet.phy.curves.channel import ChannelSettings
from simnet.phy.curves.setup import BlerSetup
from simnet.phy.tables.bler import BlerPoint, load_table
from simnet.phy.tables.calibration import StopRule
from simnet.statistics.interval import Interval
from simnet.statistics.replications import t_factor
from simnet.validation.bench import Bench
from simnet.validation.finding import Finding, Theory
from simnet.validation.links import SHORT_BYTE, over_radio

CHO = "Cho, Yoon 2002, eq. 14–16: exact, Gray-mapped QAM"
TABLE = "the shipped table's counts at this Es/N0, whose error is in the interval"
GEOMETRIC = "geometric, cut off after 3: (1 − p³)/(1 − p) and p³; p of the shipped table"
FORMAT = BlockFormat(288, mcs_by_name("QPSK 1/2"))
"""Of the coded blocks; a payload of :data:`SHORT_BYTE` is one."""
MAX_ATTEMPTS = 3
AWGN = ChannelSettings("awgn")


def ber(bench: Bench) -> list[Finding]:
    """Uncoded QPSK and 16-QAM in AWGN."""
    found = []
    for modulation, esno_db in (("QPSK", 7.0), ("16-QAM", 14.0)):
        point = measure_ber(modulation, AWGN, esno_db, _blocks(bench.n(1_000, 40_000)), seed=bench.seed)
        count = point.count
        mean = count.errors / count.blocks
        deviation = math.sqrt((count.squares - count.blocks * mean**2) / (count.blocks - 1))
        bits_per_block = count.bits / count.blocks
        half_width = t_factor(count.blocks, bench.confidence) * deviation / math.sqrt(count.blocks) / bits_per_block
        found.append(
            Finding(
                f"bit error rate, {modulation}, AWGN, Es/N0 {esno_db:g} dB",
                Interval(count.rate, half_width, count.blocks),
                Theory.exactly(point.theory, CHO),
            )
        )
    return found


def bler(bench: Bench) -> list[Finding]:
    """Coded blocks through the exact chain, at the point of the shipped table that is nearest to 10 %."""
    point = _table_point(0.1)
    measured = measure_bler(BlerSetup(FORMAT, AWGN), point.esno_db, _blocks(bench.n(2_000, 30_000)), seed=bench.seed)
    n, rate = measured.blocks.blocks, measured.blocks.bler
    variance = rate * (1 - rate) / n + point.bler * (1 - point.bler) / point.blocks
    return [
        Finding(
            f"block error rate, {FORMAT}, AWGN, Es/N0 {point.esno_db:g} dB",
            Interval(rate, t_factor(n, bench.confidence) * math.sqrt(variance), n),
            Theory.exactly(point.bler, TABLE),
        )
    ]


def noise(bench: Bench) -> list[Finding]:
    """Signal and noise as they leave the channel, beside the Es/N0 that was asked for; and the link's budget."""
    m, esno_db = MODULATIONS["16-QAM"], 10.0
    n_symbol = bench.n(200_000, 10_000_000)
    bits = torch.from_numpy(generator(bench.seed, "noise bits").integers(0, 2, (1, n_symbol * m), dtype=np.uint8))
    sent = qam.modulate(bits, m)
    drawn = torch.from_numpy(flat.complex_noise((bench.seed, "noise"), n_symbol))[None]
    one = torch.ones(1, dtype=torch.complex64)
    received = flat.pass_through(sent, one, torch.tensor([1 / db_to_linear(esno_db)]), drawn)
    symbol, error = sent.numpy()[0].astype(complex), (received - sent).numpy()[0].astype(complex)
    return [
        Finding(
            "mean energy of a symbol, 16-QAM",
            bench.mean_of_independent(abs(symbol) ** 2),
            Theory.exactly(1, "QAM of unit mean energy"),
        ),
        Finding(
            "noise power met, over the N0 that Es/N0 = 10 dB asks for",
            bench.mean_of_independent(abs(error) ** 2 * db_to_linear(esno_db)),
            Theory.exactly(1, "definition: N0 = Es / (Es/N0)"),
        ),
        _link_budget(bench),
    ]


def _link_budget(bench: Bench) -> Finding:
    """Es/N0 of a link without fading, as its transfer's row has it, against the sum in dB."""
    bandwidth_hz, power_dbm, figure_db, loss_db = 2e5, 20.0, 6.0, 120.0
    radio: dict[str, Any] = {
        "bandwidth_hz": bandwidth_hz,
        "device_power_dbm": power_dbm,
        "gateway_noise_figure_db": figure_db,
    }
    (row,) = over_radio([Offered(0.0, "device", "gateway", SHORT_BYTE)], seed=bench.seed, path_loss_db=loss_db, **radio)
    thermal_dbm_per_hz = 10 * math.log10(1.380649e-23 * 290 * 1e3)
    budget_db = power_dbm - loss_db - (thermal_dbm_per_hz + 10 * math.log10(bandwidth_hz) + figure_db)
    assert row.esno_db is not None
    source = "P − L − (10 lg kT0 + 10 lg B + F) in dB, T0 = 290 K; ± rounding"
    return Finding("Es/N0 of a link, dB", Interval(row.esno_db, 0.0, 1), Theory.about(budget_db, 1e-9, source))


def arq(bench: Bench) -> list[Finding]:
    """Blocks by table over a link without fading: transmissions of each, and the share that is lost."""
    esno = load_table(FORMAT).threshold(0.4)
    p = load_table(FORMAT).bler(esno)
    n = bench.n(4_000, 100_000)
    load = [Offered(0.01 * i, "device", "gateway", SHORT_BYTE) for i in range(n)]
    radio: dict[str, Any] = {"fidelity": "table", "mean_esno_db": linear_to_db(esno), "max_attempts": MAX_ATTEMPTS}
    rows = over_radio(load, seed=bench.seed, **radio)
    attempts, lost = [row.attempt_count for row in rows], [row.outcome == "lost" for row in rows]
    title = f"ARQ, BLER {p:.2f}, at most {MAX_ATTEMPTS} attempts"
    return [
        Finding(
            f"transmissions per block, {title}",
            bench.mean_of_independent(attempts),
            Theory.exactly((1 - p**MAX_ATTEMPTS) / (1 - p), GEOMETRIC),
        ),
        Finding(
            f"share of blocks lost, {title}",
            bench.mean_of_independent(lost),
            Theory.exactly(p**MAX_ATTEMPTS, GEOMETRIC),
        ),
    ]


def _table_point(bler: float) -> BlerPoint:
    """The measured point of the shipped table whose rate is nearest."""
    return min(load_table(FORMAT).points, key=lambda point: abs(math.log(point.bler / bler)))


def _blocks(n: int) -> StopRule:
    """Exactly ``n`` blocks: a rule that stops on errors would bias the rate."""
    return StopRule(target_errors=n + 1, max_blocks=n)
