"""Making many BLER tables, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import torch

from simnet.core.errors import SimnetError, UnknownName
from simnet.core.mcs import CODE_FAMILIES, MCS_TABLE
from simnet.phy.blocks import BlockFormat, coded_bits
from simnet.phy.native import NativeBackend
from simnet.phy.tables.bler import BlerTable, table_path
from simnet.phy.tables.calibration import StopRule, calibrate
from simnet.phy.tables.effective_fit import fit_maps


def block_formats(code: str, bits: Sequence[int], schemes: Sequence[str]) -> list[BlockFormat]:
    """Every size with every scheme.

    Raises:
        UnknownName: no such code family or coded scheme.
        SimnetError: a size is not a whole number of bytes above the CRC, or too large for the code.
    """
    family = next((known for known in CODE_FAMILIES if known == code), None)
    if family is None:
        raise UnknownName("LDPC code family", code, CODE_FAMILIES)
    known = {mcs.name: mcs for mcs in MCS_TABLE}
    for name in schemes:
        if name not in known:
            raise UnknownName("MCS", name, known, hint="simnet list mcs")
    for k in bits:
        if k < 32 or k % 8:
            raise SimnetError(f"information bits of a block: got {k}; allowed whole bytes, 32 or more (24 are the CRC)")
        for name in schemes:
            coded_bits(family, k, known[name].rate)
    return [BlockFormat(k, known[name], family) for k in bits for name in schemes]


@dataclass(frozen=True)
class _Making:
    out: Path | None
    device: str
    stop: StopRule
    again: bool
    quiet: bool


def make_tables(
    formats: Sequence[BlockFormat],
    *,
    out: Path | None = None,
    device: str = "cpu",
    stop: StopRule | None = None,
    workers: int = 1,
    again: bool = False,
    quiet: bool = False,
) -> Iterator[tuple[Path, bool]]:
    """Makes the tables; yields the file of each and whether it was made now, in the formats' order.

    Args:
        formats: of the tables.
        out: folder of tables; None is the zoo's.
        device: torch device.
        stop: blocks per point.
        workers: processes.
        again: make tables anew that are there already.
        quiet: print no line per point to the standard error.
    """
    make = partial(_make, _Making(out, device, stop or StopRule(), again, quiet))
    if workers == 1:
        torch.set_num_threads(1)  # small operators gain nothing by more, and lose much on shared cores
        yield from map(make, formats)
        return
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        yield from pool.map(make, formats)


def _make(making: _Making, block_format: BlockFormat) -> tuple[Path, bool]:
    path = table_path(block_format, making.out)
    if path.exists() and not making.again:
        return path, False

    def with_maps(table: BlerTable) -> BlerTable:
        return replace(table, effective=fit_maps(table, NativeBackend(making.device)))

    calibrate(
        block_format, out=making.out, device=making.device, stop=making.stop, finish=with_maps, quiet=making.quiet
    )
    return path, True
