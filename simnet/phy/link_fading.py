"""What the channel of a wireless link is at a time: one gain, one per subcarrier, or one drawn for every symbol."""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from simnet.core import streams
from simnet.core.fading import FadingKind
from simnet.core.streams import Name
from simnet.core.units import db_to_linear
from simnet.phy.blocks import BlockFormat
from simnet.phy.bounds.fading_power import combined_power_quantiles
from simnet.phy.channels.clarke import ClarkeProcess
from simnet.phy.channels.delay_profile import TDL_PROFILES
from simnet.phy.channels.doppler import coherence_time_s
from simnet.phy.channels.fading import rayleigh_gains, rician_gains
from simnet.phy.channels.taps import Taps
from simnet.phy.tables.bler import load_table

PER_SYMBOL = "per symbol"
"""The state of fast fading: the gains of a block are drawn when it is sent."""
ChannelState: TypeAlias = complex | NDArray[np.complex64] | str
"""h; or h of each subcarrier; or :data:`PER_SYMBOL`. E|h|² = 1."""


class Heard(NamedTuple):
    """What a block was heard over: the channel's state, and the link's mean Es/N0 (linear) then."""

    state: ChannelState
    mean_esno: float


_N_SAMPLE = 64
_N_QUANTILE = 2048


@lru_cache(maxsize=64)
def _fast_powers(k_factor: float, n_receptions: int) -> NDArray[np.float64]:
    return combined_power_quantiles(k_factor, n_receptions, _N_QUANTILE)


@dataclass(frozen=True)
class FadingSettings:
    """The fading of one class of wireless links.

    Attributes:
        kind: one of :data:`simnet.core.fading.FadingKind`.
        bandwidth_hz: symbol rate.
        coherence_time_s: of the intervals; of ``clarke``, the time after which the autocorrelation is 1/2.
        rician_k_db: power of the line of sight over that of the rest.
        rms_delay_spread_s: of the tapped delay lines.
        subcarriers: of OFDM.
    """

    kind: FadingKind
    bandwidth_hz: float = 1.0
    coherence_time_s: float = 1.0
    rician_k_db: float = 0.0
    rms_delay_spread_s: float = 1.0
    subcarriers: int = 64


