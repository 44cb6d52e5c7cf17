"""First in, first out: the slice that was inserted first goes first, however often it is used."""

from __future__ import annotations

from simnet.store.base import EvictionPolicy
from simnet.store.stored_slice import StoredSlice


class Fifo(EvictionPolicy):
    """Keeps what came last."""

    ordered_by = "insertion"

    def priority(self, slice_: StoredSlice) -> tuple[float, ...]:
        return (slice_.inserted_order,)
