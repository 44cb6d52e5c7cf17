"""OFDM in time: unitary transforms, cyclic prefix, and the convolution with a channel's impulse response."""

from __future__ import annotations

import torch
from torch import Tensor

from simnet.core.errors import SimnetError
from simnet.phy.channels.grid import OfdmGrid


def modulate(elements: Tensor, grid: OfdmGrid) -> Tensor:
    """Samples [..., L·(N + n_cyclic_prefix)] of a grid [..., L, N] complex, its subcarriers of rising frequency.

    The inverse transform is unitary: samples have the mean energy of the elements.
    """
    body = torch.fft.ifft(torch.fft.ifftshift(elements, dim=-1), norm="ortho")
    prefix = body[..., grid.n_subcarriers - grid.n_cyclic_prefix :]
    return torch.cat((prefix, body), dim=-1).flatten(-2)


def demodulate(samples: Tensor, grid: OfdmGrid) -> Tensor:
    """The grid [..., L, N] of samples [..., L·(N + n_cyclic_prefix)], prefixes dropped; undoes :func:`modulate`.

    White noise of variance N0 on the samples is white noise of variance N0 on the elements.

    Raises:
        SimnetError: the samples do not fill whole OFDM symbols.
    """
    length = grid.n_subcarriers + grid.n_cyclic_prefix
    if samples.shape[-1] % length:
        raise SimnetError(f"OFDM samples: got {samples.shape[-1]}; allowed a multiple of {length} (N + cyclic prefix)")
    body = samples.reshape(*samples.shape[:-1], -1, length)[..., grid.n_cyclic_prefix :]
    elements: Tensor = torch.fft.fftshift(torch.fft.fft(body, norm="ortho"), dim=-1)
    return elements


def convolve(samples: Tensor, impulse_response: Tensor) -> Tensor:
    """y[n] = Σ h[l]·x[n − l] for the n of the input; what comes after its end is cut off.

    Args:
        samples: x, [..., T] complex.
        impulse_response: h, [..., n_taps] complex, constant over the samples; its leading dimensions broadcast.

    Returns:
        y, [..., T].
    """
    n_samples = samples.shape[-1]
    received = samples * impulse_response[..., :1]
    for delay in range(1, min(impulse_response.shape[-1], n_samples)):
        delayed = samples[..., : n_samples - delay] * impulse_response[..., delay : delay + 1]
        received = received + torch.nn.functional.pad(delayed, (delay, 0))
    return received
