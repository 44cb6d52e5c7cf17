"""Power normalisation, image by image."""

from __future__ import annotations

from torch import Tensor


def normalise_power(symbols: Tensor, power: float = 1.0, sent: Tensor | None = None) -> Tensor:
    """s = √(k·P)·s̃/√(s̃*·s̃) (paper 003, equation 2): mean |s|² of each image is P. An image of zeros stays zero.

    The sum runs over one image. Over a batch it would let images lend each other power.

    Args:
        symbols: s̃, [B, k] complex.
        power: P, mean energy per complex symbol.
        sent: [B, k] bool; symbols that are not sent become 0 and k counts the others. None: all are sent.

    Returns:
        [B, k] complex.
    """
    n_sent: Tensor | int = symbols.shape[1]
    if sent is not None:
        symbols = symbols * sent
        n_sent = sent.sum(dim=1, keepdim=True)
    energy = (symbols.real.square() + symbols.imag.square()).sum(dim=1, keepdim=True)
    # The square root's slope at 0 would be infinite.
    return symbols * (n_sent * power / energy.clamp(min=1e-30)).sqrt()
