"""What the coded chain needs of a channel: one complex gain per symbol, and what the receiver takes for it."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class ChannelEstimate:
    """A channel's gains as a receiver with pilots knows them.

    Attributes:
        gain: h, what the symbols meet, [S] complex64.
        estimate: ĥ, what the receiver takes for it, [S] complex64.
        error_variance: E|ĥ − h|² as the receiver reckons, from the noise on the pilots, [S] float32.
    """

    gain: NDArray[np.complex64]
    estimate: NDArray[np.complex64]
    error_variance: NDArray[np.float32]


class ChannelModel(ABC):
    """A channel from symbols to symbols, y = h·s + w with one h per data symbol and E|h|² = 1.

    The same generator (seed and names) gives the same realisation, however many symbols are asked for.
    """

    @abstractmethod
    def gains(self, n_symbols: int, *, rng: np.random.Generator, start_s: float = 0.0) -> NDArray[np.complex64]:
        """h of each data symbol, [n_symbols].

        Args:
            n_symbols: data symbols.
            rng: the realisation is a function of it.
            start_s: time of the first symbol. Only channels that change continuously heed it: they go on from block to
                block if each is asked for with a fresh generator of the same names and its own start.
        """

    @abstractmethod
    def estimate(
        self,
        n_symbols: int,
        noise_variance: float,
        *,
        rng: np.random.Generator,
        pilot_rng: np.random.Generator,
        start_s: float = 0.0,
    ) -> ChannelEstimate:
        """The gains that :meth:`gains` gives, with the receiver's estimate of them.

        Args:
            n_symbols: data symbols.
            noise_variance: N0 on the pilots.
            rng: as for :meth:`gains`.
            pilot_rng: of the noise on the pilots.
            start_s: as for :meth:`gains`.

        Raises:
            SimnetError: the channel has no pilots.
        """

    @abstractmethod
    def channel_uses(self, n_symbols: int) -> int:
        """Complex symbols in time, pilots and cyclic prefixes included, that ``n_symbols`` data symbols take."""


def standard_noise(n_symbols: int, rng: np.random.Generator) -> NDArray[np.complex128]:
    """CN(0, 1), [n_symbols]."""
    draws = rng.standard_normal(2 * n_symbols) * math.sqrt(0.5)
    noise: NDArray[np.complex128] = draws.view(np.complex128)
    return noise
