"""In which order the slices of a store would go, where that is the order of their insertions or uses."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from simnet.store.stored_slice import StoredSlice


class Line(deque[StoredSlice]):
    """First in, first to go.

    Entries of slices that are gone (``entries`` 0) are dropped when they come to the front, or are most.

    Args:
        slices: the store's own mapping, read whenever the line is tidied.
    """

    def __init__(self, slices: Mapping[str, StoredSlice] = MappingProxyType({})) -> None:  # copy gives it afterwards
        super().__init__()
        self._slices = slices

    add = deque.append
    """A slice was inserted."""

    def used(self, slice_: StoredSlice) -> None:
        """A slice was used: that changes nothing."""

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

    def tidy(self) -> None:
        """Drop the entries that don't count, if they are most."""
        if len(self) <= 2 * len(self._slices) + 64:
            return
        slices = list(self.in_order())
        self.clear()
        self.extend(slices)
        for slice_ in slices:
            slice_.entries = 1


class UseLine(Line):
    """Used longest ago, first to go.

    A slice stands there once for its insertion and for each use, and its last entry counts. The entries are neighbours
    in memory, unlike those of an ordered dictionary.
    """

    def used(self, slice_: StoredSlice) -> None:
        """A slice was used: it goes to the end."""
        self.append(slice_)
        slice_.entries += 1
        self.tidy()
