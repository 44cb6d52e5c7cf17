"""In which order the slices of a store would go, where a policy's priority is more than an order of coming."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping

from simnet.core.plugins import PluginError
from simnet.store.base import EvictionPolicy
from simnet.store.slice_heap import SliceHeap
from simnet.store.stored_slice import StoredSlice


class EvictionQueue:
    """Least priority first, as the policy gave it at the slice's last use; of equals the one inserted first.

    Slices that are gone need not be taken out: the heap drops their entries when they come to its top.

    Args:
        slices: the store's own mapping, read whenever the queue is asked.
    """

    def __init__(self, policy: EvictionPolicy, slices: Mapping[str, StoredSlice]) -> None:
        self._policy = policy
        self._heap = SliceHeap(slices, lambda slice_: slice_.priority)

    def add(self, slice_: StoredSlice) -> None:
        """A slice was inserted."""
        slice_.priority = self._priority(slice_)
        self._heap.push(slice_)

    def used(self, slice_: StoredSlice) -> None:
        """A slice was used."""
        slice_.priority = self._priority(slice_)

    def _priority(self, slice_: StoredSlice) -> tuple[float, ...]:
        priority: object = self._policy.priority(slice_)
        if isinstance(priority, tuple):
            return priority
        policy = type(self._policy)
        raise PluginError(
            f"{inspect.getsourcefile(policy)}: store policy {policy.__name__}: priority: got {priority!r}; allowed: a "
            "tuple of numbers, such as (uses, last_use_s)"
        )

    def first(self) -> StoredSlice:
        """The next to go; the store isn't empty."""
        least = self._heap.least()
        assert least is not None
        return least

    def in_order(self) -> Iterator[StoredSlice]:
        """The slices in the order in which they would go; the store doesn't change meanwhile."""
        looked_at: list[StoredSlice] = []
        try:
            while (slice_ := self._heap.least()) is not None:
                self._heap.drop_least()
                looked_at.append(slice_)
                yield slice_
        finally:
            for slice_ in looked_at:
                self._heap.push(slice_)

    def tidy(self) -> None:
        """Nothing to do: a heap drops entries as it is pushed onto."""

    def __len__(self) -> int:
        """Entries kept: at least one per slice."""
        return len(self._heap)