class LinkFading:
    """The fading of one class of wireless links: a function of seed, link and time."""

    def __init__(self, settings: FadingSettings, seed: int) -> None:
        self.settings = settings
        self.seed = seed
        self._interval_state = lru_cache(maxsize=1024)(self._draw)
        self._process = lru_cache(maxsize=4096)(self._draw_process)
        self._effective_of_powers = lru_cache(maxsize=4096)(self._effective)

    def state(self, link: str, time_s: float) -> ChannelState:
        """The channel of a link at a time; the same in both directions.

        Constant over each coherence interval, and independent from one to the next; ``clarke`` changes continuously.
        """
        kind = self.settings.kind
        if kind == "none":
            return 1.0 + 0.0j
        if kind.endswith("_fast"):
            return PER_SYMBOL
        if kind == "clarke":
            return complex(self._process(link).gains(time_s))
        state: ChannelState = self._interval_state(link, int(max(0.0, time_s) / self.settings.coherence_time_s))
        return state

    def _draw(self, link: str, interval: int) -> ChannelState:
        if self.settings.kind == "rayleigh":
            return streams.complex_normal(self.seed, "fading", link, interval)
        if self.settings.kind == "rician":
            k = db_to_linear(self.settings.rician_k_db)
            phase_rad = 2 * math.pi * streams.uniform(self.seed, "line of sight", link)
            scattered = streams.complex_normal(self.seed, "fading", link, interval)
            return math.sqrt(k / (k + 1)) * cmath.exp(1j * phase_rad) + scattered / math.sqrt(k + 1)
        rng = streams.generator(self.seed, "fading", link, interval)
        taps = Taps.draw(TDL_PROFILES[self.settings.kind], self.settings.rms_delay_spread_s, 0.0, rng=rng)
        response: NDArray[np.complex64] = taps.frequency_response(0.0, self._frequencies_hz)[0].astype(np.complex64)
        return response

    def _draw_process(self, link: str) -> ClarkeProcess:
        doppler_hz = coherence_time_s(1.0) / self.settings.coherence_time_s  # their product is a constant
        return ClarkeProcess.draw(doppler_hz, rng=streams.generator(self.seed, "fading", link))

    @cached_property
    def _frequencies_hz(self) -> NDArray[np.float64]:
        n = self.settings.subcarriers
        return (np.arange(n) - n // 2) * np.float64(self.settings.bandwidth_hz / n)

    def gains(self, state: ChannelState, n_symbol: int, *names: Name) -> complex | NDArray[np.complex64]:
        """What the symbols of a block meet: one gain, or one each [n_symbol].

        Args:
            state: of the link when the block's burst began.
            n_symbol: of the block; on subcarriers they take turns.
            names: of the block's transmission: fast fading is a function of them.
        """
        if isinstance(state, complex):
            return state
        if isinstance(state, str):
            rng = streams.generator(self.seed, "fast fading", *names)
            if self.settings.kind == "rayleigh_fast":
                return rayleigh_gains(n_symbol, "fast", rng=rng)
            return rician_gains(n_symbol, "fast", k_factor_db=self.settings.rician_k_db, rng=rng)
        return np.resize(state, n_symbol)

    def mean_power(self, state: ChannelState) -> float:
        """|h|², its mean over the subcarriers, or 1 where every symbol has its own."""
        if isinstance(state, complex):
            return abs(state) ** 2
        if isinstance(state, str):
            return 1.0
        return float(np.mean(np.abs(state) ** 2))

    def effective_esno(self, heard: Sequence[Heard], block_format: BlockFormat) -> float:
        """The Es/N0 (linear) at which a block fares in AWGN as it does when heard over these channels.

        Several receptions are combined symbol by symbol, so that the powers of each symbol add up; of fast fading as if
        all had met the mean of their mean Es/N0.

        Raises:
            SimnetError: the channel is not flat, and the format has no BLER table or none with a fitted map.
        """
        esno = heard[-1].mean_esno
        shares = [1.0 if mean_esno == esno else mean_esno / esno for _, mean_esno in heard]  # both may be 0
        if isinstance(heard[0].state, complex):
            return sum(self.mean_power(state) * share for (state, _), share in zip(heard, shares, strict=True)) * esno
        powers = self._powers([state for state, _ in heard], shares)
        return self._effective_of_powers(powers.tobytes(), esno, block_format)

    @staticmethod
    def _effective(powers: bytes, mean_esno: float, block_format: BlockFormat) -> float:
        esno: NDArray[np.float64] = np.frombuffer(powers) * mean_esno
        return load_table(block_format).effective_esno(esno)

    def _powers(self, states: Sequence[ChannelState], shares: Sequence[float]) -> NDArray[np.float64]:
        """Σ share · |h|² of the symbols of a long block over its receptions; of fast fading its distribution."""
        if isinstance(states[0], str):
            k = 0.0 if self.settings.kind == "rayleigh_fast" else db_to_linear(self.settings.rician_k_db)
            return _fast_powers(k, len(states)) * (sum(shares) / len(shares))
        powers = [np.abs(state).astype(np.float64) ** 2 * share for state, share in zip(states, shares, strict=True)]
        total: NDArray[np.float64] = np.sum(powers, axis=0)
        return total

    @cached_property
    def samples(self) -> tuple[ChannelState, ...]:
        """States with which expectations are made: quantiles where there are such, else draws."""
        kind = self.settings.kind
        if kind == "none" or kind.endswith("_fast"):
            return (self.state("sample", 0.0),)
        if kind in ("rayleigh", "clarke"):  # |h|² is exponential
            return tuple(complex(math.sqrt(-math.log1p(-(i + 0.5) / _N_SAMPLE))) for i in range(_N_SAMPLE))
        return tuple(self._draw("sample", i) for i in range(_N_SAMPLE))

    def overhead_channel_use(self, n_symbol: int) -> int:
        """Cyclic prefixes of OFDM, and what is left empty of its last symbol, behind ``n_symbol`` data symbols."""
        if self.settings.kind not in TDL_PROFILES:
            return 0
        n_ofdm_symbol = -(-n_symbol // self.settings.subcarriers)
        return n_ofdm_symbol * (self.settings.subcarriers + self._n_cyclic_prefix) - n_symbol

    @cached_property
    def _n_cyclic_prefix(self) -> int:
        """Samples that cover the longest delay."""
        longest_s = max(TDL_PROFILES[self.settings.kind].delays) * self.settings.rms_delay_spread_s
        return math.ceil(longest_s * self.settings.bandwidth_hz - 1e-9)
