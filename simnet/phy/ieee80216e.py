"""Base matrix of the LDPC code of IEEE Std 802.16e-2005, 8.4.9.2.5, rate 1/2."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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
