"""Greedy-Dual-Size-Frequency: the slice with the least uses × fetch cost / size goes first, with ageing.

L. Cherkasova, "Improving WWW Proxies Performance with Greedy-Dual-Size-Frequency Caching Policy",
HP Labs, 1998.
"""

from __future__ import annotations

from simnet.store.ageing import Ageing
from simnet.store.base import EvictionPolicy
from simnet.store.stored_slice import StoredSlice


class Gdsf(Ageing, EvictionPolicy):
    """H = L + uses · cost / size, where L is the greatest H of a slice that was evicted.

    L ages the store: what was used often but long ago sinks below what is new. Cost is ``fetch_cost_byte``,
    so a slice from far away is kept longer; where cost equals size this is LFU with ageing.
    """

    def priority(self, slice_: StoredSlice) -> tuple[float, ...]:
        return (self.age + slice_.uses * slice_.fetch_cost_byte / slice_.n_byte, slice_.used_order)
