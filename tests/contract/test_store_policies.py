"""What every eviction policy promises, on random traces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simnet.core.plugins import KINDS
from simnet.store.base import EvictionPolicy
from simnet.store.store import Store, StoreEvent
from simnet.store.stored_slice import StoredSlice

POLICIES = KINDS["store"].names()
SIZES_BYTE = (1, 2, 3, 5, 2, 1, 4, 2)
REQUIRES: tuple[tuple[int, ...], ...] = ((), (0,), (1,), (), (0, 3), (), (4,), ())
"""Slice i depends on these."""

steps = st.lists(
    st.tuples(st.sampled_from(["use"] * 3 + ["pin", "unpin"]), st.integers(0, 7), st.sampled_from([0, 1, 7])),
    max_size=80,
)


def told_to(events: list[StoreEvent]) -> Callable[[tuple[Any, ...]], None]:
    return lambda facts: events.append(StoreEvent(*facts))


def load(name: str) -> EvictionPolicy:
    policy: EvictionPolicy = KINDS["store"].load(name)()
    return policy


def test_the_five_are_found() -> None:
    assert {"lru", "lfu", "fifo", "gdsf", "ss_aware"} <= set(POLICIES)


@pytest.mark.parametrize("name", POLICIES)
def test_settings_refuse_unknown_keys(name: str) -> None:
    policy = KINDS["store"].load(name)
    with pytest.raises(ValueError, match="Extra inputs are not permitted"):
        policy.Params.model_validate({"no_such_key": 1})
    assert KINDS["store"].summary(name).endswith(".")


@pytest.mark.parametrize("name", POLICIES)
@given(
    trace=steps,
    capacity_byte=st.integers(0, 12),
    ttl_s=st.sampled_from([None, 3.0, 10.0]),
    renewed=st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_invariants(
    name: str, trace: list[tuple[str, int, int]], capacity_byte: int, ttl_s: float | None, renewed: bool
) -> None:
    policy = load(name)
    last: dict[tuple[str, int], tuple[float, ...]] = {}
    priority = policy.priority

    def watched(slice_: StoredSlice) -> tuple[float, ...]:
        now = priority(slice_)
        life = slice_.slice_id, slice_.inserted_order
        assert now >= last.get(life, now), "a use lowered the priority"
        last[life] = now
        return now

    policy.priority = watched  # type: ignore[method-assign]
    events: list[StoreEvent] = []
    store = Store(
        capacity_byte,
        policy,
        ttl_s=ttl_s,
        ttl_from="renewed_on_use" if renewed else "from_fetch",
        on_event=told_to(events),
    )
    pins: dict[int, int] = {}
    time_s = 0.0
    for what, index, wait_s in trace:
        time_s += wait_s
        slice_id = str(index)
        if what == "use":
            if store.get(slice_id, time_s) is None:
                store.insert(slice_id, SIZES_BYTE[index], tuple(map(str, REQUIRES[index])), time_s)
        elif what == "pin" and store.holds(slice_id, time_s):
            store.pin(slice_id, time_s)
            pins[index] = pins.get(index, 0) + 1
        elif what == "unpin" and pins.get(index):
            store.unpin(slice_id, time_s)
            pins[index] -= 1
        held = {int(slice_id) for slice_id in store.slice_ids(time_s)}
        assert store.occupancy_byte == sum(SIZES_BYTE[i] for i in held) <= capacity_byte
        assert all(required in held for i in held for required in REQUIRES[i])
        assert all(i in held for i, count in pins.items() if count)
    balance = {"insert": 1, "evict": -1, "expire": -1}
    running_byte = 0
    for event in events:
        running_byte += balance.get(event.kind, 0) * event.n_byte
        assert event.occupancy_byte == running_byte
    assert running_byte == store.occupancy_byte


@pytest.mark.parametrize("name", [name for name in POLICIES if load(name).ordered_by != "priority"])
@given(trace=steps, capacity_byte=st.integers(1, 12))
@settings(max_examples=80, deadline=None)
def test_the_queue_evicts_in_the_order_of_the_priorities(
    name: str, trace: list[tuple[str, int, int]], capacity_byte: int
) -> None:
    def run(policy: EvictionPolicy) -> list[StoreEvent]:
        events: list[StoreEvent] = []
        store = Store(capacity_byte, policy, on_event=told_to(events))
        for step, (_, index, _) in enumerate(trace):
            if store.get(str(index), float(step)) is None:
                store.insert(str(index), SIZES_BYTE[index], tuple(map(str, REQUIRES[index])), float(step))
        return events

    by_heap = load(name)
    by_heap.ordered_by = "priority"  # type: ignore[misc]
    assert run(load(name)) == run(by_heap)


@pytest.mark.parametrize("name", POLICIES)
def test_same_trace_same_events(name: str) -> None:
    def run() -> list[Any]:
        events: list[StoreEvent] = []
        store = Store(20, load(name), ttl_s=50.0, on_event=told_to(events))
        for step in range(500):
            index = step * step * 7919 % 31
            if store.get(str(index), float(step)) is None:
                store.insert(str(index), 1 + index % 9, (), float(step))
        return events

    assert any(event.kind == "evict" for event in run())
    assert run() == run()


@pytest.mark.parametrize("name", POLICIES)
def test_bookkeeping_stays_small_however_many_slices_pass(name: str) -> None:
    store = Store(100, load(name), ttl_s=5.0)
    for step in range(5000):
        store.insert(str(step), 1, (), float(step))
    assert len(store.slice_ids(5000.0)) == 4
    assert len(store._slices) == 4 and len(store._leaving) < 200
    assert len(store._by_expiry) < 200
