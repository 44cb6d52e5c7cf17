"""AWGN, Rayleigh and Rician fading as channel models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simnet.core.errors import SimnetError
from simnet.phy.channels.fading import Fading, check_fading, check_k_factor, rayleigh_gains, rician_gains
from simnet.phy.channels.model import ChannelEstimate, ChannelModel, standard_noise


@dataclass(frozen=True, kw_only=True)
class FlatModel(ChannelModel):
    """A channel whose gain, if it is estimated, is constant over a block.

    Attributes:
        n_pilot: pilots of unit energy sent with each block; 0 or more. The least squares estimate from them errs by
            N0/n_pilot.

    Raises:
        SimnetError: ``n_pilot`` is negative.
    """

    n_pilot: int = 0

    def __post_init__(self) -> None:
        if self.n_pilot < 0:
            raise SimnetError(f"channel n_pilot: got {self.n_pilot}; allowed 0 (no pilots) or more")

    def channel_uses(self, n_symbols: int) -> int:
        return n_symbols + self.n_pilot

    def estimate(
        self,
        n_symbols: int,
        noise_variance: float,
        *,
        rng: np.random.Generator,
        pilot_rng: np.random.Generator,
        start_s: float = 0.0,
    ) -> ChannelEstimate:
        if self.n_pilot == 0:
            raise SimnetError("channel estimate: got n_pilot 0; allowed 1 or more with csi 'pilot', or csi 'perfect'")
        gain = self.gains(n_symbols, rng=rng, start_s=start_s)
        error_variance = noise_variance / self.n_pilot
        error = np.complex64(standard_noise(1, pilot_rng)[0] * np.sqrt(error_variance))
        return ChannelEstimate(gain, gain + error, np.full(n_symbols, error_variance, dtype=np.float32))


@dataclass(frozen=True, kw_only=True)
class Awgn(FlatModel):
    """h = 1."""

    def gains(self, n_symbols: int, *, rng: np.random.Generator, start_s: float = 0.0) -> NDArray[np.complex64]:
        return np.ones(n_symbols, dtype=np.complex64)


@dataclass(frozen=True, kw_only=True)
class Rayleigh(FlatModel):
    """h ~ CN(0, 1).

    Attributes:
        fading: ``block``: one h; ``fast``: one per symbol, which allows no pilots.

    Raises:
        SimnetError: unknown fading, or pilots with fast fading.
    """

    fading: Fading

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_fading(self.fading, self.n_pilot)

    def gains(self, n_symbols: int, *, rng: np.random.Generator, start_s: float = 0.0) -> NDArray[np.complex64]:
        return rayleigh_gains(n_symbols, self.fading, rng=rng)


@dataclass(frozen=True, kw_only=True)
class Rician(FlatModel):
    """A constant line of sight and a Rayleigh scattered part.

    Attributes:
        fading: of the scattered part, as :class:`Rayleigh`.
        k_factor_db: power of the line of sight over that of the scattered part.
        los_phase_rad: phase of the line of sight.

    Raises:
        SimnetError: unknown fading, K not finite, or pilots with fast fading.
    """

    fading: Fading
    k_factor_db: float
    los_phase_rad: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_fading(self.fading, self.n_pilot)
        check_k_factor(self.k_factor_db)

    def gains(self, n_symbols: int, *, rng: np.random.Generator, start_s: float = 0.0) -> NDArray[np.complex64]:
        return rician_gains(
            n_symbols, self.fading, k_factor_db=self.k_factor_db, los_phase_rad=self.los_phase_rad, rng=rng
        )


def _check_fading(fading: str, n_pilot: int) -> None:
    check_fading(fading)
    if fading == "fast" and n_pilot > 0:
        raise SimnetError(
            f"channel n_pilot: got {n_pilot} with fast fading; allowed 0: no pilot tells the gain of another symbol; "
            "choose block fading, or a TDL channel with a Doppler shift"
        )
