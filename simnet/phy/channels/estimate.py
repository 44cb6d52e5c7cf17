"""What a receiver learns of the channel from pilots: least squares, and linear interpolation over the OFDM grid."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from simnet.core.errors import SimnetError
from simnet.phy.channels.grid import OfdmGrid


def least_squares(received: Tensor, pilots: Tensor, noise_variance: Tensor) -> tuple[Tensor, Tensor]:
    """One gain from P pilots that all met it: ĥ = Σ p*·y / Σ|p|², E|ĥ − h|² = N0/Σ|p|², which is N0/P for |p| = 1.

    Args:
        received: y = h·p + w, [B, P] complex.
        pilots: p, [P] complex.
        noise_variance: N0, [B] real.

    Returns:
        ĥ [B], and the variance of its error [B].
    """
    energy = pilots.abs().square().sum()
    return (received * pilots.conj()).sum(-1) / energy, noise_variance / energy


def shrink(estimate: Tensor, error_variance: Tensor) -> tuple[Tensor, Tensor]:
    """The mean and the variance of h ~ CN(0, 1) given a least squares estimate ĥ: ĥ/(1 + σ²) and σ²/(1 + σ²).

    For Rayleigh fading: with these the error is independent of what is known, and the LLRs of
    :func:`simnet.phy.channels.equaliser.zero_forcing` are exact for QPSK.

    Args:
        estimate: ĥ, complex, any shape.
        error_variance: σ², real, of the same shape.
    """
    return estimate / (1 + error_variance), error_variance / (1 + error_variance)


def estimate_grid(received: Tensor, grid: OfdmGrid, noise_variance: Tensor) -> tuple[Tensor, Tensor]:
    """The gain of every resource element: y/p at the pilots, linear between them, that of the nearest one outside.

    A comb is interpolated over frequency in each OFDM symbol, pilot blocks over time on each subcarrier; after the last
    block its estimate is held. The error's variance is N0·Σ c², c being the pilots' weights: N0 at a pilot, N0/2 half
    way between two. It counts the noise only: how the channel bends between pilots, a receiver doesn't know.

    Args:
        received: the demodulated grid, [B, L, N] complex.
        grid: one with pilots.
        noise_variance: N0, [B] real.

    Returns:
        Ĥ [B, L, N], and the variance of the error from noise [B, L, N].

    Raises:
        SimnetError: the grid has no pilots.
    """
    n_ofdm_symbols = received.shape[-2]
    pilots = torch.from_numpy(grid.pilot_values(n_ofdm_symbols)).to(received)
    at_pilots = received / pilots
    if grid.pilots == "comb":
        weights = _to(received, interpolation_weights(grid.pilot_subcarriers, grid.n_subcarriers))
        at_pilots = at_pilots[..., torch.from_numpy(grid.pilot_subcarriers).to(received.device)]
        estimate = at_pilots @ weights.T
        factor = weights.real.square().sum(1).expand(n_ofdm_symbols, -1)
    elif grid.pilots == "block":
        rows = grid.pilot_symbols(n_ofdm_symbols)
        weights = _to(received, interpolation_weights(rows, n_ofdm_symbols))
        estimate = weights @ at_pilots[..., torch.from_numpy(rows).to(received.device), :]
        factor = weights.real.square().sum(1)[:, None].expand(-1, grid.n_subcarriers)
    else:
        raise SimnetError("channel estimate: got an OFDM grid without pilots; allowed pilots 'comb' or 'block'")
    return estimate, noise_variance[:, None, None] * factor


def interpolation_weights(known: NDArray[np.int64], n_points: int) -> NDArray[np.float64]:
    """Linear interpolation from values at the rising places ``known`` [P] to places 0 … n_points − 1: [n_points, P]."""
    return np.stack([np.interp(np.arange(n_points), known, unit) for unit in np.eye(len(known))], axis=1)


def _to(like: Tensor, weights: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(weights).to(like)
