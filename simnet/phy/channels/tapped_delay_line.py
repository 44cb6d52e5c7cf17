"""OFDM over a tapped delay line as a channel model: one gain per resource element."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from simnet.core.errors import SimnetError
from simnet.phy.channels.clarke import check_doppler
from simnet.phy.channels.delay_profile import PowerDelayProfile
from simnet.phy.channels.estimate import estimate_grid
from simnet.phy.channels.grid import OfdmGrid, data_of
from simnet.phy.channels.model import ChannelEstimate, ChannelModel, standard_noise
from simnet.phy.channels.taps import Taps, check_delay_spread, delay_phases


@dataclass(frozen=True)
class TappedDelayLine(ChannelModel):
    """What is left of a tapped delay line behind OFDM with a long enough prefix: H(f, t) on each resource element.

    Data symbols fill the grid subcarrier by subcarrier, then OFDM symbol by OFDM symbol. H is taken at the middle of an
    OFDM symbol; its change within one, which makes subcarriers interfere with the power (2π·f_D/Δf)²/24, is left out
    (7e-5 at 100 Hz and 15 kHz).

    Attributes:
        profile: of power over delay.
        rms_delay_spread_s: scales the profile's delays.
        grid: of the OFDM symbols.
        doppler_hz: maximum Doppler shift; 0: constant over a block, and every generator gives its own realisation.

    Raises:
        SimnetError: a value is not allowed, or the cyclic prefix is shorter than the longest delay.
    """

    profile: PowerDelayProfile
    rms_delay_spread_s: float
    grid: OfdmGrid
    doppler_hz: float = 0.0

    def __post_init__(self) -> None:
        check_delay_spread(self.rms_delay_spread_s)
        check_doppler(self.doppler_hz)
        longest_s = max(self.profile.delays) * self.rms_delay_spread_s
        if longest_s > self.grid.cyclic_prefix_s:
            raise SimnetError(
                f"channel {self.profile.name}: its longest delay is {longest_s:.3g} s, the cyclic prefix "
                f"{self.grid.cyclic_prefix_s:.3g} s; allowed is no delay beyond the prefix: "
                f"lengthen n_cyclic_prefix to {int(np.ceil(longest_s * self.grid.sample_rate_hz - 1e-9))} samples, "
                "lower rms_delay_spread_s, or convolve in time (simnet.phy.channels.ofdm)"
            )

    @cached_property
    def _phases(self) -> NDArray[np.complex128]:
        """The part of H that every realisation shares."""
        return delay_phases(np.array(self.profile.delays) * self.rms_delay_spread_s, self.grid.frequencies_hz)

    def channel_uses(self, n_symbols: int) -> int:
        return self.grid.channel_uses(n_symbols)

    def response(self, n_ofdm_symbols: int, *, rng: np.random.Generator, start_s: float = 0.0) -> NDArray[np.complex64]:
        """H on every resource element, pilots included, [L, N]."""
        taps = Taps.draw(self.profile, self.rms_delay_spread_s, self.doppler_hz, rng=rng)
        n_times = 1 if self.doppler_hz == 0 else n_ofdm_symbols
        times_s = start_s + (np.arange(n_times) + 0.5) * self.grid.symbol_time_s
        response: NDArray[np.complex64] = (taps.gains(times_s) @ self._phases).astype(np.complex64)
        return response if n_times == n_ofdm_symbols else np.repeat(response, n_ofdm_symbols, axis=0)

    def gains(self, n_symbols: int, *, rng: np.random.Generator, start_s: float = 0.0) -> NDArray[np.complex64]:
        elements = self.response(self.grid.n_ofdm_symbols(n_symbols), rng=rng, start_s=start_s).ravel()
        return elements[self.grid.data_elements(n_symbols)]

    def estimate(
        self,
        n_symbols: int,
        noise_variance: float,
        *,
        rng: np.random.Generator,
        pilot_rng: np.random.Generator,
        start_s: float = 0.0,
    ) -> ChannelEstimate:
        n_ofdm_symbols = self.grid.n_ofdm_symbols(n_symbols)
        response = self.response(n_ofdm_symbols, rng=rng, start_s=start_s)
        noise = standard_noise(response.size, pilot_rng).reshape(response.shape) * np.sqrt(noise_variance)
        received = response * self.grid.pilot_values(n_ofdm_symbols) + noise.astype(np.complex64)
        estimate, error_variance = estimate_grid(
            torch.from_numpy(received)[None], self.grid, torch.tensor([noise_variance], dtype=torch.float32)
        )
        return ChannelEstimate(
            response.ravel()[self.grid.data_elements(n_symbols)],
            data_of(estimate, self.grid, n_symbols)[0].numpy(),
            data_of(error_variance, self.grid, n_symbols)[0].numpy(),
        )
