"""Block error rates of the exact chain in AWGN, as tables over Es/N0, and the choice of an MCS from them.

The tables lie in the zoo, ``models/bler/<code>/``, and are made by :mod:`simnet.phy.tables.calibration`. Under flat
fading look up |h|²·Es/N0; where a block spans several gains, the effective one of
:mod:`simnet.phy.tables.effective_snr`. This module loads no tensor library.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from dataclasses import asdict, dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simnet.core.errors import SimnetError
from simnet.core.mcs import MCS_TABLE, CodeFamily, Mcs, mcs_by_name
from simnet.core.units import db_to_linear, linear_to_db
from simnet.core.zoo import zoo_root
from simnet.phy.blocks import BlockFormat
from simnet.phy.tables.effective_snr import EffectiveMap, MapKind
from simnet.statistics.rate import wilson_interval

LOWEST_BLER = 1e-6
"""The extrapolated tail ends here: no table promises less."""
_SAME_DB = 1e-9
"""Rounding of a conversion to dB."""


@dataclass(frozen=True)
class BlerPoint:
    """One measured point.

    Attributes:
        esno_db: Es/N0 in dB.
        blocks: blocks sent.
        errors: blocks whose CRC failed.
        undetected: blocks that came out wrong although their CRC held.
    """

    esno_db: float
    blocks: int
    errors: int
    undetected: int

    @property
    def bler(self) -> float:
        return self.errors / self.blocks

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the block error rate."""
        return wilson_interval(self.errors, self.blocks)

    def row(self) -> dict[str, float]:
        """Counts, and the rate with its interval, as files hold them."""
        low, high = self.interval
        counts = {"esno_db": self.esno_db, "blocks": self.blocks, "errors": self.errors, "undetected": self.undetected}
        return counts | {"bler": self.bler, "bler_low": low, "bler_high": high}

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> BlerPoint:
        return cls(float(row["esno_db"]), int(row["blocks"]), int(row["errors"]), int(row["undetected"]))


class Lookup(NamedTuple):
    """A block error rate, and where it comes from: ``below`` and ``above`` the measured points it is extrapolated."""

    bler: float
    region: Literal["below", "measured", "above"]


@dataclass(frozen=True)
class BlerTable:
    """Block error rate over Es/N0 of one block format, AWGN.

    Attributes:
        format: what was sent.
        decoder: the decoder's settings.
        seed: of payloads and noise.
        points: in rising order of Es/N0; at least two, none without errors.
        effective: the effective-SNR maps fitted to this format.
    """

    format: BlockFormat
    decoder: dict[str, Any]
    seed: int
    points: tuple[BlerPoint, ...]
    effective: tuple[EffectiveMap, ...] = ()

    @cached_property
    def _esno_db(self) -> list[float]:
        return [point.esno_db for point in self.points]

    @cached_property
    def _log10_bler(self) -> list[float]:
        return [math.log10(point.bler) for point in self.points]

    @property
    def measured_esno_db(self) -> tuple[float, float]:
        """First and last Es/N0 measured, dB."""
        return self._esno_db[0], self._esno_db[-1]

    def bler(self, esno: float) -> float:
        """Block error rate at ``esno`` (linear); between points log10 BLER is linear in dB.

        Raises:
            SimnetError: ``esno`` lies outside the measured points.
        """
        found = self.lookup(esno)
        if found.region != "measured":
            low, high = self.measured_esno_db
            raise SimnetError(
                f"BLER table of {self.format}: got Es/N0 {linear_to_db(esno):.2f} dB; measured {low:g} to {high:g} dB. "
                "lookup() extrapolates, and says so; 'simnet link calibrate' measures"
            )
        return found.bler

    def lookup(self, esno: float) -> Lookup:
        """Block error rate at ``esno`` (linear), extrapolated where nothing was measured.

        1 below the first point; above the last one the slope of the last interval goes on, down to
        :data:`LOWEST_BLER` and no further.
        """
        esno_db = linear_to_db(esno)
        if esno_db < self._esno_db[0] - _SAME_DB:
            return Lookup(1.0, "below")
        left = min(max(bisect_right(self._esno_db, esno_db), 1), len(self.points) - 1) - 1
        x0, x1 = self._esno_db[left : left + 2]
        y0, y1 = self._log10_bler[left : left + 2]
        log10_bler = min(0.0, y0 + (y1 - y0) * (esno_db - x0) / (x1 - x0))
        if esno_db <= self._esno_db[-1] + _SAME_DB:
            return Lookup(10.0**log10_bler, "measured")
        return Lookup(max(10.0**log10_bler, LOWEST_BLER), "above")

    def effective_esno(self, esno: NDArray[np.float64], kind: MapKind = "miesm") -> float:
        """The Es/N0 (linear) at which to look up a block whose symbols met ``esno``.

        Raises:
            SimnetError: no such map was fitted.
        """
        for each in self.effective:
            if each.kind == kind:
                return each(esno, self.format.mcs.bits_per_symbol)
        raise SimnetError(
            f"BLER table of {self.format}: no {kind} was fitted, which frequency-selective and fast fading need; "
            "make it anew with 'simnet link calibrate', or use fidelity exact"
        )

    def threshold(self, target_bler: float) -> float:
        """Least Es/N0 (linear) from which on :meth:`lookup` gives ``target_bler`` or less; inf if it never does."""
        low_db, high_db = self._esno_db[0] - 1.0, self._esno_db[-1] + 30.0
        if self.lookup(db_to_linear(high_db)).bler > target_bler:
            return math.inf
        for _ in range(60):
            middle_db = (low_db + high_db) / 2
            if self.lookup(db_to_linear(middle_db)).bler <= target_bler:
                high_db = middle_db
            else:
                low_db = middle_db
        return db_to_linear(high_db)

    def write(self, path: Path) -> None:
        """Writes the table as JSON, whole or not at all; rates and their 95 % intervals stand beside the counts."""
        block_format = self.format
        document = {
            "code": block_format.code,
            "k": block_format.k,
            "coded_bits": block_format.coded_bits,
            "channel_uses": block_format.channel_uses,
            "mcs": block_format.mcs.name,
            "channel": "awgn",
            "decoder": self.decoder,
            "seed": self.seed,
            "effective": [asdict(each) for each in self.effective],
        }
        lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in document.items()]
        points = ",\n".join(f"  {json.dumps(point.row())}" for point in self.points)
        partial = path.with_suffix(".partial")
        partial.write_text("{\n" + ",\n".join([*lines, f' "points": [\n{points}\n ]']) + "\n}\n", encoding="utf-8")
        partial.replace(path)

    @classmethod
    def read(cls, path: Path) -> BlerTable:
        """The table in a file.

        Raises:
            SimnetError: the file is missing, or not such a table.
        """
        remedy = "make it anew with 'simnet link calibrate'"
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            points = tuple(map(BlerPoint.from_row, document["points"]))
            block_format = BlockFormat(int(document["k"]), mcs_by_name(document["mcs"]), document["code"])
            effective = tuple(EffectiveMap(**each) for each in document["effective"])
            table = cls(block_format, dict(document["decoder"]), int(document["seed"]), points, effective)
            same_word = (document["coded_bits"], document["channel_uses"]) == (
                block_format.coded_bits,
                block_format.channel_uses,
            )
        except FileNotFoundError:
            raise SimnetError(f"BLER table {path}: no such file; {remedy}") from None
        except (OSError, ValueError, KeyError, TypeError, SimnetError) as error:
            raise SimnetError(f"BLER table {path}: cannot be read ({error!r}); {remedy}") from error
        if not same_word:
            raise SimnetError(f"BLER table {path}: {block_format} has another length now; {remedy}")
        esno_db = [point.esno_db for point in points]
        if len(points) < 2 or esno_db != sorted(set(esno_db)) or any(not 0 < p.errors <= p.blocks for p in points):
            raise SimnetError(
                f"BLER table {path}: needs two or more points of rising Es/N0, each with 0 < errors <= blocks; {remedy}"
            )
        return table


