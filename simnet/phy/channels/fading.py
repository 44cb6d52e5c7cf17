"""Gains of flat fading channels, E|h|² = 1: one per block, or an independent one per symbol."""

from __future__ import annotations

import cmath
import math
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from simnet.core.errors import SimnetError, UnknownName
from simnet.core.units import db_to_linear

Fading = Literal["block", "fast"]
"""``block``: h is constant over a block; ``fast``: h is drawn anew for every symbol."""


def rayleigh_gains(n_symbols: int, fading: Fading, *, rng: np.random.Generator) -> NDArray[np.complex64]:
    """h ~ CN(0, 1), [n_symbols].

    Raises:
        UnknownName: ``fading`` is neither ``block`` nor ``fast``.
    """
    check_fading(fading)
    n_draws = 1 if fading == "block" else n_symbols
    draws = rng.standard_normal(2 * n_draws) * math.sqrt(0.5)
    gains: NDArray[np.complex64] = draws.view(np.complex128).astype(np.complex64)
    return np.repeat(gains, n_symbols) if fading == "block" else gains


def rician_gains(
    n_symbols: int, fading: Fading, *, k_factor_db: float, los_phase_rad: float = 0.0, rng: np.random.Generator
) -> NDArray[np.complex64]:
    """h = √(K/(K+1))·exp(jφ) + √(1/(K+1))·CN(0, 1), [n_symbols].

    Args:
        n_symbols: length.
        fading: of the scattered part; the line of sight is constant.
        k_factor_db: K, power of the line of sight over that of the scattered part, in dB.
        los_phase_rad: φ.
        rng: of the scattered part.

    Raises:
        UnknownName: ``fading`` is neither ``block`` nor ``fast``.
        SimnetError: K is not finite.
    """
    check_k_factor(k_factor_db)
    k_factor = db_to_linear(k_factor_db)
    line_of_sight = math.sqrt(k_factor / (k_factor + 1)) * cmath.exp(1j * los_phase_rad)
    scattered = rayleigh_gains(n_symbols, fading, rng=rng) * np.float32(math.sqrt(1 / (k_factor + 1)))
    return scattered + np.complex64(line_of_sight)


def check_fading(fading: str) -> None:
    """Raises UnknownName unless ``fading`` is ``block`` or ``fast``."""
    if fading not in get_args(Fading):
        raise UnknownName("fading", fading, get_args(Fading))


def check_k_factor(k_factor_db: float) -> None:
    """Raises SimnetError unless K is finite."""
    if not math.isfinite(k_factor_db):
        raise SimnetError(
            f"Rician K factor: got {k_factor_db} dB; allowed any finite value; "
            "choose Rayleigh fading for no line of sight, AWGN for nothing else"
        )
