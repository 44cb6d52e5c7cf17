"""The two errors of this layer: bytes that cannot be read, and things that cannot be made into bytes."""

from __future__ import annotations

from simnet.core.errors import SimnetError


class WireError(SimnetError):
    """Bytes that are not what they claim to be: damaged, truncated, hostile. Decoding raises nothing else."""


class EncodeError(SimnetError):
    """Tensors, or fields of a message, that have no bytes; the message says which and what is allowed."""