def tables_folder() -> Path:
    """Where the zoo keeps BLER tables."""
    return zoo_root() / "bler"


def table_path(block_format: BlockFormat, folder: Path | None = None) -> Path:
    """Where the table of a block format lies."""
    mcs = block_format.mcs.name.lower().replace(" ", "_").replace("/", "-")
    return (folder or tables_folder()) / block_format.code / f"k{block_format.k}_{mcs}.json"


@cache
def load_table(block_format: BlockFormat) -> BlerTable:
    """The zoo's table of a block format.

    Raises:
        SimnetError: there is none; the message says how to make it.
    """
    path = table_path(block_format)
    if not path.exists():
        have = ", ".join(sorted(p.stem for p in path.parent.glob("*.json"))) or "none"
        raise SimnetError(
            f"BLER table for {block_format}: not in the zoo; it has {have}. Make it with 'simnet link calibrate "
            f'--code {block_format.code} --bits {block_format.k} --mcs "{block_format.mcs.name}"\''
        )
    return BlerTable.read(path)


@lru_cache(maxsize=256)
def thresholds(
    k: int, target_bler: float, schemes: tuple[Mcs, ...] = MCS_TABLE, code: CodeFamily = "ieee80216e"
) -> tuple[tuple[float, Mcs], ...]:
    """(least Es/N0, linear, at which a scheme meets the target, scheme), most bits per channel use first.

    Schemes that another one beats in both, or equals in one and beats in the other, are left out.
    """
    found: list[tuple[float, Mcs]] = []
    formats = [BlockFormat(k, mcs, code) for mcs in schemes]
    by_use = sorted(formats, key=lambda each: (each.channel_uses, load_table(each).threshold(target_bler)))
    for block_format in reversed(by_use):  # from the slowest to the fastest
        least = load_table(block_format).threshold(target_bler)
        if found and math.isinf(least):  # it never does: the slowest, which is there for want of better, is better
            continue
        while found and found[-1][0] >= least:
            found.pop()
        found.append((least, block_format.mcs))
    return tuple(reversed(found))


def select_mcs(
    esno: float, k: int, target_bler: float, schemes: tuple[Mcs, ...] = MCS_TABLE, code: CodeFamily = "ieee80216e"
) -> Mcs:
    """The scheme with the fewest channel uses that meets ``target_bler`` at ``esno`` (linear) with blocks of k bits.

    The most robust scheme if none does.
    """
    ladder = thresholds(k, target_bler, schemes, code)
    for least, mcs in ladder:
        if esno >= least:
            return mcs
    return ladder[-1][1]
