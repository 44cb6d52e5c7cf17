"""Ageing of stores, as of the Greedy-Dual family: what was valued long ago sinks below what is new."""

from __future__ import annotations

from simnet.store.stored_slice import StoredSlice


class Ageing:
    """To be mixed into a policy whose priority begins with ``age`` + a value.

    Args:
        age: L, the first of the priority of the last slice evicted; 0 at the beginning.
    """

    age: float = 0.0

    def evicted(self, slice_: StoredSlice) -> None:
        self.age = slice_.priority[0]
