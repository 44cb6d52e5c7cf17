"""Slices on their way: coalesced, pinned, evicted in between, expired, larger than the store, spliced on the path."""

from __future__ import annotations

from typing import Any

import pytest

from simnet.net import image_exchange
from simnet.net.arm import Arm
from simnet.net.errors import LinkFailed
from simnet.net.fetch import Fetch
from simnet.net.propagation.with_code import WithCode
from simnet.wire.errors import EncodeError
from simnet.wire.messages import MAX_SHORT_IDS, Request, decode_message, encode_message
from tests.support.tiny import Tiny
from tests.support.world import Run, node, radio_link, simulate, wire


def sent(run: Run, label: str = "SliceData") -> list[tuple[str, str]]:
    return [(row.sender, row.receiver) for row in run.transfers(label)]


@pytest.mark.parametrize("propagation", ["with_code", "nearest_copy", "on_path"])
def test_two_requests_at_one_instant_fetch_once(propagation: str) -> None:
    run = simulate([(0.0, "reader", 0), (0.0, "reader", 1)], {"protocol.propagation": {"kind": propagation}})
    assert sent(run) == [("camera", "reader")]
    assert [row.outcome for row in run.requests()] == ["satisfied", "satisfied"]
    assert [row.slices_missed for row in run.requests()] == [1, 1]  # both waited for it
    assert [row.model_byte for row in run.requests()] == [430, 0]  # the first one paid


def test_a_fetch_that_fails_fails_for_all_who_wait_and_the_next_request_tries_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    brought = WithCode.bring
    tries = []

    def fail_once(self: WithCode, fetch: Fetch) -> Any:
        tries.append(fetch.exchange.clock.now)
        if len(tries) > 1:
            return (yield from brought(self, fetch))
        yield fetch.exchange.clock.timeout(0.02)
        raise LinkFailed("test")

    monkeypatch.setattr(WithCode, "bring", fail_once)
    run = simulate([(0.0, "reader", 0), (0.0, "reader", 1), (1.0, "reader", 2)])
    assert [row.outcome for row in run.requests()] == ["link_failed", "link_failed", "satisfied"]
    assert len(tries) == 2 and tries[1] > 1.0
    assert run.arm.network.nodes["reader"].fetches == {}


def test_nobody_can_know_that_a_decoder_expires_on_the_code_s_way() -> None:
    preload = {"protocol.propagation": {"kind": "preload"}, "protocol.store": {"ttl_s": 0.5}}
    run = simulate([(0.1, "reader", 0), (0.4999, "reader", 1), (1.0, "reader", 2)], preload)
    assert [row.outcome for row in run.requests()] == ["satisfied", "no_decoder", "no_decoder"]
    assert [row.code_byte > 0 for row in run.requests()] == [True, True, False]


def test_a_slice_larger_than_the_store_is_used_once() -> None:
    run = simulate([(0.0, "reader", 0), (1.0, "reader", 1)], {"tiers.device.store_byte": 100})
    assert [row.outcome for row in run.requests()] == ["satisfied"] * 2
    assert len(sent(run)) == 2
    assert [row.event for row in run.stores() if row.node == "reader"] == ["miss", "reject", "miss", "reject"]
    assert run.nodes()["reader"].stored == ""


def test_ttl_from_fetch_and_renewed() -> None:
    times = [(float(t), "reader", 0) for t in (0, 2, 4, 6)]
    fetched = simulate(times, {"protocol.store": {"ttl_s": 3.0}})
    assert [row.slices_missed for row in fetched.requests()] == [1, 0, 1, 0]
    (expired, _) = fetched.stores("expire")
    assert expired.time_s == pytest.approx(3.0 + 0.0432)  # counted from its arrival
    renewed = simulate(times, {"protocol.store": {"ttl_s": 3.0, "ttl_from": "renewed_on_use"}})
    assert [row.slices_missed for row in renewed.requests()] == [1, 0, 0, 0]


