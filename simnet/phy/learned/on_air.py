"""How the air treats the symbols of one image: named, so that it is the same whoever computes it, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from simnet.core.fading import FadingKind
from simnet.core.streams import Name, generator
from simnet.phy.channels.flat import complex_noise
from simnet.phy.channels.model import ChannelModel
from simnet.phy.learned.channel import LearnedChannel
from simnet.phy.learned.draws import ChannelDraws

Gains: TypeAlias = complex | NDArray[np.complex64]
"""One for all symbols, or one each."""


class Uses(NamedTuple):
    """Complex symbols of one image.

    Attributes:
        forward: that the sender sends.
        reverse: that the receiver sends in between, of coders with feedback.
    """

    forward: int
    reverse: int = 0

    def airtime_s(self, symbol_rate_hz: float, turnaround_s: float) -> float:
        """Of an exchange over a half-duplex link, which turns around twice if symbols go back."""
        return sum(self) / symbol_rate_hz + (2 * turnaround_s if self.reverse else 0.0)


@dataclass(frozen=True)
class Analog:
    """How codes go on the air that a learned channel coder sends as symbols, not as bits.

    Attributes:
        uses: complex symbols per image.
        fadings: kinds of fading of the links that it is for.
        channel: of the same kind, for measuring what the coder is worth: ``channel_by_name``.
        side_byte: first bytes of every code, which travel as bits in front of the symbols and are never damaged.
    """

    uses: Uses
    fadings: tuple[FadingKind, ...]
    channel: ChannelModel
    side_byte: int = 0


class OnAir(NamedTuple):
    """What one image's symbols meet.

    Attributes:
        esno: mean Es/N0 at the receiver, linear.
        reverse_esno: mean Es/N0 at the sender, of what the receiver sends.
        gain: h of all forward symbols, or the bytes of one complex64 for each.
        reverse_gain: the same of the reverse symbols.
        noise: seed and names of the noise.
    """

    esno: float
    reverse_esno: float
    gain: complex | bytes
    reverse_gain: complex | bytes
    noise: tuple[Name, ...]

    @classmethod
    def met(cls, esno: float, reverse_esno: float, gain: Gains, reverse_gain: Gains, noise: tuple[Name, ...]) -> OnAir:
        """Of gains as links give them."""
        hashable = [g if isinstance(g, complex) else g.astype(np.complex64).tobytes() for g in (gain, reverse_gain)]
        return cls(esno, reverse_esno, hashable[0], hashable[1], noise)

    @classmethod
    def drawn(cls, channel: ChannelModel, uses: Uses, esno: float, seed: int, *names: Name) -> OnAir:
        """Over a channel model; both directions meet one gain where it stays one, and have one Es/N0."""
        gains = channel.gains(sum(uses), rng=generator(seed, "analog gain", *names)).astype(np.complex64)
        forward, reverse = gains[: uses.forward].tobytes(), gains[uses.forward :].tobytes()
        return cls(esno, esno, forward, reverse, (seed, "analog noise", *names))


def received_symbols(channel: LearnedChannel, symbols: Sequence[bytes], each: Sequence[OnAir]) -> list[bytes]:
    """Symbols (complex64) of images after a channel, equalised.

    Image by image: vectorised arithmetic differs in its last bit by where in memory a row begins, and what arrives of
    one image must not depend on its neighbours.
    """
    received = []
    for sent, air in zip(symbols, each, strict=True):
        row = torch.from_numpy(np.frombuffer(sent, np.complex64).copy())[None]
        met = channel(row, torch.tensor([air.esno]), forward_draws([air], row.shape[1])).symbols
        received.append(met.numpy().tobytes())
    return received


def forward_draws(each: Sequence[OnAir], n_symbol: int) -> ChannelDraws:
    """Gains and noise of the forward symbols, [B, n_symbol]."""
    noise = np.stack([complex_noise((*air.noise, "forward"), n_symbol) for air in each])
    return ChannelDraws(_gains([air.gain for air in each], n_symbol), torch.from_numpy(noise))


def reverse_draws(each: Sequence[OnAir], n_symbol: int) -> ChannelDraws:
    """Gains and noise of the reverse symbols, [B, n_symbol]."""
    noise = np.stack([complex_noise((*air.noise, "reverse"), n_symbol) for air in each])
    return ChannelDraws(_gains([air.reverse_gain for air in each], n_symbol), torch.from_numpy(noise))


def _gains(gains: Sequence[complex | bytes], n_symbol: int) -> Tensor:
    rows: list[NDArray[np.complex64]] = [
        np.frombuffer(gain, np.complex64) if isinstance(gain, bytes) else np.full(n_symbol, gain, np.complex64)
        for gain in gains
    ]
    return torch.from_numpy(np.stack(rows))
