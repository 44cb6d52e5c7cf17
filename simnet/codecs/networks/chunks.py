"""Networks run on one fixed batch shape, so that an image's result doesn't depend on its neighbours."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

CHUNK = 64
"""Small images that networks see at once."""
_LARGEST = 2**17
"""Pixels of such a chunk at most. What a layer makes of more lies outside the processor's caches, the system hands
every tensor out afresh, and a chunk that is not full computes padding."""


def chunk_for(image_shape: Sequence[int]) -> int:
    """How many images of a shape (..., H, W) networks see at once; a power of 2, and a function of the size only."""
    pixels = image_shape[-2] * image_shape[-1]
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
