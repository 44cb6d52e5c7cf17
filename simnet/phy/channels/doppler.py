"""Doppler shift, speed and coherence time of Clarke's channel."""

from __future__ import annotations

import math

from simnet.core.units import SPEED_OF_LIGHT_M_PER_S

_J0_HALF = 1.5211440576687647
"""J0 of this is 1/2, for the first time."""


def maximum_doppler_hz(speed_m_per_s: float, carrier_hz: float) -> float:
    """f_D = v·f_c/c, the largest Doppler shift that a receiver at this speed sees."""
    return speed_m_per_s * carrier_hz / SPEED_OF_LIGHT_M_PER_S


def speed_m_per_s(doppler_hz: float, carrier_hz: float) -> float:
    """The inverse of :func:`maximum_doppler_hz` in the speed."""
    return doppler_hz * SPEED_OF_LIGHT_M_PER_S / carrier_hz


def coherence_time_s(doppler_hz: float) -> float:
    """The first τ at which the autocorrelation J0(2π·f_D·τ) of the gain is 1/2: 0.242/f_D; infinite for f_D = 0.

    Textbooks also say 9/(16π·f_D) = 0.179/f_D and, as a rule of thumb, 0.423/f_D.
    """
    return _J0_HALF / (2 * math.pi * doppler_hz) if doppler_hz > 0 else math.inf
