"""Networks run on one fixed batch shape, so that an image's result doesn't depend on its neighbours."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

CHUNK = 64
"""Images that networks see at once."""
_LARGEST = 2**20
"""Pixels of such a chunk at most: 64 pictures of 240 x 320 would take gigabytes."""


def chunk_for(images: Tensor) -> int:
    """How many images [B, C, H, W] of this size networks see at once; a power of 2, and a function of the size only."""
    pixels: int = images.shape[-2] * images.shape[-1]
    return CHUNK if CHUNK * pixels <= _LARGEST else 1 << max(0, (_LARGEST // pixels).bit_length() - 1)


def in_chunks(network: Callable[[Tensor], Tensor], inputs: Tensor, n: int = CHUNK) -> Tensor:
    """``network(inputs)`` without gradients, computed ``n`` at a time; the last chunk is filled up with zeros.

    A float32 matrix product differs in its last bits between batch shapes.
    """
    outputs = []
    with torch.inference_mode():
        for chunk in torch.split(inputs, n):
            padding = [0, 0] * (inputs.ndim - 1) + [0, n - len(chunk)]
            outputs.append(network(F.pad(chunk, padding))[: len(chunk)])
    return torch.cat(outputs)
