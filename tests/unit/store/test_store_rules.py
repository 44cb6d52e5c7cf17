"""The rules of a store, each on a small case worked out by hand."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

from simnet.core.plugins import PluginError
from simnet.core.terms import TtlFrom
from simnet.store.base import EvictionPolicy
from simnet.store.gdsf import Gdsf
from simnet.store.lfu import Lfu
from simnet.store.lru import Lru
from simnet.store.ss_aware import SsAware
from simnet.store.store import Store, StoreEvent
from simnet.store.stored_slice import StoredSlice


def make(
    capacity_byte: int, *, ttl_s: float | None = None, ttl_from: TtlFrom = "from_fetch"
) -> tuple[Store, list[StoreEvent]]:
    events: list[StoreEvent] = []
    store = Store(
        capacity_byte, Lru(), ttl_s=ttl_s, ttl_from=ttl_from, on_event=lambda facts: events.append(StoreEvent(*facts))
    )
    return store, events


def evicted_by(store: Store, slice_id: str, n_byte: int, requires: tuple[str, ...], now_s: float, **more: float) -> Any:
    """Ids of the slices that make room for this one, in the order in which they go."""
    gone: list[str] = []
    tell = store.on_event

    def listen(facts: tuple[Any, ...]) -> None:
        tell(facts)
        if facts[0] == "evict":
            gone.append(facts[1])

    store.on_event = listen
    assert store.insert(slice_id, n_byte, requires, now_s, **more) == ""
    store.on_event = tell
    return tuple(gone)


def test_timeline_of_events() -> None:
    store, events = make(10, ttl_s=5.0)
    assert store.get("a", 0.0) is None
    assert store.insert("a", 6, (), 0.0) == ""
    assert store.get("a", 1.0) is not None
    assert evicted_by(store, "b", 6, (), 2.0) == ("a",)
    assert store.expire(9.0) == ("b",)
    assert events == [
        StoreEvent("miss", "a", 0, 0, 0.0),
        StoreEvent("insert", "a", 6, 6, 0.0),
        StoreEvent("hit", "a", 6, 6, 1.0),
        StoreEvent("evict", "a", 6, 0, 2.0),
        StoreEvent("insert", "b", 6, 6, 2.0),
        StoreEvent("expire", "b", 6, 0, 7.0),
    ]


def test_entry_tells_its_uses() -> None:
    store, _ = make(10)
    store.insert("a", 1, (), 1.0)
    store.insert("b", 2, ("a",), 2.0)
    entry = store.get("b", 3.0)
    assert entry is not None
    assert (entry.n_byte, entry.requires, entry.fetched_s, entry.used_s, entry.uses, entry.pins) == (
        2, ("a",), 2.0, 3.0, 2, 0,
    )  # fmt: skip


def test_larger_than_the_store_evicts_nothing() -> None:
    store, events = make(10)
    store.insert("a", 10, (), 0.0)
    assert store.insert("big", 11, (), 1.0) == "too_large"
    assert store.slice_ids(1.0) == ("a",)
    assert events[-1] == StoreEvent("reject", "big", 11, 10, 1.0)


def test_store_of_no_bytes_holds_nothing() -> None:
    store, _ = make(0)
    assert store.insert("a", 1, (), 0.0) == "too_large"


def test_pinned_slices_stay_and_a_hopeless_insertion_evicts_nothing() -> None:
    store, _ = make(10)
    store.insert("pinned", 6, (), 0.0)
    store.insert("free", 4, (), 1.0)
    store.pin("pinned", 1.0)
    assert store.insert("new", 5, (), 2.0) == "pinned"
    assert store.slice_ids(2.0) == ("pinned", "free")
    assert evicted_by(store, "small", 4, (), 3.0) == ("free",)
    store.unpin("pinned", 4.0)
    assert evicted_by(store, "new", 5, (), 4.0) == ("pinned",)


def test_pins_count() -> None:
    store, _ = make(10)
    store.insert("a", 10, (), 0.0)
    store.pin("a", 0.0)
    store.pin("a", 0.0)
    store.unpin("a", 0.0)
    assert store.insert("b", 10, (), 0.0) == "pinned"
    store.unpin("a", 0.0)
    assert store.insert("b", 10, (), 0.0) == ""


def test_dependents_go_with_what_they_require() -> None:
    store, events = make(10)
    store.insert("base", 4, (), 0.0)
    store.insert("middle", 2, ("base",), 1.0)
    store.insert("top", 2, ("middle",), 2.0)
    store.insert("other", 2, (), 3.0)
    # The base is the least recently used; 8 bytes go, though 4 would have made room.
    assert evicted_by(store, "new", 3, (), 4.0) == ("top", "middle", "base")
    assert [(e.slice_id, e.occupancy_byte) for e in events if e.kind == "evict"] == [
        ("top", 8), ("middle", 6), ("base", 2),
    ]  # fmt: skip
    assert store.slice_ids(4.0) == ("other", "new")


def test_a_pinned_dependent_keeps_what_it_requires() -> None:
    store, _ = make(10)
    store.insert("base", 4, (), 0.0)
    store.insert("top", 2, ("base",), 1.0)
    store.insert("other", 4, (), 2.0)
    store.pin("top", 2.0)
    assert evicted_by(store, "new", 4, (), 3.0) == ("other",)


def test_a_new_slice_never_pushes_out_what_it_requires() -> None:
    store, _ = make(10)
    store.insert("base", 5, (), 0.0)
    store.insert("other", 5, (), 1.0)
    assert evicted_by(store, "top", 5, ("base",), 2.0) == ("other",)
    assert store.insert("second", 6, ("base",), 3.0) == "pinned"


def test_what_requires_a_slice_that_is_not_held_is_refused() -> None:
    store, _ = make(10)
    assert store.insert("top", 1, ("base",), 0.0) == "missing_requirement"


@pytest.mark.parametrize(("ttl_from", "gone_s"), [("from_fetch", 10.0), ("renewed_on_use", 14.0)])
def test_time_to_live_ends_at_the_expiry(ttl_from: TtlFrom, gone_s: float) -> None:
    store, events = make(10, ttl_s=10.0, ttl_from=ttl_from)
    store.insert("a", 1, (), 0.0)
    assert store.get("a", 4.0)
    assert store.holds("a", gone_s - 1e-9)
    assert not store.holds("a", gone_s)
    assert events[-1] == StoreEvent("expire", "a", 1, 0, gone_s)


def test_fetching_again_renews_without_another_insertion() -> None:
    store, events = make(10, ttl_s=10.0)
    store.insert("a", 4, (), 0.0)
    assert store.insert("a", 4, (), 8.0) == ""
    assert store.holds("a", 17.0)
    assert [e.kind for e in events] == ["insert"]
    assert store.occupancy_byte == 4


def test_expiry_takes_dependents_along_and_comes_before_eviction() -> None:
    store, _ = make(10, ttl_s=10.0)
    store.insert("base", 5, (), 0.0)
    store.insert("top", 5, ("base",), 9.0)
    assert evicted_by(store, "new", 10, (), 10.0) == ()


def test_expired_but_pinned_goes_on_unpin() -> None:
    store, events = make(10, ttl_s=10.0)
    store.insert("base", 5, (), 0.0)
    store.insert("top", 5, ("base",), 5.0)
    store.pin("top", 5.0)
    assert store.expire(30.0) == ()
    assert store.get("base", 30.0) is not None
    store.unpin("top", 31.0)
    assert store.slice_ids(31.0) == ()
    assert [(e.slice_id, e.time_s) for e in events if e.kind == "expire"] == [("top", 31.0), ("base", 31.0)]


def test_use_while_pinned_renews_even_after_the_expiry() -> None:
    store, _ = make(10, ttl_s=10.0, ttl_from="renewed_on_use")
    store.insert("a", 5, (), 0.0)
    store.pin("a", 0.0)
    store.get("a", 30.0)
    store.unpin("a", 31.0)
    assert store.holds("a", 39.0)
    assert store.expire(50.0) == ("a",)


def test_lfu_evicts_the_least_used() -> None:
    store = Store(3, Lfu())
    for time_s, slice_id in enumerate("abc"):
        store.insert(slice_id, 1, (), float(time_s))
    for slice_id in "aac":
        store.get(slice_id, 3.0)
    assert [evicted_by(store, new, 1, (), 4.0) for new in "de"] == [("b",), ("d",)]


def test_gdsf_worked_by_hand() -> None:
    store = Store(10, Gdsf())
    store.insert("large", 8, (), 0.0)  # H = 0 + 1 · 8/8 = 1
    store.insert("far", 2, (), 1.0, fetch_cost_byte=6.0)  # H = 0 + 1 · 6/2 = 3
    store.get("large", 2.0)  # H = 0 + 2 · 8/8 = 2
    assert evicted_by(store, "x", 1, (), 3.0) == ("large",)  # L = 2, H(x) = 2 + 1 = 3, younger than far
    assert evicted_by(store, "y", 8, (), 4.0) == ("far",)  # L = 3, H(y) = 4
    assert evicted_by(store, "z", 3, (), 5.0) == ("x", "y")


def test_gdsf_goes_by_priority_whatever_pins_kept_for_a_while() -> None:
    """Against a look at all slices: who is evicted; and ages and priorities never fall."""
    for seed in range(40):
        rng, store, now_s = random.Random(seed), Store(6, Gdsf()), 0.0
        cost_byte = {str(i): rng.choice([1.0, 2.0, 5.0, 20.0, 60.0]) for i in range(14)}
        priority: dict[str, tuple[float, ...]] = {}
        pinned: list[str] = []
        for _ in range(150):
            now_s, slice_id, act = now_s + 1.0, str(rng.randrange(14)), rng.random()
            if act < 0.15 and slice_id in priority:
                store.pin(slice_id, now_s)
                pinned.append(slice_id)
            elif act < 0.3 and pinned:
                store.unpin(pinned.pop(rng.randrange(len(pinned))), now_s)
            elif slice_id in priority:
                used = store.get(slice_id, now_s)
                assert used is not None and used.priority >= priority[slice_id]
                priority[slice_id] = used.priority
            else:
                may_go = sorted((value, each) for each, value in priority.items() if each not in pinned)
                victims = (may_go[0][1],) if len(priority) == 6 and may_go else ()
                if len(priority) == 6 and not may_go:
                    assert store.insert(slice_id, 1, (), now_s, cost_byte[slice_id]) == "pinned"
                    continue
                assert evicted_by(store, slice_id, 1, (), now_s, fetch_cost_byte=cost_byte[slice_id]) == victims
                for gone in victims:
                    del priority[gone]
                inserted = store.get(slice_id, now_s)
                assert inserted is not None
                priority[slice_id] = inserted.priority


def test_ss_aware_worked_by_hand() -> None:
    store = Store(10, SsAware())
    store.insert("large", 8, (), 0.0, worth=0.8)  # H = 0 + 1 · 0.8/8 = 0.1
    store.insert("spare", 2, (), 1.0, worth=0.1)  # H = 0 + 1 · 0.1/2 = 0.05: another codec gives nearly as much
    assert evicted_by(store, "x", 1, (), 2.0, worth=0.05) == ("spare",)  # L = 0.05, H(x) = 0.05 + 0.05/1 = 0.1
    store.get("large", 3.0)  # H = 0.05 + 2 · 0.8/8 = 0.25
    assert evicted_by(store, "y", 2, (), 4.0, worth=0.9) == ("x",)  # L = 0.1, H(y) = 0.1 + 0.9/2 = 0.55
    assert evicted_by(store, "z", 1, (), 5.0) == ("large",)  # and 1 where nobody says


def test_misuse_is_refused_loudly() -> None:
    store, _ = make(10)
    store.insert("a", 5, (), 1.0)
    with pytest.raises(ValueError, match="time runs forward"):
        store.holds("a", 0.5)
    with pytest.raises(ValueError, match="unpin without pin"):
        store.unpin("a", 1.0)
    with pytest.raises(KeyError):
        store.pin("b", 1.0)
    with pytest.raises(ValueError, match="an id names one content"):
        store.insert("a", 6, (), 1.0)
    with pytest.raises(ValueError, match="n_byte 0; allowed: >= 1"):
        store.insert("b", 0, (), 1.0)
    with pytest.raises(ValueError, match="capacity_byte: got -1"):
        Store(-1, Lru())
    with pytest.raises(ValueError, match="ttl_s: got 0"):
        Store(1, Lru(), ttl_s=0.0)


@pytest.mark.parametrize("priority", [3.0, None, [1.0]])
def test_a_priority_that_is_no_tuple_is_refused_by_the_policy_s_name(priority: object) -> None:
    class Blunt(EvictionPolicy):
        def priority(self, slice_: StoredSlice) -> Any:
            return (1.0,) if slice_.uses == 1 else priority

    store = Store(10, Blunt())
    store.insert("a", 5, (), 1.0)
    message = f"test_store_rules.py: store policy Blunt: priority: got {priority!r}; allowed: a tuple of numbers"
    with pytest.raises(PluginError, match=re.escape(message)):
        store.get("a", 2.0)
