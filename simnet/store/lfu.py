"""Least frequently used: the slice with the fewest uses since its insertion goes first."""

from __future__ import annotations

from simnet.store.base import EvictionPolicy
from simnet.store.stored_slice import StoredSlice


class Lfu(EvictionPolicy):
    """Keeps what is used often; of equals, what was used last. Counts start afresh after an eviction."""

    def priority(self, slice_: StoredSlice) -> tuple[float, ...]:
        return (slice_.uses, slice_.used_order)
