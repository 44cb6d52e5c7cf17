"""The stored slice with the least key, where keys only grow."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping

from simnet.store.stored_slice import StoredSlice

Key = tuple[float, ...]


class SliceHeap:
    """A heap with one entry per slice, though a slice's key grows on each use.

    The entry stays as it was pushed, so never too large, and is corrected when it comes to the top; entries
    of slices that are gone are dropped there. A use costs nothing, finding the least O(log n) amortised.

    Args:
        slices: the store's own mapping, read whenever the heap is asked.
        key: of a slice; it must not fall while the slice is stored. Of equals the one inserted first comes
            first.
    """

    def __init__(self, slices: Mapping[str, StoredSlice], key: Callable[[StoredSlice], Key]) -> None:
        self._slices = slices
        self._key = key
        self._entries: list[tuple[Key, int, str]] = []

    def __len__(self) -> int:
        return len(self._entries)

    def push(self, slice_: StoredSlice) -> None:
        heapq.heappush(self._entries, (self._key(slice_), slice_.inserted_order, slice_.slice_id))
        if len(self._entries) > 2 * len(self._slices) + 64:  # most are entries of slices that are gone
            self._entries = [entry for entry in self._entries if self._stored(entry)]
            heapq.heapify(self._entries)

    def least(self) -> StoredSlice | None:
        """The stored slice with the least key; None if there is none."""
        while self._entries:
            top = self._entries[0]
            slice_ = self._stored(top)
            if slice_ is None:
                heapq.heappop(self._entries)
            elif self._key(slice_) > top[0]:
                heapq.heapreplace(self._entries, (self._key(slice_), *top[1:]))
            else:
                return slice_
        return None

    def drop_least(self) -> None:
        """Take away the entry of the slice that :meth:`least` just gave."""
        heapq.heappop(self._entries)

    def _stored(self, entry: tuple[Key, int, str]) -> StoredSlice | None:
        slice_ = self._slices.get(entry[2])
        return slice_ if slice_ is not None and slice_.inserted_order == entry[1] else None
