"""Ageing of stores, as of the Greedy-Dual family: what was valued long ago sinks below what is new."""

from __future__ import annotations

from simnet.store.stored_slice import StoredSlice


class Ageing:
    """To be mixed into a policy whose priority begins with ``age`` + a value.

    Args:
        age: L, the most that a slice's priority has begun with that was evicted; 0 at the beginning. It never falls,
            though a slice that a pin had kept may go after dearer ones.
    """

    age: float = 0.0

    def evicted(self, slice_: StoredSlice) -> None:
        self.age = max(self.age, slice_.priority[0])
