"""A sparse parity-check matrix, arranged in layers of checks that share no bit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from simnet.core.errors import SimnetError


@dataclass(frozen=True, eq=False)
class ParityCheck:
    """H as lists of bits per check.

    Attributes:
        n: bits of a codeword.
        layers: each [checks, degree] int64, the bits of each check; rows shorter than their layer's largest degree
            are filled up with n, one past the last bit. No bit occurs twice in a layer, so its checks may be updated
            at once.
    """

    n: int
    layers: tuple[NDArray[np.int64], ...]

    @classmethod
    def from_matrix(cls, matrix: NDArray[np.generic] | sparse.spmatrix | sparse.sparray) -> ParityCheck:
        """Layers of any binary matrix [checks, n], dense or sparse; checks are dealt first-fit, in the order of rows.

        Raises:
            SimnetError: an entry is neither 0 nor 1, or a check has fewer than two bits.
        """
        rows = sparse.csr_array(matrix, copy=True)
        rows.sum_duplicates()
        rows.eliminate_zeros()
        if not np.all(rows.data == 1):
            raise SimnetError("parity-check matrix: got entries other than 0 and 1; pass a binary matrix")
        if rows.shape[0] == 0 or np.diff(rows.indptr).min() < 2:
            raise SimnetError("parity-check matrix: every check needs two or more bits; remove shorter checks")
        n = int(rows.shape[1])
        checks_of: list[list[NDArray[np.int64]]] = []
        taken_of: list[NDArray[np.bool_]] = []
        for start, end in zip(rows.indptr[:-1], rows.indptr[1:], strict=True):
            bits = rows.indices[start:end].astype(np.int64)
            layer = next((i for i, taken in enumerate(taken_of) if not taken[bits].any()), len(taken_of))
            if layer == len(taken_of):
                checks_of.append([])
                taken_of.append(np.zeros(n, dtype=bool))
            checks_of[layer].append(bits)
            taken_of[layer][bits] = True
        return cls(n, tuple(_filled(checks, n) for checks in checks_of))

    @classmethod
    def from_base_matrix(cls, shifts: NDArray[np.int64], z: int) -> ParityCheck:
        """One layer of z checks per row of a quasi-cyclic code's base matrix ``shifts`` [rows, columns].

        Entry s ≥ 0 stands for the z×z identity shifted right by s: row i has its one in column (i + s) mod z. −1 stands
        for z×z zeros; every row needs two other entries or more.
        """
        checks = np.arange(z)[:, None]
        layers = []
        for row in shifts:
            (columns,) = np.nonzero(row >= 0)
            layers.append(columns * z + (checks + row[columns]) % z)
        return cls(shifts.shape[1] * z, tuple(layers))

    def to_matrix(self) -> sparse.csr_array:
        """H, [checks, n] uint8, rows in the order of the layers."""
        real = [layer < self.n for layer in self.layers]
        columns = np.concatenate([layer[is_bit] for layer, is_bit in zip(self.layers, real, strict=True)])
        degrees = np.concatenate([is_bit.sum(1) for is_bit in real])
        indptr = np.concatenate(([0], np.cumsum(degrees)))
        return sparse.csr_array((np.ones(len(columns), dtype=np.uint8), columns, indptr), shape=(len(degrees), self.n))


def _filled(checks: list[NDArray[np.int64]], filler: int) -> NDArray[np.int64]:
    """Checks of unequal degree as one array, filled up with ``filler``."""
    layer = np.full((len(checks), max(len(check) for check in checks)), filler, dtype=np.int64)
    for row, check in zip(layer, checks, strict=True):
        row[: len(check)] = check
    return layer
