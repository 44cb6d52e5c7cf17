"""The two errors of this layer: bytes that arrived wrong, and a slice that cannot be made."""

from __future__ import annotations

from simnet.core.errors import SimnetError


class WireError(SimnetError):
    """Bytes that are not what they claim to be: damaged, truncated, hostile. Decoding raises nothing else."""


class SliceError(SimnetError):
    """Tensors or a description from which no slice or message can be made."""
