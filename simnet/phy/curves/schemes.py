"""The coded schemes, with what they need. This module loads no tensor library."""

from __future__ import annotations

import math
from dataclasses import dataclass

from simnet.core.mcs import MCS_TABLE, CodeFamily, Mcs
from simnet.core.units import linear_to_db
from simnet.phy.blocks import BLOCK_BITS, BlockFormat
from simnet.phy.tables.bler import load_table, table_path

K = BLOCK_BITS[-1]
"""Information bits of the blocks whose tables are read."""
TARGETS = (0.1, 0.001)
"""Block error rates."""


@dataclass(frozen=True)
class Scheme:
    """A coded scheme.

    Attributes:
        mcs: the scheme.
        least_esno_db: least Es/N0 in AWGN for each of :data:`TARGETS`, at :data:`K` bits; None without a table, or
            if it does not tell.
    """

    mcs: Mcs
    least_esno_db: tuple[float | None, ...]


def schemes(code: CodeFamily = "ieee80216e") -> list[Scheme]:
    """Every coded scheme, in the order of :data:`simnet.core.mcs.MCS_TABLE`."""
    return [Scheme(mcs, _least(BlockFormat(K, mcs, code))) for mcs in MCS_TABLE]


def _least(block_format: BlockFormat) -> tuple[float | None, ...]:
    if not table_path(block_format).exists():
        return (None,) * len(TARGETS)
    found = [load_table(block_format).threshold(target) for target in TARGETS]
    return tuple(linear_to_db(esno) if math.isfinite(esno) else None for esno in found)
