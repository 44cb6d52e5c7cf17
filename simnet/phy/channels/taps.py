"""A realisation of a tapped delay line: h(τ, t) = Σ a_k(t)·δ(τ − τ_k), over frequency and over sampled delay.

AESC-I (paper 001), equations (4) and (5), and 3GPP TR 38.901, 7.7.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simnet.core.errors import SimnetError
from simnet.phy.channels.clarke import ClarkeProcess
from simnet.phy.channels.delay_profile import PowerDelayProfile

_LOS_DOPPLER = 0.7
"""Doppler shift of the line of sight over the maximum one (TR 38.901, 7.7.2)."""


@dataclass(frozen=True, eq=False)
class Taps:
    """What was drawn for one link; everything else about it is a function of time.

    Attributes:
        delays_s: τ_k, [K].
        amplitudes: √(mean power) of the scattered parts, [K].
        scattered: their fading of unit mean power: constant gains [K], or processes in time, [K].
        line_of_sight: complex amplitude at delay 0 and time 0; 0 where there is none.
        los_doppler_hz: its Doppler shift.
    """

    delays_s: NDArray[np.float64]
    amplitudes: NDArray[np.float64]
    scattered: ClarkeProcess | NDArray[np.complex128]
    line_of_sight: complex
    los_doppler_hz: float

    @classmethod
    def draw(
        cls, profile: PowerDelayProfile, rms_delay_spread_s: float, doppler_hz: float, *, rng: np.random.Generator
    ) -> Taps:
        """Independent Rayleigh taps: constant if ``doppler_hz`` is 0, else Clarke processes of that maximum shift.

        Args:
            profile: shape of the power over the delay.
            rms_delay_spread_s: what the profile's delays are multiplied with (TR 38.901, 7.7.3).
            doppler_hz: maximum Doppler shift.
            rng: the realisation is a function of it.

        Raises:
            SimnetError: the delay spread is not positive and finite, the Doppler shift negative or not finite.
        """
        check_delay_spread(rms_delay_spread_s)
        n_taps = len(profile.delays)
        phase_turns = rng.random()
        scattered: ClarkeProcess | NDArray[np.complex128]
        if doppler_hz == 0:
            scattered = (rng.standard_normal(2 * n_taps) * math.sqrt(0.5)).view(np.complex128)
        else:
            scattered = ClarkeProcess.draw(doppler_hz, rng=rng, shape=(n_taps,))
        return cls(
            np.array(profile.delays) * rms_delay_spread_s,
            np.sqrt(profile.powers),
            scattered,
            math.sqrt(profile.los_power) * complex(np.exp(2j * math.pi * phase_turns)),
            _LOS_DOPPLER * doppler_hz,
        )

    def gains(self, times_s: ArrayLike) -> NDArray[np.complex128]:
        """a_k(t) of the scattered parts and, last, of the line of sight, at absolute times [T] in s: [T, K + 1]."""
        times = np.atleast_1d(np.asarray(times_s, dtype=np.float64))
        if isinstance(self.scattered, ClarkeProcess):
            scattered = self.scattered.gains(times).T
        else:
            scattered = np.tile(self.scattered, (len(times), 1))
        line_of_sight = self.line_of_sight * np.exp(2j * math.pi * self.los_doppler_hz * times)
        return np.concatenate((self.amplitudes * scattered, line_of_sight[:, None]), axis=1)

    def frequency_response(self, times_s: ArrayLike, frequencies_hz: NDArray[np.float64]) -> NDArray[np.complex128]:
        """H(f, t) = Σ a_k(t)·exp(−j2π·f·τ_k) at times [T] in s and baseband frequencies [N]: [T, N]."""
        response: NDArray[np.complex128] = self.gains(times_s) @ delay_phases(self.delays_s, frequencies_hz)
        return response

    def impulse_response(
        self, times_s: ArrayLike, sample_rate_hz: float, n_lead: int = 8, n_tail: int = 8
    ) -> NDArray[np.complex128]:
        """The taps limited to the sampled band: h[n] = Σ a_k(t)·sinc(n − n_lead − τ_k·f_s), [T, n_samples].

        A tap on a sample is one sample of h. One between samples spreads over all; kept are those from ``n_lead``
        before delay 0 to ``n_tail`` after the last delay, and at most about 1/(π²·n_lead) + 1/(π²·n_tail) of its power
        is cut off. The received signal comes ``n_lead`` samples late.
        """
        n_samples = n_lead + math.ceil(float(self.delays_s.max()) * sample_rate_hz) + n_tail + 1
        offset = np.arange(n_samples) - n_lead - np.append(self.delays_s, 0.0)[:, None] * sample_rate_hz
        # A delay meant to lie on a sample lies there only up to rounding.
        nearest = np.rint(offset)
        offset = np.where(np.abs(offset - nearest) < 1e-9, nearest, offset)
        response: NDArray[np.complex128] = self.gains(times_s) @ np.sinc(offset)
        return response


def delay_phases(delays_s: NDArray[np.float64], frequencies_hz: NDArray[np.float64]) -> NDArray[np.complex128]:
    """exp(−j2π·f·τ_k) of delays [K] and, last, of the line of sight's delay 0: [K + 1, N]."""
    phases: NDArray[np.complex128] = np.exp(-2j * math.pi * np.outer(np.append(delays_s, 0.0), frequencies_hz))
    return phases


def check_delay_spread(rms_delay_spread_s: float) -> None:
    """Raises SimnetError unless the RMS delay spread is positive and finite."""
    if not 0 < rms_delay_spread_s < math.inf:
        raise SimnetError(
            f"RMS delay spread: got {rms_delay_spread_s} s; allowed above 0 and finite, "
            "e.g. 30e-9 (short), 100e-9 (nominal), 300e-9 (long; TR 38.901, table 7.7.3-1)"
        )
