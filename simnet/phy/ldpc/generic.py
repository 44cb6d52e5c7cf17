"""Systematic code of any binary parity-check matrix, by elimination."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor

from simnet.core.errors import SimnetError
from simnet.phy.ldpc.parity_check import ParityCheck


class GenericCode:
    """The code of a matrix H; its columns are put in another order, so that codewords begin with information bits.

    Parity bits are taken from the last columns where possible, so a matrix whose last columns are invertible keeps its
    order. The elimination takes some n³/64 operations (0.1 s at n = 2304), encoding k·(n − k) per codeword.

    Args:
        matrix: H, [checks, n], dense or sparse, entries 0 and 1, two ones or more per row. Rows may depend on each
            other; they stay in ``parity``, where they help the decoder.

    Attributes:
        n: codeword length in bits.
        k: information bits, n less the rank of H.
        permutation: [n] int64; bit i of a codeword belongs to column permutation[i] of ``matrix``. Hence
            ``codewords[:, np.argsort(code.permutation)]`` are words of the matrix as it was given.
        parity: H with its columns in that order.

    Raises:
        SimnetError: the matrix is not binary, has a row of less than two ones, or leaves no information bit.
    """

    def __init__(self, matrix: NDArray[np.generic] | sparse.spmatrix | sparse.sparray) -> None:
        given = ParityCheck.from_matrix(matrix)
        reduced, parity_columns = _eliminated(given.to_matrix().toarray())
        self.n = given.n
        self.k = self.n - len(parity_columns)
        if self.k == 0:
            raise SimnetError(
                f"parity-check matrix: got rank {self.n} of {self.n} bits; allowed less, for information bits"
            )
        is_information = np.ones(self.n, dtype=bool)
        is_information[parity_columns] = False
        self.permutation = np.concatenate((np.flatnonzero(is_information), parity_columns))
        place = np.append(np.argsort(self.permutation), self.n)  # the filler of short checks stays n
        self.parity = ParityCheck(self.n, tuple(place[layer] for layer in given.layers))
        # Sums of k zeros and ones are exact in float32, whose matrix product is the fastest.
        self._parity_of = torch.from_numpy(reduced[:, is_information].T.astype(np.float32))

    def encode(self, bits: Tensor) -> Tensor:
        """Codewords [B, n] uint8 of information bits [B, k] uint8, on the bits' device."""
        sums = bits.to(torch.float32) @ self._parity_of.to(bits.device)
        return torch.cat((bits, sums.remainder_(2.0).to(bits.dtype)), dim=1)


def _eliminated(matrix: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Gauss-Jordan elimination modulo 2 of a matrix [checks, n], columns from right to left.

    Returns:
        The rows of the reduced matrix [rank, n], and the column [rank] in which each has its pivot, ascending.
    """
    n_checks, n = matrix.shape
    packed = np.packbits(np.pad(matrix, ((0, 0), (0, -n % 64))), axis=1)
    words = packed.view(np.uint64)  # the same memory, eight bytes at once
    pivots: list[int] = []
    for column in range(n - 1, -1, -1):
        rank = len(pivots)
        if rank == n_checks:
            break
        ones = np.flatnonzero(packed[:, column // 8] & (128 >> column % 8))
        free = ones[ones >= rank]
        if len(free) == 0:
            continue
        pivot = words[free[0]].copy()
        words[ones] ^= pivot
        # Row free[0] is zero now: it takes the place of the row that the pivot replaces.
        words[free[0]] = words[rank]
        words[rank] = pivot
        pivots.append(column)
    rank = len(pivots)
    return np.unpackbits(packed[:rank], axis=1, count=n)[::-1], np.array(pivots[::-1], dtype=np.int64)
