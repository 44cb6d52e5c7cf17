"""Units: dB at the border, linear and SI inside; the one place that converts between signal-to-noise ratios."""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

FloatLike = TypeVar("FloatLike", float, NDArray[np.float64])

BOLTZMANN_J_PER_K = 1.380649e-23
"""Exact (SI 2019)."""
REFERENCE_TEMPERATURE_K = 290.0
"""The temperature at which noise figures are defined (IEEE)."""
SPEED_OF_LIGHT_M_PER_S = 299_792_458.0
LARGEST_DB = 300.0
"""Ratios in dB that users may give are at most so far from 0: products of several still are floats."""


def db_to_linear(ratio_db: FloatLike) -> FloatLike:
    """Power ratio of a value in dB."""
    result: FloatLike = 10.0 ** (ratio_db / 10.0)
    return result


def linear_to_db(ratio: float) -> float:
    """10 log10 of a power ratio; −inf for 0."""
    return 10.0 * math.log10(ratio) if ratio > 0 else -math.inf


def dbm_to_watt(power_dbm: float) -> float:
    """Power in W of a value in dBm."""
    return 1e-3 * db_to_linear(power_dbm)


def noise_density_w_per_hz(noise_figure_db: float) -> float:
    """One-sided thermal noise density N0 = k·T0·F, W/Hz, of a receiver with this noise figure."""
    return BOLTZMANN_J_PER_K * REFERENCE_TEMPERATURE_K * db_to_linear(noise_figure_db)


def esno(received_power_w: float, symbol_time_s: float, noise_figure_db: float) -> float:
    """Es/N0 (linear) = P_rx · T_s / N0 of one complex symbol."""
    return received_power_w * symbol_time_s / noise_density_w_per_hz(noise_figure_db)


def esno_db_from_ebno_db(ebno_db: float, *, bits_per_symbol: int, code_rate: float) -> float:
    """Es/N0 = Eb/N0 · (bits per symbol) · (code rate), both in dB."""
    return ebno_db + linear_to_db(bits_per_symbol * code_rate)


def ebno_db_from_esno_db(esno_db: float, *, bits_per_symbol: int, code_rate: float) -> float:
    """The inverse of :func:`esno_db_from_ebno_db`."""
    return esno_db - linear_to_db(bits_per_symbol * code_rate)
