"""Wishes for decoders themselves: what travels, who keeps a copy, and when the consumer has it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.tiny import Tiny
from tests.support.world import Run, node, simulate, wire

CHAIN: dict[str, Any] = {
    "topology.nodes": [
        node("camera", "cloud"),
        node("near", "gateway"),
        node("reader", "device"),
        node("other", "device"),
    ],
    "topology.links": [wire("camera", "near"), wire("near", "reader"), wire("near", "other")],
    "tiers": {"device": {"store_byte": 100_000}, "gateway": {"store_byte": 100_000}},
    "wires.wire": {"rate_bit_per_s": 8e5, "delay_s": 0.01},
    "sources.shapes.owners": "cloud",
    "sources.shapes.wish.task": "decoder",
}
"""camera – near – reader and other; 100 bytes take a millisecond, and every wire another ten."""


def wished(wishes: list[tuple[float, str, int]], propagation: Any, **more: Any) -> Run:
    return simulate(wishes, {**CHAIN, "protocol.propagation": propagation, **more}, codecs={"tiny": Tiny(n_slice=1)})


def carried(run: Run) -> list[tuple[str, str, str]]:
    return [(t.payload.split()[0], t.sender, t.receiver) for t in run.transfers()]


def test_the_first_node_on_the_way_that_has_it_answers_and_all_between_keep_a_copy() -> None:
    run = wished([(0.1, "reader", 0), (1.0, "other", 0), (2.0, "reader", 0)], {"kind": "on_path"})
    assert carried(run) == [
        ("SliceRequest", "reader", "near"), ("SliceRequest", "near", "camera"),
        ("SliceData", "camera", "near"), ("SliceData", "near", "reader"),
        ("SliceRequest", "other", "near"), ("SliceData", "near", "other"),
    ]  # fmt: skip
    assert [(e.event, e.node) for e in run.stores() if e.event != "provision"] == [
        ("miss", "reader"), ("miss", "near"), ("insert", "near"), ("insert", "reader"),
        ("miss", "other"), ("hit", "near"), ("insert", "other"),
        ("hit", "reader"),
    ]  # fmt: skip
    assert [row.outcome for row in run.requests()] == ["satisfied"] * 3
    assert run.deliveries() == [] and all(row.ss is None and row.code_byte == 0 for row in run.requests())


def test_it_takes_the_time_of_its_hops() -> None:
    run = wished([(0.1, "reader", 0)], {"kind": "on_path"})
    (row,) = run.requests()
    flights_s = sum(8 * t.payload_byte / 8e5 + 0.01 for t in run.transfers())
    assert row.ended_s == pytest.approx(0.1 + flights_s)
    assert row.model_fetch_s == pytest.approx(flights_s)
    assert (row.slices_needed, row.slices_missed) == (1, 1)
    assert row.model_byte + row.control_byte == sum(t.payload_byte for t in run.transfers()) / 2


def test_two_wishes_at_once_are_one_fetch() -> None:
    run = wished([(0.1, "reader", 0), (0.1, "reader", 1), (0.11, "reader", 2)], {"kind": "on_path"})
    assert len([label for label, *_ in carried(run) if label == "SliceData"]) == 2
    assert len({row.ended_s for row in run.requests()}) == 1
    assert [row.outcome for row in run.requests()] == ["satisfied"] * 3


def test_nobody_keeps_it_with_probability_0() -> None:
    run = wished([(0.1, "reader", 0), (1.0, "other", 0)], {"kind": "on_path", "probability": 0.0})
    assert not [e for e in run.stores("insert") if e.node == "near"]
    assert len(carried(run)) == 8


@pytest.mark.parametrize("propagation", ["with_code", "nearest_copy"])
def test_the_owner_or_the_nearest_copy_is_asked(propagation: str) -> None:
    links = [wire("camera", "near", delay_s=0.05), wire("near", "reader"), wire("near", "other")]
    run = wished([(0.1, "reader", 0), (1.0, "other", 0)], {"kind": propagation}, **{"topology.links": links})
    asked = [hop for hop in carried(run) if hop[0] == "SliceRequest"][2:]
    nearest = propagation == "nearest_copy"
    assert asked == [("SliceRequest", "other", "near"), ("SliceRequest", "near", "reader" if nearest else "camera")]


def test_where_nothing_travels_there_is_no_decoder() -> None:
    run = wished([(0.1, "reader", 0)], {"kind": "none"})
    assert [row.outcome for row in run.requests()] == ["no_decoder"]


def test_several_slices_are_fetched_side_by_side_each_after_what_it_requires() -> None:
    run = simulate(
        [(0.1, "reader", 0)], {**CHAIN, "protocol.propagation": {"kind": "on_path"}}, codecs={"tiny": Tiny(n_slice=2)}
    )
    assert [e.slice for e in run.stores("insert") if e.node == "reader"] == ["tiny/decoder0", "tiny/decoder1"]
    assert [row.outcome for row in run.requests()] == ["satisfied"]


def test_a_deadline_ends_the_wish_but_not_the_fetch() -> None:
    run = wished([(0.1, "reader", 0)], {"kind": "on_path"}, **{"sources.shapes.wish.deadline_s": 0.03})
    (row,) = run.requests()
    assert (row.outcome, row.ended_s) == ("timeout", 0.1 + 0.03)
    assert [e.node for e in run.stores("insert")] == ["near", "reader"]
