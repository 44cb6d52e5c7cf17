"""Time-correlated Rayleigh fading (Clarke, Jakes): autocorrelation J0(2π·f_D·τ), any time in any order."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simnet.core.errors import SimnetError

N_WAVES = 64
"""Plane waves per process."""
_TIMES_AT_ONCE = 4096
"""Bounds the memory of one evaluation."""


@dataclass(frozen=True, eq=False)
class ClarkeProcess:
    """h(t) = M^(−1/2) Σ exp(j(2π·f_m·t + φ_m)): M waves of equal power and random phase from random directions.

    R. H. Clarke, Bell Syst. Tech. J. 47(6), 1968. The m-th direction is uniform in the m-th of M equal sectors and
    f_m = f_D·cos(direction), after Y. R. Zheng, C. Xiao, IEEE Trans. Commun. 51(6), 2003. Over the draws the mean of
    h(t + τ)·h*(t) is J0(2π·f_D·τ), exactly, at all t and τ. |h|² has mean 1 over the draws, and in each draw over
    time: no link is better than another in the long run. |h|² is exponential up to terms in 1/M: E|h|⁴ = 2 − 1/M, and
    deep fades come by 1/(2M) too rarely (0.8 % for M = 64).

    Attributes:
        frequency_hz: f_m, [*shape, M].
        phase_turns: φ_m/2π in [0, 1), [*shape, M].
    """

    frequency_hz: NDArray[np.float64]
    phase_turns: NDArray[np.float64]

    @classmethod
    def draw(
        cls,
        doppler_hz: float,
        *,
        rng: np.random.Generator,
        shape: tuple[int, ...] = (),
        n_waves: int = N_WAVES,
    ) -> ClarkeProcess:
        """Independent processes.

        Args:
            doppler_hz: maximum Doppler shift f_D, 0 or more.
            rng: the process is a function of it.
            shape: of the array of processes.
            n_waves: M.

        Raises:
            SimnetError: f_D is negative or not finite, or M < 8.
        """
        check_doppler(doppler_hz)
        if n_waves < 8:
            raise SimnetError(f"waves of a Clarke process: got {n_waves}; allowed 8 or more, {N_WAVES} is usual")
        draws = rng.random((2, *shape, n_waves))
        direction_rad = 2 * math.pi / n_waves * (np.arange(n_waves) + draws[0])
        return cls(doppler_hz * np.cos(direction_rad), draws[1])

    def gains(self, times_s: ArrayLike) -> NDArray[np.complex128]:
        """h at absolute times [*T] in s, of any sign: [*shape, *T]."""
        times = np.asarray(times_s, dtype=np.float64)
        flat = times.ravel()
        parts = [self._gains(flat[i : i + _TIMES_AT_ONCE]) for i in range(0, len(flat), _TIMES_AT_ONCE)]
        shape = (*self.frequency_hz.shape[:-1], *times.shape)
        return np.concatenate(parts, axis=-1).reshape(shape) if parts else np.zeros(shape, dtype=np.complex128)

    def _gains(self, times_s: NDArray[np.float64]) -> NDArray[np.complex128]:
        turns = self.frequency_hz[..., None, :] * times_s[:, None]
        # Whole turns drop out before the product with 2π, which would round away what is left of them at a late time.
        turns -= np.rint(turns)
        waves = np.exp(2j * math.pi * (turns + self.phase_turns[..., None, :]))
        total: NDArray[np.complex128] = waves.sum(axis=-1)
        return total / math.sqrt(self.frequency_hz.shape[-1])


def check_doppler(doppler_hz: float) -> None:
    """Raises SimnetError unless the maximum Doppler shift is 0 or more, and finite."""
    if not 0 <= doppler_hz < math.inf:
        raise SimnetError(f"maximum Doppler shift: got {doppler_hz} Hz; allowed 0 (no movement) or more, finite")
