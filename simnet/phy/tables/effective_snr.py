"""One Es/N0 for a block whose symbols met many: mutual-information (MIESM) and exponential (EESM) mapping.

The effective Es/N0 is that of an AWGN channel with the same block error rate. Both maps average a function of the
symbols' Es/N0 and take its inverse: MIESM the mutual information of the coded bits, EESM 1 − exp(−γ). β scales the
Es/N0 before the function and after its inverse; it is fitted per block format (:mod:`simnet.phy.tables.effective_fit`).

K. Brueninghaus et al., "Link performance models for system level simulations of broadband radio access systems", PIMRC
2005. This module loads no tensor library.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from simnet.core.errors import UnknownName
from simnet.core.units import db_to_linear
from simnet.phy.bounds.bit_information import bit_information, esno_for_bit_information

MapKind = Literal["miesm", "eesm"]


def miesm(esno: NDArray[np.float64], bits_per_symbol: int, beta: float = 1.0) -> float:
    """Effective Es/N0 by mutual information: β·I⁻¹(mean I(γ/β)), I the information per coded bit of Gray QAM.

    Args:
        esno: Es/N0 of the symbols, |h|²·Es/N0, linear, any shape.
        bits_per_symbol: 2, 4, 6 or 8.
        beta: scale, above 0.
    """
    information = bit_information(np.asarray(esno, dtype=np.float64) / beta, bits_per_symbol)
    return float(esno_for_bit_information(float(np.mean(information)), bits_per_symbol)) * beta


def eesm(esno: NDArray[np.float64], beta: float) -> float:
    """Effective Es/N0 by the exponential map: −β·ln mean exp(−γ/β).

    Args:
        esno: Es/N0 of the symbols, linear, any shape.
        beta: scale, above 0.
    """
    exponents = -np.asarray(esno, dtype=np.float64) / beta
    largest = float(exponents.max())
    return float(-beta * (largest + np.log(np.mean(np.exp(exponents - largest)))))


@dataclass(frozen=True)
class EffectiveMap:
    """A map with its fitted β.

    Attributes:
        kind: ``miesm`` or ``eesm``.
        beta_db: β.
        fit_rms_db: root mean square of effective less AWGN Es/N0 at equal BLER, over the channels of the fit.
        check_rms_db: the same over channels that the fit has not seen.

    Raises:
        UnknownName: no such kind.
    """

    kind: MapKind
    beta_db: float
    fit_rms_db: float
    check_rms_db: float

    def __post_init__(self) -> None:
        if self.kind not in get_args(MapKind):
            raise UnknownName("effective-SNR map", self.kind, get_args(MapKind))

    def __call__(self, esno: NDArray[np.float64], bits_per_symbol: int) -> float:
        """Effective Es/N0 (linear) of symbols that met ``esno``."""
        return effective(self.kind, esno, bits_per_symbol, db_to_linear(self.beta_db))


def effective(kind: MapKind, esno: NDArray[np.float64], bits_per_symbol: int, beta: float) -> float:
    """Effective Es/N0 (linear) by the map of this kind."""
    return miesm(esno, bits_per_symbol, beta) if kind == "miesm" else eesm(esno, beta)
