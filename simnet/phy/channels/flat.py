"""The flat channel y = h·x + w: named complex noise, one gain per block or symbol, equalisation with the gain known."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from simnet.core.streams import Name, generator

WEAKEST = 1e-30
"""|h|² below this is taken as this, so that a vanished channel gives LLRs of about 0 and not NaN."""


def complex_noise(key: tuple[Name, ...], n_symbols: int) -> NDArray[np.complex64]:
    """Noise of E|w|² = 1, half of it in each real dimension: [n_symbols], a function of the key and nothing else.

    Args:
        key: seed, then names of what the noise serves.
    """
    seed, *names = key
    if not isinstance(seed, int):
        raise TypeError(f"noise key must start with an integer seed; got {seed!r}")
    return white_noise((n_symbols,), rng=generator(seed, *names))


def white_noise(shape: tuple[int, ...], *, rng: np.random.Generator) -> NDArray[np.complex64]:
    """Noise of E|w|² = 1, half of it in each real dimension."""
    draws = rng.standard_normal((*shape, 2), dtype=np.float32)
    draws *= np.float32(math.sqrt(0.5))
    return draws.view(np.complex64)[..., 0]


def pass_through(symbols: Tensor, gain: Tensor, noise_variance: Tensor, noise: Tensor) -> Tensor:
    """Received symbols h·x + √N0·w.

    Args:
        symbols: [B, S] complex, mean energy 1.
        gain: h, complex: [B], constant over a block, or [B, S].
        noise_variance: N0, real: [B] or [B, S].
        noise: w, [B, S] complex of E|w|² = 1, as from :func:`complex_noise`.
    """
    return per_symbol(gain) * symbols + per_symbol(noise_variance).sqrt() * noise


def equalise(received: Tensor, gain: Tensor, noise_variance: Tensor) -> tuple[Tensor, Tensor]:
    """Symbols y/h [B, S] and the variance N0/|h|² of the noise left on them, h being known perfectly.

    Args:
        received: y, [B, S] complex.
        gain: h, complex: [B] or [B, S].
        noise_variance: N0, real: [B] or [B, S].

    Returns:
        The symbols, and the variance: [B, 1] if gain and N0 are [B], else [B, S].
    """
    power = gain.abs().square().clamp(min=WEAKEST)
    return received * per_symbol(gain.conj() / power), per_symbol(noise_variance) / per_symbol(power)


def per_symbol(value: Tensor) -> Tensor:
    """[B] as [B, 1]; [B, S] as it is."""
    return value[:, None] if value.ndim == 1 else value
