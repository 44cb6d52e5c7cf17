"""A node's bounded place for slices: capacity, time to live, pins, and dependents that go together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Any, Literal, NamedTuple

from simnet.core.terms import TtlFrom
from simnet.store.base import EvictionPolicy
from simnet.store.eviction_queue import EvictionQueue
from simnet.store.line import Line, UseLine
from simnet.store.slice_heap import SliceHeap
from simnet.store.stored_slice import StoredSlice

EventKind = Literal["insert", "evict", "expire", "reject", "hit", "miss"]
Refusal = Literal["", "too_large", "pinned", "missing_requirement", "held"]
"""Why a slice wasn't stored: ``too_large`` for the whole store; only ``pinned`` slices, or those that it requires,
would make room; ``missing_requirement``: one that it requires isn't held; ``held`` already. Empty if it was."""


class StoreEvent(NamedTuple):
    """One fact about a store: a row for ``stores.parquet``. Stores tell of it by a plain tuple, which costs less.

    Args:
        n_byte: size of the slice; 0 for a miss, since the store doesn't know it.
        occupancy_byte: after the event.
        time_s: when it was so; for ``expire`` the true time of expiry, though it is noticed later.
        store: name of the store.
    """

    kind: EventKind
    slice_id: str
    n_byte: int
    occupancy_byte: int
    time_s: float
    store: str = ""


def ignore(event: tuple[Any, ...]) -> None:
    """A listener for events that nobody cares for."""


