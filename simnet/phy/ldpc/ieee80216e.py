"""LDPC codes of IEEE Std 802.16e-2005, 8.4.9.2.5: six rates, nineteen lengths."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from simnet.core.errors import SimnetError, UnknownName
from simnet.phy.ldpc.quasi_cyclic import QuasiCyclicCode

N_BASE_COLUMNS = 24
CODEWORD_LENGTHS = tuple(range(576, 2304 + 1, 96))
"""Codeword lengths n in bits that the standard defines: 24·z with z = 24, 28, … 96."""

_DESIGN_Z = 96
_DESIGN_SHIFTS = {
    "1/2": """
        -1 94 73 -1 -1 -1 -1 -1 55 83 -1 -1  7  0 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1
        -1 27 -1 -1 -1 22 79  9 -1 -1 -1 12 -1  0  0 -1 -1 -1 -1 -1 -1 -1 -1 -1
        -1 -1 -1 24 22 81 -1 33 -1 -1 -1  0 -1 -1  0  0 -1 -1 -1 -1 -1 -1 -1 -1
        61 -1 47 -1 -1 -1 -1 -1 65 25 -1 -1 -1 -1 -1  0  0 -1 -1 -1 -1 -1 -1 -1
        -1 -1 39 -1 -1 -1 84 -1 -1 41 72 -1 -1 -1 -1 -1  0  0 -1 -1 -1 -1 -1 -1
        -1 -1 -1 -1 46 40 -1 82 -1 -1 -1 79  0 -1 -1 -1 -1  0  0 -1 -1 -1 -1 -1
        -1 -1 95 53 -1 -1 -1 -1 -1 14 18 -1 -1 -1 -1 -1 -1 -1  0  0 -1 -1 -1 -1
        -1 11 73 -1 -1 -1  2 -1 -1 47 -1 -1 -1 -1 -1 -1 -1 -1 -1  0  0 -1 -1 -1
        12 -1 -1 -1 83 24 -1 43 -1 -1 -1 51 -1 -1 -1 -1 -1 -1 -1 -1  0  0 -1 -1
        -1 -1 -1 -1 -1 94 -1 59 -1 -1 70 72 -1 -1 -1 -1 -1 -1 -1 -1 -1  0  0 -1
        -1 -1  7 65 -1 -1 -1 -1 39 49 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1  0  0
        43 -1 -1 -1 -1 66 -1 41 -1 -1 -1 26  7 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1  0
    """,
    "2/3A": """
         3  0 -1 -1  2  0 -1  3  7 -1  1  1 -1 -1 -1 -1  1  0 -1 -1 -1 -1 -1 -1
        -1 -1  1 -1 36 -1 -1 34 10 -1 -1 18  2 -1  3  0 -1  0  0 -1 -1 -1 -1 -1
        -1 -1 12  2 -1 15 -1 40 -1  3 -1 15 -1  2 13 -1 -1 -1  0  0 -1 -1 -1 -1
        -1 -1 19 24 -1  3  0 -1  6 -1 17 -1 -1 -1  8 39 -1 -1 -1  0  0 -1 -1 -1
        20 -1  6 -1 -1 10 29 -1 -1 28 -1 14 -1 38 -1 -1  0 -1 -1 -1  0  0 -1 -1
        -1 -1 10 -1 28 20 -1 -1  8 -1 36 -1  9 -1 21 45 -1 -1 -1 -1 -1  0  0 -1
        35 25 -1 37 -1 21 -1 -1  5 -1 -1  0 -1  4 20 -1 -1 -1 -1 -1 -1 -1  0  0
        -1  6  6 -1 -1 -1  4 -1 14 30 -1  3 36 -1 14 -1  1 -1 -1 -1 -1 -1 -1  0
    """,
    "2/3B": """
         2 -1 19 -1 47 -1 48 -1 36 -1 82 -1 47 -1 15 -1 95  0 -1 -1 -1 -1 -1 -1
        -1 69 -1 88 -1 33 -1  3 -1 16 -1 37 -1 40 -1 48 -1  0  0 -1 -1 -1 -1 -1
        10 -1 86 -1 62 -1 28 -1 85 -1 16 -1 34 -1 73 -1 -1 -1  0  0 -1 -1 -1 -1
        -1 28 -1 32 -1 81 -1 27 -1 88 -1  5 -1 56 -1 37 -1 -1 -1  0  0 -1 -1 -1
        23 -1 29 -1 15 -1 30 -1 66 -1 24 -1 50 -1 62 -1 -1 -1 -1 -1  0  0 -1 -1
        -1 30 -1 65 -1 54 -1 14 -1  0 -1 30 -1 74 -1  0 -1 -1 -1 -1 -1  0  0 -1
        32 -1  0 -1 15 -1 56 -1 85 -1  5 -1  6 -1 52 -1  0 -1 -1 -1 -1 -1  0  0
        -1  0 -1 47 -1 13 -1 61 -1 84 -1 55 -1 78 -1 41 95 -1 -1 -1 -1 -1 -1  0
    """,
    "3/4A": """
         6 38  3 93 -1 -1 -1 30 70 -1 86 -1 37 38  4 11 -1 46 48  0 -1 -1 -1 -1
        62 94 19 84 -1 92 78 -1 15 -1 -1 92 -1 45 24 32 30 -1 -1  0  0 -1 -1 -1
        71 -1 55 -1 12 66 45 79 -1 78 -1 -1 10 -1 22 55 70 82 -1 -1  0  0 -1 -1
        38 61 -1 66  9 73 47 64 -1 39 61 43 -1 -1 -1 -1 95 32  0 -1 -1  0  0 -1
        -1 -1 -1 -1 32 52 55 80 95 22  6 51 24 90 44 20 -1 -1 -1 -1 -1 -1  0  0
        -1 63 31 88 20 -1 -1 -1  6 40 56 16 71 53 -1 -1 27 26 48 -1 -1 -1 -1  0
    """,
    "3/4B": """
        -1 81 -1 28 -1 -1 14 25 17 -1 -1 85 29 52 78 95 22 92  0  0 -1 -1 -1 -1
        42 -1 14 68 32 -1 -1 -1 -1 70 43 11 36 40 33 57 38 24 -1  0  0 -1 -1 -1
        -1 -1 20 -1 -1 63 39 -1 70 67 -1 38  4 72 47 29 60  5 80 -1  0  0 -1 -1
        64  2 -1 -1 63 -1 -1  3 51 -1 81 15 94  9 85 36 14 19 -1 -1 -1  0  0 -1
        -1 53 60 80 -1 26 75 -1 -1 -1 -1 86 77  1  3 72 60 25 -1 -1 -1 -1  0  0
        77 -1 -1 -1 15 28 -1 35 -1 72 30 68 85 84 26 64 11 89  0 -1 -1 -1 -1  0
    """,
    "5/6": """
         1 25 55 -1 47  4 -1 91 84  8 86 52 82 33  5  0 36 20  4 77 80  0 -1 -1
        -1  6 -1 36 40 47 12 79 47 -1 41 21 12 71 14 72  0 44 49  0  0  0  0 -1
        51 81 83  4 67 -1 21 -1 31 24 91 61 81  9 86 78 60 88 67 15 -1 -1  0  0
        50 -1 50 15 -1 36 13 10 11 20 53 90 29 92 57 30 84 92 11 66 80 -1 -1  0
    """,
}
RATES = tuple(_DESIGN_SHIFTS)
"""Names of the rates; two rates have two codes, A and B."""


def base_matrix(z: int, rate: str = "1/2") -> NDArray[np.int64]:
    """Shifts of the code for expansion factor ``z``, [rows, 24]; −1 marks an all-zero block.

    Entry s ≥ 0 stands for the z×z identity shifted right by s: row i has its one in column (i + s) mod z. The standard
    gives the shifts p of z = 96; positive ones become p mod z in the code 2/3A, floor(p·z/96) in all others.

    Raises:
        UnknownName: no such rate.
    """
    if rate not in RATES:
        raise UnknownName("IEEE 802.16e code rate", rate, RATES)
    design = np.array(_DESIGN_SHIFTS[rate].split(), dtype=np.int64).reshape(-1, N_BASE_COLUMNS)
    scaled = design % z if rate == "2/3A" else design * z // _DESIGN_Z
    return np.where(design > 0, scaled, design)


class Ieee80216eCode(QuasiCyclicCode):
    """The code of one rate and codeword length.

    Args:
        n: codeword length in bits, one of :data:`CODEWORD_LENGTHS`.
        rate: one of :data:`RATES`.

    Attributes:
        rate: its name.

    Raises:
        SimnetError: the standard has no such length or rate.
    """

    def __init__(self, n: int, rate: str = "1/2") -> None:
        if n not in CODEWORD_LENGTHS:
            raise SimnetError(f"IEEE 802.16e codeword length: got {n} bit; allowed 576, 672, ... 2304 (steps of 96)")
        z = n // N_BASE_COLUMNS
        shifts = base_matrix(z, rate)
        super().__init__(shifts, z, n_core_rows=len(shifts))
        self.rate = rate


def ieee80216e(n: int, rate: str = "1/2") -> Ieee80216eCode:
    """The code of length n at that rate, built once."""
    return _built(n, rate)


@cache
def _built(n: int, rate: str) -> Ieee80216eCode:
    return Ieee80216eCode(n, rate)
