"""Making of the BLER tables with the exact chain."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from simnet.core.errors import SimnetError
from simnet.core.folders import made_folder
from simnet.core.streams import generator
from simnet.core.units import db_to_linear, linear_to_db
from simnet.phy.blocks import BlockFormat
from simnet.phy.chain import DigitalChain
from simnet.phy.channels import flat
from simnet.phy.ldpc.decoder import DecoderSettings
from simnet.phy.native import NativeBackend
from simnet.phy.tables.bler import BlerPoint, BlerTable, table_path

STEP_DB = 0.125
SEED = 1
_BELOW_CAPACITY_DB = 1.0
"""The ladder starts this far below the Es/N0 at which capacity equals the rate: there every block fails."""
_FEWEST_ERRORS = 10
"""A point with fewer tells the rate to worse than a third, and is left out."""
_FIRST_ROUND, _LARGEST_ROUND = 512, 4096


@dataclass(frozen=True)
class StopRule:
    """When a point has been measured well enough: at the first round that reaches either.

    Attributes:
        target_errors: block errors.
        max_blocks: blocks.
    """

    target_errors: int = 100
    max_blocks: int = 200_000

    def round_after(self, last: range, errors: int, first: int, largest: int) -> range:
        """Numbers of the blocks to send next, empty if that is enough.

        Args:
            last: the round before; ``range(0)`` if there was none.
            errors: in all rounds.
            first, largest: sizes of rounds, which double from one to the other.
        """
        if errors >= self.target_errors:
            return range(last.stop, last.stop)
        size = min(2 * len(last), largest) if last else first
        return range(last.stop, min(last.stop + size, self.max_blocks))


def calibrate(
    block_format: BlockFormat,
    *,
    out: Path | None = None,
    device: str = "cpu",
    stop: StopRule | None = None,
    finish: Callable[[BlerTable], BlerTable] = lambda table: table,
    quiet: bool = False,
) -> BlerTable:
    """Measures BLER upwards in Es/N0, in steps of :data:`STEP_DB`, and writes the table.

    The ladder ends with the first point that falls short of the target errors. Each point is kept in a file beside the
    table as soon as it is measured, so that a calibration that was stopped goes on where it was; the table is the same.

    Args:
        block_format: what is sent.
        out: folder of tables; None is the zoo's.
        device: torch device.
        stop: blocks per point.
        finish: what is done to the measured table before it is written.
        quiet: print no line per point to the standard error.

    Raises:
        SimnetError: the points kept from before were measured in another way, or the ladder gave too few.
    """
    stop = stop or StopRule()
    settings = DecoderSettings()
    backend = NativeBackend(device, settings)
    path = table_path(block_format, out)
    made_folder(path.parent)
    measured_so = {"stop": asdict(stop), "decoder": asdict(settings), "seed": SEED}
    progress = _Progress(path.with_suffix(".progress"), measured_so)
    points: list[BlerPoint] = []
    for index, esno_db in enumerate(_ladder(block_format)):
        if index < len(progress.points):
            point = progress.points[index]
        else:
            point = measure(backend, block_format, esno_db, stop)
            progress.keep(point)
            if not quiet:
                _tell(block_format, point)
        if point.errors >= _FEWEST_ERRORS:
            points.append(point)
        if point.errors < stop.target_errors:
            break
    if len(points) < 2:
        raise SimnetError(
            f"calibration of {block_format}: only {len(points)} point had {_FEWEST_ERRORS} errors; raise --max-blocks "
            f"(now {stop.max_blocks})"
        )
    table = finish(BlerTable(block_format, asdict(settings), SEED, tuple(points)))
    table.write(path)
    progress.path.unlink()
    return table


class _Progress:
    """Points measured so far, a line each, in a file that begins with how they were measured."""

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self.path = path
        self.points: list[BlerPoint] = []
        head = json.dumps(settings)
        if not path.exists() or not (lines := path.read_text(encoding="utf-8").splitlines()):
            path.write_text(head + "\n", encoding="utf-8")
            return
        if lines[0] != head:
            raise SimnetError(
                f"{path}: an unfinished calibration with other settings ({lines[0]}); delete it, or give the same "
                "options"
            )
        for line in lines[1:]:
            try:
                self.points.append(BlerPoint.from_row(json.loads(line)))
            except ValueError:  # the line that was being written when the calibration was stopped
                break
        path.write_text("".join(f"{line}\n" for line in lines[: len(self.points) + 1]), encoding="utf-8")

    def keep(self, point: BlerPoint) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(point.row()) + "\n")


def _ladder(block_format: BlockFormat) -> Iterator[float]:
    """Es/N0 in dB, without end."""
    capacity_db = linear_to_db(2.0 ** (block_format.k / block_format.channel_uses) - 1.0)
    first = round((capacity_db - _BELOW_CAPACITY_DB) / STEP_DB)
    while True:
        yield first * STEP_DB
        first += 1


def measure(
    backend: NativeBackend, block_format: BlockFormat, esno_db: float, stop: StopRule, *, seed: int = SEED
) -> BlerPoint:
    """One point: random payloads and noise, functions of seed, format, Es/N0 and round."""
    errors = undetected = 0
    blocks = range(0)
    while blocks := stop.round_after(blocks, errors, _FIRST_ROUND, _LARGEST_ROUND):
        rng = generator(seed, "calibration", str(block_format), str(esno_db), blocks.start)
        lost, wrong = send_round(backend, block_format, db_to_linear(esno_db), len(blocks), rng)
        errors += int(lost.sum())
        undetected += int((wrong & ~lost).sum())
    return BlerPoint(esno_db, blocks.stop, errors, undetected)


def send_round(
    backend: NativeBackend,
    block_format: BlockFormat,
    esno: float,
    n_blocks: int,
    rng: np.random.Generator,
    *,
    gains: NDArray[np.complex64] | None = None,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Sends random blocks: whether the CRC of each failed, and whether its payload is wrong, [n_blocks].

    Args:
        backend: of the chain.
        block_format: what is sent.
        esno: mean Es/N0, linear.
        n_blocks: how many.
        rng: of payloads and noise.
        gains: what the symbols of every block meet, [S]; None is AWGN.
    """
    chain = DigitalChain(backend)
    messages = rng.integers(0, 256, (n_blocks, block_format.capacity_byte), dtype=np.uint8)
    sent = chain.send(messages, block_format)
    gain = torch.ones(1, dtype=torch.complex64) if gains is None else torch.from_numpy(gains)
    gain = gain[None].to(backend.device)
    llr = []
    for start in range(0, n_blocks, backend.chunk):
        rows = replace(sent, symbols=sent.symbols[start : start + backend.chunk])
        noise = torch.from_numpy(flat.white_noise(tuple(rows.symbols.shape), rng=rng)).to(backend.device)
        level = torch.full((len(noise),), esno, device=backend.device)
        received = chain.receive(rows, gain.expand(len(noise), -1), level, noise)
        llr.append(chain.soft_bits(received, block_format))
    decoded, holds, _ = chain.decide(torch.cat(llr), block_format)
    return ~holds, (decoded != messages).any(axis=1)


def _tell(block_format: BlockFormat, point: BlerPoint) -> None:
    low, high = point.interval
    print(
        f"{block_format}: Es/N0 {point.esno_db:.3f} dB: {point.errors}/{point.blocks} blocks lost, "
        f"BLER {point.bler:.2e}, 95 % CI [{low:.1e}, {high:.1e}]",
        file=sys.stderr,
        flush=True,
    )