class Store:
    """A node's bounded place for slices.

    What always holds: occupancy ≤ capacity; whatever a stored slice requires is stored too; a pinned slice
    stays, and so does what it requires. A slice goes only together with all that depend on it: they would be
    useless.

    A slice lives for ``ttl_s``: held while now < expiry, gone at the expiry. Expired slices leave when the
    store is next asked anything, but just as if they had left in time. A pin outlives the expiry: such a
    slice is held, and can even be renewed, until it and those that depend on it have lost their last pin.

    A use of a slice isn't a use of those that it requires: whoever decodes with several slices gets each of
    them.

    Args:
        capacity_byte: ≥ 0; a store of 0 bytes holds nothing.
        policy: an instance of its own for each store.
        ttl_s: time to live, > 0; None: for ever.
        ttl_from: counted from the last fetch, or renewed on each use.
        on_event: called with each :class:`StoreEvent`, as a plain tuple, in the order in which the store notices them.
        name: for events.
    """

    def __init__(
        self,
        capacity_byte: int,
        policy: EvictionPolicy,
        *,
        ttl_s: float | None = None,
        ttl_from: TtlFrom = "from_fetch",
        on_event: Callable[[tuple[Any, ...]], None] = ignore,
        name: str = "",
    ) -> None:
        if capacity_byte < 0:
            raise ValueError(f"capacity_byte: got {capacity_byte}; allowed: >= 0")
        if ttl_s is not None and not ttl_s > 0:
            raise ValueError(f"ttl_s: got {ttl_s}; allowed: > 0, or None for ever")
        self.capacity_byte = capacity_byte
        self.policy = policy
        self.ttl_s = ttl_s
        self.ttl_from = ttl_from
        self.on_event = on_event
        self.on_leave: Callable[[str], object] | None = None
        """If set, called with the id of each slice that is evicted or expires."""
        self.name = name
        self.occupancy_byte = 0
        self._slices: dict[str, StoredSlice] = {}
        self._leaving = _leaving_order(policy, self._slices)
        self._by_expiry = SliceHeap(self._slices, lambda slice_: (self._expiry_s(slice_),))
        """Empty where nothing expires."""
        self._overdue: dict[str, None] = {}
        """Ids of what has expired, but is kept by a pin of its own or of a dependent."""
        self._order = 0
        self._now_s = float("-inf")

    def get(self, slice_id: str, now_s: float) -> StoredSlice | None:
        """A use of the slice: the entry, told of as a hit and renewed; or None, told of as a miss."""
        if self.ttl_s is not None or now_s < self._now_s:
            self._advance(now_s)
        self._now_s = now_s
        slice_ = self._slices.get(slice_id)
        if slice_ is None:
            self.on_event(("miss", slice_id, 0, self.occupancy_byte, now_s, self.name))
            return None
        self._use(slice_, now_s)
        self.on_event(("hit", slice_id, slice_.n_byte, self.occupancy_byte, now_s, self.name))
        return slice_

    def holds(self, slice_id: str, now_s: float) -> bool:
        """Whether the slice is there; not a use."""
        if self.ttl_s is not None or now_s < self._now_s:
            self._advance(now_s)
        self._now_s = now_s
        return slice_id in self._slices

    def slice_ids(self, now_s: float) -> tuple[str, ...]:
        """Ids of all slices held, in order of insertion: each after those that it requires."""
        self._advance(now_s)
        return tuple(slice_.slice_id for slice_ in sorted(self._slices.values(), key=attrgetter("inserted_order")))

    def peek(self) -> Iterable[str]:
        """Ids of all slices that were held when the store was last asked."""
        return self._slices.keys()

    def insert(
        self,
        slice_id: str,
        n_byte: int,
        requires: tuple[str, ...],
        now_s: float,
        fetch_cost_byte: float | None = None,
        worth: float = 1.0,
        *,
        renews: bool = True,
    ) -> Refusal:
        """Store a slice that was fetched, evicting others where that makes enough room, and none where it
        doesn't.

        A slice that is held already counts as fetched again and used, unless told otherwise; there is no event for it.

        Args:
            n_byte: ≥ 1; the same whenever the same id comes.
            requires: ids that it depends on directly. They must be held and aren't evicted to make room for
                it.
            fetch_cost_byte: bytes that fetching it again would put on links; default ``n_byte``.
            worth: SS that it adds to what can be decoded without it, in [0, 1].
            renews: false: a slice that is held already stays as it is.

        Returns:
            Why it wasn't stored; empty if it was.
        """
        if n_byte < 1:
            raise ValueError(f"slice {slice_id!r}: n_byte {n_byte}; allowed: >= 1")
        if self.ttl_s is not None or now_s < self._now_s:
            self._advance(now_s)
        self._now_s = now_s
        slices = self._slices
        held = slices.get(slice_id)
        if held is not None:
            if (held.n_byte, held.requires) != (n_byte, requires):
                raise ValueError(
                    f"slice {slice_id!r} is stored with {held.n_byte} bytes requiring {held.requires}; "
                    f"now {n_byte} bytes requiring {requires}: an id names one content"
                )
            if not renews:
                return "held"
            held.fetched_s = now_s
            self._use(held, now_s)
            return ""
        if n_byte > self.capacity_byte:
            return self._refuse(slice_id, n_byte, now_s, "too_large")
        if requires and any(required not in slices for required in requires):
            return self._refuse(slice_id, n_byte, now_s, "missing_requirement")
        missing_byte = self.occupancy_byte + n_byte - self.capacity_byte
        if missing_byte > 0 and not self._make_room(missing_byte, now_s, requires):
            return self._refuse(slice_id, n_byte, now_s, "pinned")
        self._order = order = self._order + 1
        cost_byte = n_byte if fetch_cost_byte is None else fetch_cost_byte
        slice_ = slices[slice_id] = StoredSlice(slice_id, n_byte, requires, cost_byte, worth, now_s, order)
        for required in requires:
            slices[required].add_dependent(slice_id)
        self.occupancy_byte = occupancy_byte = self.occupancy_byte + n_byte
        self._leaving.add(slice_)
        if self.ttl_s is not None:
            self._by_expiry.push(slice_)
        self.on_event(("insert", slice_id, n_byte, occupancy_byte, now_s, self.name))
        return ""

    def pin(self, slice_id: str, now_s: float) -> None:
        """Hold on to a slice that is held, while it is in use or in flight. Pins count.

        Raises:
            KeyError: it isn't held.
        """
        self._advance(now_s)
        self._slices[slice_id].pins += 1

    def unpin(self, slice_id: str, now_s: float) -> None:
        """Take one pin back; slices that expired meanwhile and that no pin keeps any more go now.

        Raises:
            KeyError: it isn't held.
            ValueError: it isn't pinned.
        """
        self._advance(now_s)
        slice_ = self._slices[slice_id]
        if slice_.pins == 0:
            raise ValueError(f"slice {slice_id!r}: unpin without pin")
        slice_.pins -= 1
        if not self._overdue:
            return
        for overdue in tuple(self._overdue):
            if overdue in self._overdue:  # it may have gone with the one before
                self._expire(self._slices[overdue], now_s)

    def expire(self, now_s: float) -> tuple[str, ...]:
        """Drop what has expired by now; the ids, in order of expiry."""
        return tuple(self._advance(now_s))

    def _use(self, slice_: StoredSlice, now_s: float) -> None:
        self._order += 1
        slice_.uses += 1
        slice_.used_s = now_s
        slice_.used_order = self._order
        self._leaving.used(slice_)
        if self._overdue and slice_.slice_id in self._overdue and self._expiry_s(slice_) > now_s:
            del self._overdue[slice_.slice_id]
            self._by_expiry.push(slice_)

    def _expiry_s(self, slice_: StoredSlice) -> float:
        if self.ttl_s is None:
            return float("inf")
        return (slice_.fetched_s if self.ttl_from == "from_fetch" else slice_.used_s) + self.ttl_s

    def _advance(self, now_s: float) -> list[str]:
        """Let expire, in order of time, what is due by now. Ids of what went."""
        if now_s < self._now_s:
            raise ValueError(f"the store was asked at {self._now_s} s, then at {now_s} s: time runs forward")
        self._now_s = now_s
        if self.ttl_s is None:
            return []
        gone: list[str] = []
        while (slice_ := self._by_expiry.least()) is not None and self._expiry_s(slice_) <= now_s:
            self._by_expiry.drop_least()
            gone += self._expire(slice_, self._expiry_s(slice_))
        if gone:
            self._leaving.tidy()
        return gone

    def _expire(self, slice_: StoredSlice, time_s: float) -> tuple[str, ...]:
        """Remove an expired slice with its dependents, or note it as overdue if one of them is pinned."""
        if any(member.pins for member in self._group(slice_)):
            self._overdue[slice_.slice_id] = None
            return ()
        return self._remove_group(slice_, "expire", time_s)

    def _make_room(self, n_byte: int, now_s: float, keep: tuple[str, ...]) -> bool:
        """Evict what frees ``n_byte``, of fewer than are stored; nothing, and False, if pins or ``keep`` forbid."""
        first = self._leaving.first()
        if first.n_byte >= n_byte and not (first.pins or first.dependents or first.slice_id in keep):
            self.policy.evicted(first)
            self._remove(first, "evict", now_s)
            return True
        victims = self._choose_victims(n_byte, keep)
        for victim in victims:
            self.policy.evicted(victim)
            self._remove_group(victim, "evict", now_s)
        self._leaving.tidy()
        return bool(victims)

    def _choose_victims(self, n_byte: int, keep: tuple[str, ...]) -> list[StoredSlice]:
        """Slices, least priority first, that with their dependents free ``n_byte``; none if pins or ``keep`` forbid."""
        victims: list[StoredSlice] = []
        leaving: set[str] = set()
        for slice_ in self._leaving.in_order():
            if slice_.slice_id in leaving:
                continue
            group = [member for member in self._group(slice_) if member.slice_id not in leaving]
            for member in group:
                if member.pins or member.slice_id in keep:
                    break
            else:
                victims.append(slice_)
                for member in group:
                    leaving.add(member.slice_id)
                    n_byte -= member.n_byte
                if n_byte <= 0:
                    return victims
        return []

    def _group(self, slice_: StoredSlice) -> list[StoredSlice]:
        """The slice and all that depend on it, direct or not, each before those that it requires."""
        if not slice_.dependents:
            return [slice_]
        found = {slice_.slice_id: slice_}
        waiting = [slice_]
        while waiting:
            for dependent in waiting.pop().dependents:
                if dependent not in found:
                    found[dependent] = self._slices[dependent]
                    waiting.append(found[dependent])
        return sorted(found.values(), key=lambda member: -member.inserted_order)

    def _remove_group(self, slice_: StoredSlice, kind: EventKind, time_s: float) -> tuple[str, ...]:
        if not slice_.dependents:
            self._remove(slice_, kind, time_s)
            return (slice_.slice_id,)
        group = self._group(slice_)
        for member in group:
            self._remove(member, kind, time_s)
        return tuple(member.slice_id for member in group)

    def _remove(self, slice_: StoredSlice, kind: EventKind, time_s: float) -> None:
        slice_id = slice_.slice_id
        del self._slices[slice_id]
        slice_.entries = 0
        if self._overdue:
            self._overdue.pop(slice_id, None)
        for required in slice_.requires:
            self._slices[required].drop_dependent(slice_id)
        self.occupancy_byte = occupancy_byte = self.occupancy_byte - slice_.n_byte
        if self.on_leave is not None:
            self.on_leave(slice_id)
        self.on_event((kind, slice_id, slice_.n_byte, occupancy_byte, time_s, self.name))

    def _refuse(self, slice_id: str, n_byte: int, now_s: float, refusal: Refusal) -> Refusal:
        self.on_event(("reject", slice_id, n_byte, self.occupancy_byte, now_s, self.name))
        return refusal


def _leaving_order(policy: EvictionPolicy, slices: Mapping[str, StoredSlice]) -> Line | EvictionQueue:
    """In which order slices go."""
    if policy.ordered_by == "priority":
        return EvictionQueue(policy, slices)
    return UseLine(slices) if policy.ordered_by == "use" else Line(slices)