def two_decoders(**changes: Any) -> Run:
    """One store that holds one of two decoders; the item decides by which codec it comes."""
    codecs = {"a": Tiny(name="a", decoder_byte=400), "b": Tiny(name="b", decoder_byte=450, code_byte=30)}
    base = {"protocol.codecs": {"shapes": ["a", "b"]}, "tiers.device.store_byte": 500}
    return simulate([(0.0, "reader", 0)], {**base, **changes}, codecs=codecs)


def test_the_planner_takes_the_cheapest_and_spreads_a_slice_over_its_uses() -> None:
    assert two_decoders().requests()[0].codec == "a"  # 40 + 420 bytes
    spread = two_decoders(**{"protocol.planner": {"expected_uses": 100.0}})
    assert spread.requests()[0].codec == "b"  # 30 + 4.7 bytes


def test_what_was_lost_between_request_and_code_is_asked_for_again() -> None:
    """At 3.001 s the REQUEST names the decoder; at 3.0432 s it expires, while the owner still encodes."""
    changes = {"protocol.store": {"ttl_s": 3.0}, "tiers.gateway": {"compute_flop_per_s": 1e6}}
    run = simulate([(0.0, "reader", 0), (3.001, "reader", 1)], changes, codecs={"tiny": Tiny(encode_flop=100_000)})
    late = run.requests()[1]
    assert late.outcome == "satisfied" and late.slices_missed == 1
    assert late.model_fetch_s == pytest.approx(0.00288 + 0.03744)  # SLICE_REQUEST of up to 33 bytes, the decoder
    assert [row.payload for row in run.transfers() if row.request_id == 1] == [
        "Request",
        "Code tiny",
        "SliceRequest tiny/decoder0",
        "SliceData tiny/decoder0",
    ]


def test_a_slice_in_use_is_pinned_until_it_has_been_used() -> None:
    """Decoder a is in use until 1.05 s; b, which comes at 0.25 s, finds no room and is used once; later it has room."""
    codecs = {"a": Tiny(name="a", decode_flop=1_000_000), "b": Tiny(name="b")}
    changes = {
        "topology.nodes": [node("cam-a", "gateway"), node("reader", "device"), node("cam-b", "gateway")],
        "topology.links": [radio_link("reader", "cam-a"), wire("cam-a", "cam-b")],
        "protocol.codecs": {"shapes": ["a", "b"]},
        "tiers.device": {"store_byte": 500, "compute_flop_per_s": 1e6},
    }

    def one_codec_each(arm: Arm) -> None:
        by_owner = {"cam-a": [arm.plane.codecs["a"]], "cam-b": [arm.plane.codecs["b"]]}
        arm.encodable_with = lambda owner, source_type: by_owner[owner.name]  # type: ignore[method-assign]

    wishes = [(0.0, "reader", 0), (0.2, "reader", 1), (3.0, "reader", 1)]
    run = simulate(wishes, changes, codecs=codecs, owners=["cam-a", "cam-b"], before=one_codec_each)
    assert [row.outcome for row in run.requests()] == ["satisfied"] * 3
    events = [(row.event, row.slice[0]) for row in run.stores() if row.node == "reader"]
    assert events == [
        ("miss", "a"), ("insert", "a"), ("miss", "b"), ("reject", "b"), ("miss", "b"), ("evict", "a"), ("insert", "b"),
    ]  # fmt: skip


def test_slices_come_after_those_that_they_require_and_go_with_them() -> None:
    run = simulate([(0.0, "reader", 0), (1.0, "reader", 1)], codecs={"tiny": Tiny(n_slice=3)})
    assert [row.slice for row in run.stores("insert")] == [f"tiny/decoder{i}" for i in range(3)]
    assert [row.slices_missed for row in run.requests()] == [3, 0]
    room_for_two = simulate([(0.0, "reader", 0)], {"tiers.device.store_byte": 900}, codecs={"tiny": Tiny(n_slice=3)})
    assert room_for_two.requests()[0].outcome == "satisfied"
    assert [row.slice for row in room_for_two.stores("reject")] == ["tiny/decoder2"]  # the others are pinned


