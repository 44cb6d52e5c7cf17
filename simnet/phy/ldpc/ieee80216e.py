"""LDPC code of IEEE Std 802.16e-2005, 8.4.9.2.5: base matrix, parity-check matrix and linear-time encoder."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, reduce
from operator import xor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from simnet.core.errors import SimnetError
from simnet.phy.ldpc.parity_check import ParityCheck

N_BASE_COLUMNS = 24
CODEWORD_LENGTHS = tuple(range(576, 2304 + 1, 96))
"""Codeword lengths n in bits that the standard defines: 24·z with z = 24, 28, … 96."""

_DESIGN_Z = 96
_EMPTY = -1
_RATE_1_2 = np.array(
    [
        [-1, 94, 73, -1, -1, -1, -1, -1, 55, 83, -1, -1, 7, 0, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1],
        [-1, 27, -1, -1, -1, 22, 79, 9, -1, -1, -1, 12, -1, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1, -1],
        [-1, -1, -1, 24, 22, 81, -1, 33, -1, -1, -1, 0, -1, -1, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1],
        [61, -1, 47, -1, -1, -1, -1, -1, 65, 25, -1, -1, -1, -1, -1, 0, 0, -1, -1, -1, -1, -1, -1, -1],
        [-1, -1, 39, -1, -1, -1, 84, -1, -1, 41, 72, -1, -1, -1, -1, -1, 0, 0, -1, -1, -1, -1, -1, -1],
        [-1, -1, -1, -1, 46, 40, -1, 82, -1, -1, -1, 79, 0, -1, -1, -1, -1, 0, 0, -1, -1, -1, -1, -1],
        [-1, -1, 95, 53, -1, -1, -1, -1, -1, 14, 18, -1, -1, -1, -1, -1, -1, -1, 0, 0, -1, -1, -1, -1],
        [-1, 11, 73, -1, -1, -1, 2, -1, -1, 47, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 0, -1, -1, -1],
        [12, -1, -1, -1, 83, 24, -1, 43, -1, -1, -1, 51, -1, -1, -1, -1, -1, -1, -1, -1, 0, 0, -1, -1],
        [-1, -1, -1, -1, -1, 94, -1, 59, -1, -1, 70, 72, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 0, -1],
        [-1, -1, 7, 65, -1, -1, -1, -1, 39, 49, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 0],
        [43, -1, -1, -1, -1, 66, -1, 41, -1, -1, -1, 26, 7, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0],
    ]
)


def base_matrix(z: int) -> NDArray[np.int64]:
    """Shifts of the rate-1/2 code for expansion factor ``z``, [12, 24]; −1 marks an all-zero block.

    Entry s ≥ 0 stands for the z×z identity shifted right by s: row i has its one in column (i + s) mod z.
    Positive shifts scale by the standard's rule floor(s·z/96).
    """
    return np.where(_RATE_1_2 > 0, _RATE_1_2 * z // _DESIGN_Z, _RATE_1_2)


class Ieee80216eCode:
    """The rate-1/2 code of one codeword length.

    Args:
        n: codeword length in bits, one of :data:`CODEWORD_LENGTHS`.

    Raises:
        SimnetError: the standard has no such length.
    """

    def __init__(self, n: int) -> None:
        if n not in CODEWORD_LENGTHS:
            raise SimnetError(f"IEEE 802.16e codeword length: got {n} bit; allowed 576, 672, ... 2304 (steps of 96)")
        self.n = n
        self.k = n // 2
        self._z = n // N_BASE_COLUMNS
        self._shifts = base_matrix(self._z)
        self.parity = ParityCheck(n, tuple(self._layer(row) for row in range(len(self._shifts))))

    def _layer(self, row: int) -> NDArray[np.int64]:
        """The z checks of one block row, [z, degree]."""
        (columns,) = np.nonzero(self._shifts[row] >= 0)
        check = np.arange(self._z)[:, None]
        layer: NDArray[np.int64] = columns * self._z + (check + self._shifts[row, columns]) % self._z
        return layer

    def encode(self, bits: Tensor) -> Tensor:
        """Codewords [B, n] uint8 of information bits [B, k] uint8, in time linear in n.

        The first parity column has three blocks, the outer two equal; all other parity columns are the dual diagonal.
        So the sum of all block rows leaves the first parity block alone, and each block row then gives the next one.
        """
        n_rows = len(self._shifts)
        n_info = N_BASE_COLUMNS - n_rows
        blocks = bits.reshape(len(bits), n_info, self._z).unbind(1)
        sums = [
            _modulo_2_sum([_shifted(blocks[column], shift) for column, shift in enumerate(row[:n_info]) if shift >= 0])
            for row in self._shifts.tolist()
        ]
        middle_shift = next(shift for shift in self._shifts[1:-1, n_info].tolist() if shift >= 0)
        first = _shifted(_modulo_2_sum(sums), -middle_shift)
        parity = [first]
        for row, shift in enumerate(self._shifts[:-1, n_info].tolist()):
            terms = [sums[row]]
            if shift >= 0:
                terms.append(_shifted(first, shift))
            if row > 0:
                terms.append(parity[-1])
            parity.append(_modulo_2_sum(terms))
        return torch.cat((bits, *parity), dim=1)


def _shifted(block: Tensor, shift: int) -> Tensor:
    """The z×z identity shifted right by ``shift``, times ``block`` [B, z]."""
    return torch.roll(block, -shift, dims=-1)


def _modulo_2_sum(terms: Sequence[Tensor]) -> Tensor:
    return reduce(xor, terms)


@cache
def ieee80216e(n: int) -> Ieee80216eCode:
    """The code of length n, built once."""
    return Ieee80216eCode(n)
