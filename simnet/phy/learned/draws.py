"""What chance does to a batch of transmissions: gains and noise, drawn before and apart from the symbols."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from simnet.core.streams import Name, generator
from simnet.phy.channels.flat import complex_noise
from simnet.phy.channels.model import ChannelModel


@dataclass(frozen=True, eq=False)
class ChannelDraws:
    """One realisation per image.

    Attributes:
        gain: h, [B, k] complex.
        noise: w, [B, k] complex, E|w|² = 1, half of it in each real dimension.
    """

    gain: Tensor
    noise: Tensor

    @classmethod
    def random(cls, channel: ChannelModel, n_images: int, n_symbols: int, generator: torch.Generator) -> ChannelDraws:
        """Fresh draws for training, complex64 on the generator's device, a function of the generator's state."""
        device = generator.device
        noise = torch.randn(n_images, n_symbols, 2, generator=generator, device=device) * math.sqrt(0.5)
        seed = int(torch.randint(2**62, (1,), generator=generator, device=device))
        rng = np.random.Generator(np.random.Philox(seed))
        gain = np.stack([channel.gains(n_symbols, rng=rng) for _ in range(n_images)])
        return cls(torch.from_numpy(gain).to(device), torch.view_as_complex(noise))

    @classmethod
    def named(
        cls,
        channel: ChannelModel,
        n_symbols: int,
        fading_keys: Sequence[tuple[int, *tuple[Name, ...]]],
        noise_keys: Sequence[tuple[int, *tuple[Name, ...]]],
    ) -> ChannelDraws:
        """Draws for a simulation, complex64: those of an image are functions of its keys, not of the batch.

        Args:
            channel: gives the gains.
            n_symbols: k.
            fading_keys: per image, seed and names of its fading.
            noise_keys: per image, seed and names of its noise.
        """
        gain = np.stack([channel.gains(n_symbols, rng=generator(*key)) for key in fading_keys])
        noise = np.stack([complex_noise(key, n_symbols) for key in noise_keys])
        return cls(torch.from_numpy(gain), torch.from_numpy(noise))

    def to(self, like: Tensor) -> ChannelDraws:
        """On the device and of the precision of a complex tensor."""
        return ChannelDraws(self.gain.to(like), self.noise.to(like))

    def split(self, n_first: int) -> tuple[ChannelDraws, ChannelDraws]:
        """The first ``n_first`` symbols of every image, and the others: one channel used twice."""
        return (
            ChannelDraws(self.gain[:, :n_first], self.noise[:, :n_first]),
            ChannelDraws(self.gain[:, n_first:], self.noise[:, n_first:]),
        )