CHAIN = {
    "topology.nodes": [
        node("camera", "gateway"),
        node("hub", "edge"),
        node("mast", "gateway"),
        node("reader", "device"),
        node("other", "device"),
    ],
    "topology.links": [
        wire("camera", "hub"),
        wire("hub", "mast"),
        radio_link("reader", "mast"),
        radio_link("other", "mast"),
    ],
    "tiers": {"device": {"store_byte": 1000}, "gateway": {"store_byte": 1000}, "edge": {"store_byte": 1000}},
}
TWO = [(0.0, "reader", 0), (1.0, "other", 0)]


def test_on_path_leaves_copies_everywhere_and_the_nearest_splices() -> None:
    run = simulate(TWO, {**CHAIN, "protocol.propagation": {"kind": "on_path", "probability": 1.0}})
    assert [(row.node, row.time_s < 1) for row in run.stores("insert")] == [
        ("hub", True),
        ("mast", True),
        ("reader", True),
        ("other", False),
    ]
    assert sent(run) == [("camera", "hub"), ("hub", "mast"), ("mast", "reader"), ("mast", "other")]
    second = [row.payload_byte for row in run.transfers("Request")[3:]]
    assert second[1] == second[0] + 8 == second[2]  # the mast adds one hash, the hub knows no more
    row = run.requests()[1]
    assert row.control_byte == second[-1] and row.link_byte > second[0] + 2 * second[1]


def test_on_path_with_probability_0_keeps_nothing() -> None:
    run = simulate(TWO, {**CHAIN, "protocol.propagation": {"kind": "on_path", "probability": 0.0}})
    assert {row.node for row in run.stores("insert")} == {"reader", "other"}
    assert len(sent(run)) == 6


def test_on_path_between_keeps_some() -> None:
    readers = [f"reader-{i}" for i in range(30)]
    nodes = [
        node("camera", "edge"),
        *(node(f"mast-{i}", "gateway") for i in range(30)),
        *(node(r, "device") for r in readers),
    ]
    links = [wire("camera", f"mast-{i}") for i in range(30)] + [
        radio_link(r, f"mast-{i}") for i, r in enumerate(readers)
    ]
    changes = {
        "topology.nodes": nodes,
        "topology.links": links,
        "tiers": {"gateway": {"store_byte": 1000}},
        "sources.shapes.owners": "edge",
        "protocol.propagation": {"kind": "on_path", "probability": 0.5},
    }
    run = simulate([(0.0, r, 0) for r in readers], changes)
    kept = sum(row.node.startswith("mast") for row in run.stores("insert"))
    assert abs(kept - 15) < 4 * (30 * 0.25) ** 0.5


@pytest.mark.parametrize("propagation", ["with_code", "on_path"])
def test_a_request_names_no_more_than_a_message_holds(propagation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of three slices that the consumer holds a message of two names the last; it has the first all the same."""
    changes = {"protocol.propagation": {"kind": propagation}, "duration_s": 20.0}
    codecs, wishes = {"tiny": Tiny(n_slice=3)}, [(0.0, "reader", 0), (10.0, "reader", 1)]
    whole: list[tuple[str, int]] = []
    cut: list[tuple[str, int]] = []
    for rows, limit in ((whole, image_exchange.MAX_SHORT_IDS), (cut, 2)):
        monkeypatch.setattr(image_exchange, "MAX_SHORT_IDS", limit)
        run = simulate(wishes, changes, codecs=codecs)
        assert [row.outcome for row in run.requests()] == ["satisfied"] * 2
        rows += [(t.payload, t.payload_byte) for t in run.transfers() if t.request_id == 1]
    assert [name for name, _ in whole] == [name for name, _ in cut] == ["Request", "Code tiny"]
    assert whole[0][1] - cut[0][1] == 8


def test_a_message_names_as_many_as_it_says() -> None:
    held = tuple(index.to_bytes(8, "big") for index in range(MAX_SHORT_IDS + 1))
    assert decode_message(encode_message(Request(0, 0, "decoder", 0.9, 8.0, held[1:]))).held == held[1:]  # type: ignore[union-attr]
    with pytest.raises(EncodeError, match="held"):
        encode_message(Request(0, 0, "decoder", 0.9, 8.0, held))
