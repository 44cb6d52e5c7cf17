"""Quasi-cyclic codes whose parity part begins with a dual diagonal, as in IEEE 802.16e and 5G NR; linear-time encoder.

A base matrix holds shifts: s ≥ 0 stands for the z×z identity shifted right by s (row i has its one in column
(i + s) mod z), −1 for z×z zeros. Its columns are K information blocks, then as many parity blocks as it has rows:

- the first c rows are the core. Its first parity column has three entries, the first and last of one shift; the next
  c − 1 are the dual diagonal: shift 0 in rows r and r + 1.
- each further row has a parity block of its own (shift 0) and otherwise information and core blocks only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from simnet.phy.ldpc.parity_check import ParityCheck

_Terms = list[tuple[int, int]]
"""Where a block column occurs: (block row, shift)."""


class QuasiCyclicCode:
    """The code of a base matrix of that form.

    Args:
        shifts: [rows, columns], each below z.
        z: expansion factor.
        n_core_rows: block rows of the core, three or more.

    Attributes:
        n: codeword length in bits.
        k: information bits.
        z: expansion factor.
        parity: H, one layer per block row.
    """

    def __init__(self, shifts: NDArray[np.int64], z: int, n_core_rows: int) -> None:
        n_rows, n_columns = shifts.shape
        self.z = z
        self._n_info = n_columns - n_rows
        self._n_core_rows = n_core_rows
        self.n = n_columns * z
        self.k = self._n_info * z
        self.parity = ParityCheck.from_base_matrix(shifts, z)
        core_columns = shifts[:, self._n_info : self._n_info + n_core_rows]
        self._terms = [_terms(column, 0) for column in shifts[:, : self._n_info].T]
        self._core_terms = [_terms(column, n_core_rows) for column in core_columns.T]
        self._first_parity_column: list[int] = core_columns[:n_core_rows, 0].tolist()

    def encode(self, bits: Tensor) -> Tensor:
        """Codewords [B, n] uint8 of information bits [B, k] uint8, in time linear in n.

        All core rows added up leave the first parity block alone, for every other one occurs in them twice; each core
        row then gives the next parity block, and each further row its own.
        """
        codewords = bits.new_zeros((len(bits), self.n))
        codewords[:, : self.k] = bits
        blocks = codewords.view(len(bits), self.n // self.z, self.z).unbind(1)
        information, parity = blocks[: self._n_info], blocks[self._n_info :]
        core, further = parity[: self._n_core_rows], parity[self._n_core_rows :]
        # Row r's sum lies where parity block r + 1 will be; that of the core's last row, which gives none, at block 0.
        sums = (*core[1:], core[0], *further)
        self._add(information, self._terms, sums)
        middle = next(shift for shift in self._first_parity_column[1:-1] if shift >= 0)
        total = core[0].clone()
        for row_sum in core[1:]:
            total ^= row_sum
        core[0].copy_(torch.roll(total, middle, dims=1))
        first = _twice(core[0])
        for row, shift in enumerate(self._first_parity_column[:-1]):
            if shift >= 0:
                core[row + 1].bitwise_xor_(first[:, shift : shift + self.z])
            if row > 0:
                core[row + 1].bitwise_xor_(core[row])
        if further:
            self._add(core, self._core_terms, sums)
        return codewords

    def _add(self, columns: Sequence[Tensor], terms: list[_Terms], sums: Sequence[Tensor]) -> None:
        """Add each of the blocks ``columns`` [B, z], shifted, to the sums of the block rows that it occurs in."""
        for block, rows in zip(columns, terms, strict=True):
            twice = _twice(block)
            for row, shift in rows:
                sums[row].bitwise_xor_(twice[:, shift : shift + self.z])


def _terms(column: NDArray[np.int64], first_row: int) -> _Terms:
    return [(row, shift) for row, shift in enumerate(column.tolist()) if shift >= 0 and row >= first_row]


def _twice(block: Tensor) -> Tensor:
    """A block [B, z] twice in a row, [B, 2z]: from place s on stands the block shifted by s."""
    return torch.cat((block, block), dim=1)
