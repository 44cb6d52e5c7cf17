"""The flat channel y = h·x + w: named complex noise, one gain per block, equalisation with the gain known."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from simnet.core.streams import Name, generator

_WEAKEST = 1e-30
"""|h|² below this is taken as this, so that a vanished channel gives LLRs of about 0 and not NaN."""


def complex_noise(key: tuple[Name, ...], n_symbols: int) -> NDArray[np.complex64]:
    """Noise of E|w|² = 1, half of it in each real dimension: [n_symbols], a function of the key and nothing else.

    Args:
        key: seed, then names of what the noise serves.
    """
    seed, *names = key
    if not isinstance(seed, int):
        raise TypeError(f"noise key must start with an integer seed; got {seed!r}")
    draws = generator(seed, *names).standard_normal(2 * n_symbols, dtype=np.float32)
    draws *= np.float32(math.sqrt(0.5))
    return draws.view(np.complex64)


def pass_through(symbols: Tensor, gain: Tensor, noise_variance: Tensor, noise: Tensor) -> Tensor:
    """Received symbols h·x + √N0·w.

    Args:
        symbols: [B, S] complex, mean energy 1.
        gain: h, [B] complex, constant over a block.
        noise_variance: N0, [B] real.
        noise: w, [B, S] complex of E|w|² = 1, as from :func:`complex_noise`.
    """
    return gain[:, None] * symbols + noise_variance.sqrt()[:, None] * noise


def equalise(received: Tensor, gain: Tensor, noise_variance: Tensor) -> tuple[Tensor, Tensor]:
    """Symbols y/h [B, S] and the variance N0/|h|² [B, 1] of the noise left on them, h being known perfectly."""
    power = gain.abs().square().clamp(min=_WEAKEST)
    return received * (gain.conj() / power)[:, None], (noise_variance / power)[:, None]
