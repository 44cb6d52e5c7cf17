"""The base graphs of 5G NR: tables, and which base graph and lifting size a code block takes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simnet.core.errors import SimnetError

BaseGraphNumber = Literal[1, 2]

_LARGEST_Z = 384
LIFTING_SIZES = tuple(
    sorted(factor << j for factor in (2, 3, 5, 7, 9, 11, 13, 15) for j in range(8) if factor << j <= _LARGEST_Z)
)
"""Lifting sizes Z, 2 … 384 (TS 38.212, Table 5.3.2-1)."""
N_PUNCTURED_COLUMNS = 2
"""The first 2Z bits are never sent (TS 38.212, 5.3.2)."""
N_CORE_ROWS = 4


@dataclass(frozen=True)
class BaseGraph:
    """Shape and limits of a base graph.

    Attributes:
        number: 1 or 2.
        n_rows: block rows, and so parity blocks.
        n_info: information blocks.
        rv_starts: block at which each redundancy version begins, counted without the punctured ones (TS 38.212, Table
            5.4.2.1-2, for a buffer of unlimited size).
    """

    number: BaseGraphNumber
    n_rows: int
    n_info: int
    rv_starts: tuple[int, int, int, int]

    @property
    def largest_k(self) -> int:
        """Information bits that it holds at most (TS 38.212, 5.2.2)."""
        return self.n_info * _LARGEST_Z

    def lifting_size(self, k: int) -> int:
        """Smallest lifting size that holds ``k`` information bits (TS 38.212, 5.2.2).

        Raises:
            SimnetError: there is none.
        """
        if not 1 <= k <= self.largest_k:
            raise SimnetError(
                f"5G NR code block of {k} bit: base graph {self.number} holds 1 ... {self.largest_k}; "
                "cut it into smaller blocks"
            )
        n_used = self.n_info if self.number == 1 else 10 if k > 640 else 9 if k > 560 else 8 if k > 192 else 6
        return next(z for z in LIFTING_SIZES if n_used * z >= k)

    def shifts(self, z: int) -> NDArray[np.int64]:
        """Base matrix for lifting size ``z``, [n_rows, n_info + n_rows]: shifts, −1 for z×z zeros.

        Raises:
            SimnetError: the standard has no such lifting size.
        """
        if z not in LIFTING_SIZES:
            raise SimnetError(f"5G NR lifting size: got {z}; allowed {', '.join(map(str, LIFTING_SIZES))}")
        odd_factor = z // (z & -z)
        designs = _designs(self.number)[..., odd_factor // 2]
        return np.where(designs >= 0, designs % z, designs)


BASE_GRAPHS: dict[BaseGraphNumber, BaseGraph] = {
    1: BaseGraph(1, n_rows=46, n_info=22, rv_starts=(0, 17, 33, 56)),
    2: BaseGraph(2, n_rows=42, n_info=10, rv_starts=(0, 13, 25, 43)),
}


def select_base_graph(k: int, n: int) -> BaseGraph:
    """The base graph of ``k`` information bits at code rate k/n (TS 38.212, 6.2.2 and 7.2.2).

    The standard compares the payload without its CRC; here k takes its place.
    """
    if k <= 292 or (k <= 3824 and 100 * k <= 67 * n) or 4 * k <= n:
        return BASE_GRAPHS[2]
    return BASE_GRAPHS[1]


@cache
def _designs(number: BaseGraphNumber) -> NDArray[np.int64]:
    """Shifts V of the eight lifting sets, [rows, columns, 8]; −1 where there is no entry.

    The set of a lifting size a·2^j, a = 2, 3, 5, 7, 9, 11, 13, 15, is the place of a in this order.
    """
    graph = BASE_GRAPHS[number]
    with (files(__package__) / "base_graphs" / f"bg{number}.txt").open(encoding="utf-8") as lines:
        row, column, *shifts = np.loadtxt(lines, dtype=np.int64).T
    designs = np.full((graph.n_rows, graph.n_info + graph.n_rows, len(shifts)), -1, dtype=np.int64)
    designs[row, column] = np.stack(shifts, axis=1)
    return designs
