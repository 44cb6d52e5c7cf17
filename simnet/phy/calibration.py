"""Making of the BLER tables with the exact chain."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from simnet.core.streams import generator
from simnet.core.units import db_to_linear, linear_to_db
from simnet.phy.bler import TABLES, BlerPoint, BlerTable, table_path
from simnet.phy.blocks import capacity_byte
from simnet.phy.chain import BlockJob, DigitalChain
from simnet.phy.ldpc.decoder import DecoderSettings
from simnet.phy.mcs import Mcs
from simnet.phy.native import NativeBackend

STEP_DB = 0.125
_SEED = 1
_BELOW_CAPACITY_DB = 1.0
"""The ladder starts this far below the Es/N0 at which capacity equals the rate: there every block fails."""
_FEWEST_ERRORS = 10
"""A point with fewer tells the rate to worse than a third, and is left out."""
_FIRST_ROUND, _LARGEST_ROUND = 512, 4096


def calibrate(
    n: int,
    mcs: Mcs,
    *,
    out: Path = TABLES,
    device: str = "cpu",
    max_blocks: int = 100_000,
    target_errors: int = 100,
    quiet: bool = False,
) -> BlerTable:
    """Measures BLER upwards in Es/N0, in steps of :data:`STEP_DB`, and writes the table into folder ``out``.

    Each point ends at ``target_errors`` block errors or at ``max_blocks`` blocks; the ladder ends with the first point
    that falls short of the errors.

    Args:
        n: codeword length in bits.
        mcs: coded scheme.
        out: folder of the table.
        device: torch device.
        max_blocks: blocks per point at most.
        target_errors: block errors that a point aims at.
        quiet: print no line per point to the standard error.
    """
    settings = DecoderSettings()
    chain = DigitalChain(NativeBackend(device, settings))
    points: list[BlerPoint] = []
    for esno_db in _ladder(mcs):
        point = _measure(chain, n, mcs, esno_db, max_blocks, target_errors)
        if point.errors >= _FEWEST_ERRORS:
            points.append(point)
        if not quiet:
            low, high = point.interval
            print(
                f"{mcs.name}, n = {n}: Es/N0 {esno_db:.3f} dB: {point.errors}/{point.blocks} blocks lost, "
                f"BLER {point.bler:.2e}, 95 % CI [{low:.1e}, {high:.1e}]",
                file=sys.stderr,
                flush=True,
            )
        if point.errors < target_errors:
            break
    table = BlerTable(n, mcs.name, asdict(settings), _SEED, tuple(points))
    out.mkdir(parents=True, exist_ok=True)
    table.write(table_path(n, mcs, out))
    return table


def _ladder(mcs: Mcs) -> Iterator[float]:
    """Es/N0 in dB, without end."""
    capacity_db = linear_to_db(2.0 ** (mcs.bits_per_symbol * mcs.code_rate) - 1.0)
    first = round((capacity_db - _BELOW_CAPACITY_DB) / STEP_DB)
    while True:
        yield first * STEP_DB
        first += 1


def _measure(
    chain: DigitalChain, n: int, mcs: Mcs, esno_db: float, max_blocks: int, target_errors: int
) -> BlerPoint:
    blocks = errors = undetected = 0
    size = _FIRST_ROUND
    while errors < target_errors and blocks < max_blocks:
        size = min(size, max_blocks - blocks)
        jobs = [block_job(n, mcs, esno_db, index) for index in range(blocks, blocks + size)]
        for job, result in zip(jobs, chain.transmit(jobs), strict=True):
            errors += not result.ok
            undetected += result.ok and result.payload != job.payload
        blocks += size
        size = min(2 * size, _LARGEST_ROUND)
    return BlerPoint(esno_db, blocks, errors, undetected)


def block_job(n: int, mcs: Mcs, esno_db: float, index: int, seed: int = _SEED) -> BlockJob:
    """Block ``index`` of a BLER point: random payload and noise, each a function of seed, scheme, Es/N0 and index."""
    key = (seed, "calibration", n, mcs.name, str(esno_db), index)
    payload = generator(*key, "payload").bytes(capacity_byte(n))
    return BlockJob(payload, n, mcs, db_to_linear(esno_db), 1.0, key)
