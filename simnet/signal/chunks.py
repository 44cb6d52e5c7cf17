"""Networks see batches of one fixed shape, so that no result depends on how work was batched."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

CHUNK = 64


@torch.no_grad()
def in_chunks(network: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
    """``network(inputs)``, computed in batches of exactly ``CHUNK`` rows, the last one filled up with zeros.

    Args:
        inputs: [B, …], B ≥ 1.
    """
    outputs = []
    for chunk in torch.split(inputs, CHUNK):
        missing = CHUNK - len(chunk)
        padded = torch.cat([chunk, chunk.new_zeros(missing, *chunk.shape[1:])]) if missing else chunk
        outputs.append(network(padded)[: len(chunk)])
    return torch.cat(outputs)
