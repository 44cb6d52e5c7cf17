"""Least recently used: the slice whose last use is longest ago goes first."""

from __future__ import annotations

from simnet.store.base import EvictionPolicy
from simnet.store.stored_slice import StoredSlice


class Lru(EvictionPolicy):
    """Keeps what was used last."""

    ordered_by = "use"

    def priority(self, slice_: StoredSlice) -> tuple[float, ...]:
        return (slice_.used_order,)
