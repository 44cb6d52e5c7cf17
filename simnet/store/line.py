"""In which order the slices of a store would go, where that is the order of their insertions or uses."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from simnet.store.stored_slice import StoredSlice


class Line(deque[StoredSlice]):
    """First to go first: append a slice when it comes, and again when it is used, and count its ``entries``.

    Its last entry counts. Those before it, and those of slices that are gone (``entries`` 0), are dropped when they
    come to the front, or are most. The entries are neighbours in memory, unlike those of an ordered dictionary.
    """

    def first(self) -> StoredSlice:
        """The next to go; the store isn't empty."""
        while (first := self[0]).entries != 1:
            self.popleft()
            if first.entries:
                first.entries -= 1
        return first

    def in_order(self) -> Iterator[StoredSlice]:
        """The slices in the order in which they would go; the store doesn't change meanwhile."""
        passed: dict[str, int] = {}
        for slice_ in self:
            n_before = passed.get(slice_.slice_id, 0) if slice_.entries > 1 else 0
            if n_before + 1 == slice_.entries:
                yield slice_
            elif slice_.entries:
                passed[slice_.slice_id] = n_before + 1

    def tidy(self, n_slice: int) -> None:
        """Drop the entries that don't count, if they are most; so many slices are stored."""
        if len(self) <= 2 * n_slice + 64:
            return
        slices = list(self.in_order())
        self.clear()
        self.extend(slices)
        for slice_ in slices:
            slice_.entries = 1
