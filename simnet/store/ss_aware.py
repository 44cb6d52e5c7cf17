"""SS-aware: the slice with the least uses × SS that it adds / size goes first, with ageing."""

from __future__ import annotations

from simnet.store.ageing import Ageing
from simnet.store.base import EvictionPolicy
from simnet.store.stored_slice import StoredSlice


class SsAware(Ageing, EvictionPolicy):
    """H = L + uses · worth / size, where L is the greatest H of a slice that was evicted.

    Greedy-Dual-Size-Frequency with SS in place of bytes: a byte of the store goes to where it serves the most SS.
    ``worth`` is what the decoder promises above the best codec that needs no slice, so that one which JPEG could stand
    in for goes first, and one without which there would be no image stays. Where all slices add alike it prefers small
    ones, which ``gdsf`` doesn't: there a large one costs as much more to fetch as it takes room.
    """

    reads_worth = True

    def priority(self, slice_: StoredSlice) -> tuple[float, ...]:
        return (self.age + slice_.uses * slice_.worth / slice_.n_byte, slice_.used_order)
