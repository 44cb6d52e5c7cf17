"""Block error rates of the exact chain in AWGN, as tables over Es/N0, and the choice of an MCS from them.

The tables lie in ``simnet/phy/tables`` and are made by :mod:`simnet.phy.calibration`. Under flat fading look up
|h|²·Es/N0. This module loads no tensor library.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from simnet.core.errors import SimnetError
from simnet.core.units import linear_to_db
from simnet.phy.mcs import MCS_TABLE, Mcs

TABLES = Path(__file__).parent / "tables"
LOWEST_BLER = 1e-6
"""The extrapolated tail ends here: no table promises less."""
_Z95 = 1.959963984540054


def wilson_interval(errors: int, blocks: int) -> tuple[float, float]:
    """95 % Wilson score interval of a rate, from its counts."""
    rate = errors / blocks
    z2 = _Z95**2 / blocks
    centre = rate + z2 / 2
    half = _Z95 * math.sqrt(rate * (1 - rate) / blocks + z2 / (4 * blocks))
    return (max(0.0, (centre - half) / (1 + z2)), min(1.0, (centre + half) / (1 + z2)))


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


@dataclass(frozen=True)
class BlerTable:
    """Block error rate over Es/N0 of one codeword length and MCS, AWGN.

    Attributes:
        n: codeword length in bits.
        mcs: name of the scheme.
        decoder: the decoder's settings.
        seed: of payloads and noise.
        points: in rising order of Es/N0; at least two, none without errors.
    """

    n: int
    mcs: str
    decoder: dict[str, Any]
    seed: int
    points: tuple[BlerPoint, ...]

    @cached_property
    def _esno_db(self) -> list[float]:
        return [point.esno_db for point in self.points]

    @cached_property
    def _log10_bler(self) -> list[float]:
        return [math.log10(point.bler) for point in self.points]

    @property
    def measured_esno_db(self) -> tuple[float, float]:
        """First and last Es/N0 measured, dB; outside it :meth:`bler` is 1, or an extrapolation."""
        return self._esno_db[0], self._esno_db[-1]

    def bler(self, esno: float) -> float:
        """Block error rate at ``esno`` (linear).

        1 below the first point; between points log10 BLER is linear in dB; above the last one the slope of the last
        interval goes on, down to :data:`LOWEST_BLER` and no further.
        """
        esno_db = linear_to_db(esno)
        if esno_db < self._esno_db[0]:
            return 1.0
        left = min(bisect_right(self._esno_db, esno_db), len(self.points) - 1) - 1
        x0, x1 = self._esno_db[left : left + 2]
        y0, y1 = self._log10_bler[left : left + 2]
        log10_bler = y0 + (y1 - y0) * (esno_db - x0) / (x1 - x0)
        return max(10.0**log10_bler, LOWEST_BLER) if log10_bler < 0 else 1.0

    def write(self, path: Path) -> None:
        """Writes the table as JSON, whole or not at all; rates and their 95 % intervals stand beside the counts."""
        document = asdict(self)
        for row, point in zip(document["points"], self.points, strict=True):
            low, high = point.interval
            row |= {"bler": point.bler, "bler_low": low, "bler_high": high}
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
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
            points = tuple(
                BlerPoint(float(p["esno_db"]), int(p["blocks"]), int(p["errors"]), int(p["undetected"]))
                for p in document["points"]
            )
            table = cls(int(document["n"]), str(document["mcs"]), document["decoder"], int(document["seed"]), points)
        except FileNotFoundError:
            raise SimnetError(f"BLER table {path}: no such file; {remedy}") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SimnetError(f"BLER table {path}: cannot be read ({error!r}); {remedy}") from error
        esno_db = [point.esno_db for point in points]
        if len(points) < 2 or esno_db != sorted(set(esno_db)) or any(not 0 < p.errors <= p.blocks for p in points):
            raise SimnetError(
                f"BLER table {path}: needs two or more points of rising Es/N0, each with 0 < errors <= blocks; {remedy}"
            )
        return table


def table_path(n: int, mcs: Mcs, folder: Path = TABLES) -> Path:
    """Where the table of a codeword length and MCS lies."""
    return folder / f"{n}_{mcs.name.lower().replace(' ', '_').replace('/', '-')}.json"


@cache
def load_table(n: int, mcs: Mcs) -> BlerTable:
    """The shipped table of codeword length ``n`` in bits and ``mcs``.

    Raises:
        SimnetError: there is none; the message lists the lengths that have one.
    """
    path = table_path(n, mcs)
    if not path.exists():
        have = sorted(p.stem for p in TABLES.glob("*.json"))
        raise SimnetError(f"BLER table for n = {n} bit, MCS {mcs.name!r}: none shipped; have {', '.join(have)}")
    return BlerTable.read(path)


def select_mcs(esno: float, n: int, target_bler: float) -> Mcs:
    """The fastest scheme that meets ``target_bler`` at ``esno`` (linear) with codewords of ``n`` bits.

    The most robust scheme if none does.
    """
    for mcs in reversed(MCS_TABLE):
        if load_table(n, mcs).bler(esno) <= target_bler:
            return mcs
    return MCS_TABLE[0]
