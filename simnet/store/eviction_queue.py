"""In which order a store's slices would go: a heap by priority, or a queue where the priority is just an order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterator, Mapping

from simnet.store.base import EvictionPolicy
from simnet.store.slice_heap import SliceHeap
from simnet.store.stored_slice import StoredSlice


class EvictionQueue(ABC):
    """A store's slices, the next to go first."""

    @abstractmethod
    def add(self, slice_: StoredSlice) -> None:
        """A slice was inserted."""

    @abstractmethod
    def used(self, slice_: StoredSlice) -> None:
        """A slice was used."""

    @abstractmethod
    def remove(self, slice_: StoredSlice) -> None:
        """A slice is gone."""

    @abstractmethod
    def first(self) -> StoredSlice:
        """The next to go; the store isn't empty."""

    @abstractmethod
    def __iter__(self) -> Iterator[StoredSlice]:
        """The slices in the order in which they would go; the store doesn't change meanwhile."""

    @abstractmethod
    def __len__(self) -> int:
        """Entries kept: at least one per slice."""


class ByPriority(EvictionQueue):
    """Least priority first, as the policy gave it at the slice's last use; of equals the one inserted first."""

    def __init__(self, policy: EvictionPolicy, slices: Mapping[str, StoredSlice]) -> None:
        self._policy = policy
        self._heap = SliceHeap(slices, lambda slice_: slice_.priority)

    def add(self, slice_: StoredSlice) -> None:
        slice_.priority = self._policy.priority(slice_)
        self._heap.push(slice_)

    def used(self, slice_: StoredSlice) -> None:
        slice_.priority = self._policy.priority(slice_)

    def remove(self, slice_: StoredSlice) -> None:
        """Nothing to do: the heap drops entries of slices that are gone when they come to its top."""

    def first(self) -> StoredSlice:
        least = self._heap.least()
        assert least is not None
        return least

    def __iter__(self) -> Iterator[StoredSlice]:
        looked_at: list[StoredSlice] = []
        try:
            while (slice_ := self._heap.least()) is not None:
                self._heap.drop_least()
                looked_at.append(slice_)
                yield slice_
        finally:
            for slice_ in looked_at:
                self._heap.push(slice_)

    def __len__(self) -> int:
        return len(self._heap)


class ByOrder(EvictionQueue):
    """First come, first gone; ``renewed``: a use is another coming. The store's own mapping keeps the order."""

    def __init__(self, slices: OrderedDict[str, StoredSlice], *, renewed: bool) -> None:
        self._slices = slices
        self._renewed = renewed

    def add(self, slice_: StoredSlice) -> None:
        """Nothing to do: what the store adds comes last."""

    def used(self, slice_: StoredSlice) -> None:
        if self._renewed:
            self._slices.move_to_end(slice_.slice_id)

    def remove(self, slice_: StoredSlice) -> None:
        """Nothing to do: the store removes it."""

    def first(self) -> StoredSlice:
        return next(iter(self._slices.values()))

    def __iter__(self) -> Iterator[StoredSlice]:
        return iter(self._slices.values())

    def __len__(self) -> int:
        return len(self._slices)


def eviction_queue(policy: EvictionPolicy, slices: OrderedDict[str, StoredSlice]) -> EvictionQueue:
    """The queue that a policy asks for.

    Args:
        slices: the store's own mapping, read whenever the queue is asked, and put in the order of uses where that is
            what the policy asks for.
    """
    if policy.ordered_by == "priority":
        return ByPriority(policy, slices)
    return ByOrder(slices, renewed=policy.ordered_by == "use")
