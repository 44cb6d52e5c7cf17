"""Gray-mapped square QAM of unit mean energy: mapping and soft demapping.

The mapping is that of 3GPP TS 38.211, 5.1.3 to 5.1.5: bits of even index choose the real part, bits of odd index the
imaginary one, so that each real dimension is a Gray-mapped PAM and is demapped alone.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

import torch
from torch import Tensor

from simnet.core.errors import SimnetError

_compiled = find_spec("numba") is not None
BITS_PER_SYMBOL = (2, 4, 6, 8)
"""4-QAM (QPSK), 16-QAM, 64-QAM and 256-QAM."""


@cache
def pam_levels(bits_per_symbol: int) -> Tensor:
    """Amplitudes of one real dimension, [2^(m/2)] float64, indexed by their bits, first bit highest; mean square 1/2.

    Raises:
        SimnetError: not one of :data:`BITS_PER_SYMBOL`.
    """
    if bits_per_symbol not in BITS_PER_SYMBOL:
        allowed = "2 (QPSK), 4 (16-QAM), 6 (64-QAM), 8 (256-QAM)"
        raise SimnetError(f"QAM bits per symbol: got {bits_per_symbol}; allowed {allowed}")
    half = bits_per_symbol // 2
    label = torch.arange(2**half)
    level = torch.zeros(2**half, dtype=torch.float64)
    for bit in range(half - 1, -1, -1):
        sign = 1 - 2 * (label >> (half - 1 - bit) & 1)
        level = sign * (2 ** (half - 1 - bit) - level)
    return level / (2 * level.square().mean()).sqrt()


def modulate(bits: Tensor, bits_per_symbol: int) -> Tensor:
    """Symbols [..., S] complex64 of unit mean energy of bits [..., S·bits_per_symbol] uint8."""
    levels = pam_levels(bits_per_symbol).to(bits.device, torch.float32)
    half = bits_per_symbol // 2
    pairs = bits.reshape(*bits.shape[:-1], -1, half, 2)
    label = pairs[..., 0, :]
    for bit in range(1, half):
        label = 2 * label + pairs[..., bit, :]
    return torch.view_as_complex(levels[label.int()])


def demodulate(symbols: Tensor, noise_variance: Tensor, bits_per_symbol: int, *, max_log: bool = False) -> Tensor:
    """LLRs of symbols received in white Gaussian noise, all points equally likely.

    LLR = ln Σ_{s: bit=0} exp(−|y−s|²/N0) − ln Σ_{s: bit=1} exp(−|y−s|²/N0); each sum is taken relative to its largest
    term and so stays finite at any N0 > 0. ``max_log`` keeps only the largest terms.

    Args:
        symbols: [..., S] complex, equalised to unit mean energy.
        noise_variance: variance N0 of the complex noise on each symbol, real, broadcastable to ``symbols``.
        bits_per_symbol: 2, 4, 6 or 8.

    Returns:
        [..., S·bits_per_symbol] real, of the precision of ``symbols``. On a CPU, complex64 goes through a compiled
        kernel (:mod:`simnet.phy.qam_kernel`) if numba is installed and no gradient is wanted.
    """
    half = bits_per_symbol // 2
    if _compiled and symbols.device.type == "cpu" and symbols.dtype == torch.complex64 and not symbols.requires_grad:
        return _demodulate_compiled(symbols, noise_variance, bits_per_symbol, max_log)
    received = torch.view_as_real(symbols)
    levels = pam_levels(bits_per_symbol).to(received)
    # Levels in the first dimension, so that the sums run over contiguous rows.
    distance = received - levels.reshape(-1, *[1] * received.ndim)
    metric = -distance.square() / noise_variance[..., None]
    merge = torch.amax if max_log else torch.logsumexp
    labels = torch.arange(len(levels), device=symbols.device)
    llr = []
    for bit in range(half):
        is_one = (labels >> (half - 1 - bit) & 1).bool()
        llr.append(merge(metric[~is_one], 0) - merge(metric[is_one], 0))
    return torch.stack(llr, dim=-2).reshape(*symbols.shape[:-1], -1)


def _demodulate_compiled(symbols: Tensor, noise_variance: Tensor, bits_per_symbol: int, max_log: bool) -> Tensor:
    from simnet.phy.qam_kernel import demap_pam

    levels = tuple(pam_levels(bits_per_symbol).tolist())
    scale = noise_variance.to(torch.float32).reciprocal().expand(symbols.shape)[..., None].expand(*symbols.shape, 2)
    samples = torch.view_as_real(symbols.contiguous())
    llr = demap_pam(samples.numpy().ravel(), scale.contiguous().numpy().ravel(), levels, max_log)
    per_bit = torch.from_numpy(llr).reshape(len(llr), *samples.shape)
    return per_bit.movedim(0, -2).reshape(*symbols.shape[:-1], -1)
