"""One slice as a store holds it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, init=False)
class StoredSlice:
    """One slice as a store holds it. Only its store changes it; callers and policies read.

    Args:
        requires: ids of the slices that this one depends on directly; the store holds them too.
        fetch_cost_byte: bytes that fetching it again would put on links, e.g. ``n_byte`` × hops.
        worth: SS, in [0, 1], that it adds to what can be decoded without it; 1 where nobody has said.
        fetched_s: time of the last fetch.
        used_s: time of the last use; the insertion counts as the first use.
        uses: number of uses since the insertion, ≥ 1.
        pins: number of transfers and decodings that hold on to it.
        inserted_order, used_order: ticks of the store's own clock; unlike times they never tie.
        entries: how often it stands in the store's line.
        priority: what the eviction policy said at the last use; the lowest goes first.
    """

    slice_id: str
    n_byte: int
    requires: tuple[str, ...]
    fetch_cost_byte: float
    worth: float
    fetched_s: float
    used_s: float
    inserted_order: int
    used_order: int
    uses: int
    pins: int
    entries: int
    priority: tuple[float, ...]
    dependents: tuple[str, ...]
    """Ids of the stored slices that require this one directly, in order of insertion; few."""

    def __init__(
        self, slice_id: str, n_byte: int, requires: tuple[str, ...], fetch_cost_byte: float, worth: float,
        now_s: float, order: int,
    ) -> None:  # fmt: skip
        self.slice_id = slice_id
        self.n_byte = n_byte
        self.requires = requires
        self.fetch_cost_byte = fetch_cost_byte
        self.worth = worth
        self.fetched_s = self.used_s = now_s
        self.inserted_order = self.used_order = order
        self.uses = self.entries = 1
        self.pins = 0
        self.priority = self.dependents = ()

    def add_dependent(self, slice_id: str) -> None:
        self.dependents += (slice_id,)

    def drop_dependent(self, slice_id: str) -> None:
        self.dependents = tuple(each for each in self.dependents if each != slice_id)
