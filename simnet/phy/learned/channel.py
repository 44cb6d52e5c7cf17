"""The channel layer: ŝ = H·s + ε, equalised with the gain known."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn

from simnet.core.errors import UnknownName
from simnet.phy.channels import equaliser, flat
from simnet.phy.channels.flat_models import Awgn
from simnet.phy.channels.model import ChannelModel
from simnet.phy.learned.draws import ChannelDraws

Equaliser = Literal["mmse", "zero_forcing"]


class Reception(NamedTuple):
    """What arrives.

    Attributes:
        symbols: equalised, [B, k] complex.
        received: before that, [B, k] complex.
    """

    symbols: Tensor
    received: Tensor


class LearnedChannel(nn.Module):
    """Paper 003, equations (3) and (4), on symbols of unit power; no parameters, differentiable in symbols and Es/N0.

    Args:
        channel: gives the gains: :func:`simnet.phy.channels.registry.channel_by_name`.
        equaliser: ``mmse``, h*·y/(|h|² + N0), or ``zero_forcing``, y/h. Under Rayleigh fading the noise N0/|h|² of the
            latter has no finite mean, so that a squared error of it is ruled by the deepest fades; ``mmse`` shrinks
            what is faded, and a decoder learns that. AWGN is not equalised: ŝ = s + ε.

    Raises:
        UnknownName: no such equaliser.
    """

    def __init__(self, channel: ChannelModel, equaliser: Equaliser = "mmse") -> None:
        super().__init__()
        if equaliser not in get_args(Equaliser):
            raise UnknownName("equaliser", equaliser, get_args(Equaliser))
        self.channel = channel
        self.equaliser = equaliser

    def draw(self, n_images: int, n_symbols: int, generator: torch.Generator) -> ChannelDraws:
        """Fresh gains and noise for :meth:`forward`."""
        return ChannelDraws.random(self.channel, n_images, n_symbols, generator)

    def forward(self, symbols: Tensor, esno: Tensor, draws: ChannelDraws) -> Reception:
        """Sends a batch.

        Args:
            symbols: s, [B, k] complex, of mean power 1 per image: :func:`simnet.phy.learned.power.normalise_power`.
            esno: Es/N0 before the gain, linear, [B]; the complex noise has the variance N0 = 1/esno.
            draws: gains and noise; brought to the symbols' device and precision.
        """
        draws = draws.to(symbols)
        noise_variance = (1.0 / esno).to(symbols.device, symbols.real.dtype)
        received = flat.pass_through(symbols, draws.gain, noise_variance, draws.noise)
        if isinstance(self.channel, Awgn):
            return Reception(received, received)
        if self.equaliser == "zero_forcing":
            equalised, _ = equaliser.zero_forcing(received, draws.gain, noise_variance)
            return Reception(equalised, received)
        return Reception(equaliser.mmse(received, draws.gain, noise_variance).symbols, received)
