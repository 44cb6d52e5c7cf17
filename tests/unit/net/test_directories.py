"""Who knows where copies are, and what it costs to find out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from simnet.net.arm import Arm
from simnet.net.errors import LinkFailed
from simnet.net.network import Network
from simnet.net.payload import Payload
from tests.support.tiny import Tiny
from tests.support.world import Run, node, radio_link, simulate, wire

NODES = [
    node("cloud", "cloud"),
    node("camera", "edge"),
    node("mast", "gateway"),
    node("near", "device"),
    node("reader", "device"),
]
LINKS = [
    wire("cloud", "camera", delay_s=0.1),
    wire("camera", "mast", delay_s=0.5),
    radio_link("near", "mast"),
    radio_link("reader", "mast"),
]

SHORT_LIVED: dict[str, Any] = {"protocol.store": {"ttl_s": 2.0}}
WORLD: dict[str, Any] = {
    "topology.nodes": NODES,
    "topology.links": LINKS,
    "tiers": {"device": {"store_byte": 1000}},
    "sources.shapes.owners": "edge",
    "sources.shapes.wish.deadline_s": 20.0,
    "protocol.propagation": {"kind": "nearest_copy"},
}


def fetch_twice(directory: str, *, before: Callable[[Arm], None] = lambda arm: None, **changes: Any) -> Run:
    """``near`` fetches at 0 s, ``reader`` at 5 s; the mast between them is half a second from the owner."""
    world = {**WORLD, "protocol.directory": directory, **changes}
    return simulate([(0.0, "near", 0), (5.0, "reader", 0)], world, before=before)


def payloads(run: Run, request_id: int, label: str = "") -> list[tuple[str, str, str]]:
    rows = [row for row in run.transfers(label) if row.request_id == request_id]
    return [(row.payload.split()[0], row.sender, row.receiver) for row in rows]


def test_the_oracle_knows_the_nearest_for_free() -> None:
    run = fetch_twice("oracle")
    assert payloads(run, 1, "SliceRequest") == [("SliceRequest", "reader", "mast"), ("SliceRequest", "mast", "near")]
    assert payloads(run, 1, "SliceData") == [("SliceData", "near", "mast"), ("SliceData", "mast", "reader")]
    assert payloads(run, 1, "Find") == []
    assert len(payloads(run, 1, "SliceRef")) == 2  # owner to mast to reader


def test_the_oracle_survives_a_copy_that_expires_as_it_is_asked() -> None:
    run = fetch_twice("oracle", **SHORT_LIVED)
    assert payloads(run, 1, "SliceData")[0][1] == "camera"
    assert run.requests()[1].outcome == "satisfied"


def test_the_registry_is_told_and_asked_by_messages() -> None:
    run = fetch_twice("registry")
    published = run.transfers("Publish")
    assert [row.request_id for row in published] == [-1] * 6  # on three links each, for no request
    assert [(row.sender, row.receiver) for row in published][:3] == [
        ("near", "mast"), ("mast", "camera"), ("camera", "cloud"),
    ]  # fmt: skip
    find = payloads(run, 1, "Find")
    assert find == [("Find", "reader", "mast"), ("Find", "mast", "camera"), ("Find", "camera", "cloud")]
    assert payloads(run, 1, "Found")[0][1] == "cloud"
    assert payloads(run, 1, "SliceData")[0][1] == "near"
    row = run.requests()[1]
    end_to_end = {
        t.payload: t.payload_byte for t in run.transfers() if t.request_id == 1 and t.payload_class == "control"
    }
    assert row.control_byte == sum(end_to_end.values())


def test_the_registry_s_stale_entry_costs_a_nack_and_then_the_owner_is_asked() -> None:
    run = fetch_twice("registry", **SHORT_LIVED)
    kinds = [kind for kind, *_ in payloads(run, 1)]
    assert "Nack" in kinds
    assert payloads(run, 1, "Nack")[0] == ("Nack", "near", "mast")
    assert payloads(run, 1, "SliceData")[0][1] == "camera"
    assert run.requests()[1].outcome == "satisfied"


def test_a_node_takes_back_what_it_lost_when_it_next_publishes() -> None:
    """``near`` fetches decoder a, loses it after 2 s, fetches b at 5 s; ``reader`` then looks for a."""
    codecs = {"a": Tiny(name="a"), "b": Tiny(name="b")}

    def one_codec_each(arm: Arm) -> None:
        by_owner = {"camera": [arm.plane.codecs["a"]], "cloud": [arm.plane.codecs["b"]]}
        arm.encodable_with = lambda owner, source_type: by_owner[owner.name]  # type: ignore[method-assign]

    changes = {**WORLD, "protocol.directory": "registry", "protocol.store": {"ttl_s": 2.0}}
    changes["protocol.codecs"] = {"shapes": ["a", "b"]}
    wishes = [(0.0, "near", 0), (5.0, "near", 1), (8.0, "reader", 0)]
    run = simulate(wishes, changes, codecs=codecs, owners=["camera", "cloud"], before=one_codec_each)
    assert [row.outcome for row in run.requests()] == ["satisfied"] * 3
    assert run.transfers("Nack") == []  # nobody is sent to near for a
    first, second = (row.payload_byte for row in run.transfers("Publish") if row.sender == "near")
    assert second == first + 16  # the id that it takes back


def test_what_was_lost_is_said_again_if_the_news_was_lost_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """``near`` loses a, fetches b, and its PUBLISH fails; when it then fetches c it takes back a, and b too."""
    codecs, send_along = {name: Tiny(name=name) for name in "abc"}, Network.send_along

    def losing(self: Network, links: Any, payload: Payload, *others: Any, **more: Any) -> Any:
        if payload.label.startswith("Publish b"):
            raise LinkFailed("the news")
        return (yield from send_along(self, links, payload, *others, **more))

    def one_codec_each(arm: Arm) -> None:
        by_owner = dict(zip(("camera", "cloud", "mast"), ([arm.plane.codecs[name]] for name in "abc"), strict=True))
        arm.encodable_with = lambda owner, source_type: by_owner[owner.name]  # type: ignore[method-assign]

    monkeypatch.setattr(Network, "send_along", losing)
    changes = {**WORLD, "protocol.directory": "registry", "protocol.store": {"ttl_s": 2.0}, "duration_s": 20.0}
    changes["protocol.codecs"] = {"shapes": list(codecs)}
    wishes = [(0.0, "near", 0), (3.0, "near", 1), (7.0, "near", 2), (9.0, "reader", 0)]
    owners = ["camera", "cloud", "mast"]
    run = simulate(wishes, changes, codecs=codecs, owners=owners, before=one_codec_each)
    assert [row.outcome for row in run.requests()] == ["satisfied"] * 4
    first, last = (row.payload_byte for row in run.transfers("Publish") if row.sender == "near")
    assert last == first + 2 * 16
    assert run.transfers("Nack") == []  # nobody is sent to near for a


def test_who_keeps_the_registry_asks_itself_for_nothing() -> None:
    world = {
        "topology.nodes": [node("reader", "device"), node("camera", "gateway")],
        "protocol.directory": "registry", "protocol.propagation": {"kind": "nearest_copy"},
    }  # fmt: skip
    run = simulate([(0.0, "reader", 0)], world)
    (row,) = run.requests()
    sent = sum(transfer.payload_byte for transfer in run.transfers() if transfer.request_id == 0)
    assert row.outcome == "satisfied"
    assert row.control_byte + row.code_byte + row.model_byte == sent


def test_a_flood_asks_ring_by_ring_and_its_bytes_count_once_per_hop() -> None:
    run = fetch_twice("flood")
    first, second = run.requests()
    asked = payloads(run, 0, "Find")
    assert sorted(asked) == [("Find", "mast", "camera"), ("Find", "mast", "reader"), ("Find", "near", "mast")]
    assert payloads(run, 0, "Found") == [("Found", "camera", "mast"), ("Found", "mast", "near")]
    again = payloads(run, 1, "Find")
    assert sorted(again) == [("Find", "mast", "camera"), ("Find", "mast", "near"), ("Find", "reader", "mast")]
    assert {holder for kind, holder, _ in payloads(run, 1, "Found")} == {"camera", "near", "mast"}  # both answer
    assert payloads(run, 1, "SliceData")[0][1] == "near"
    find_byte = run.transfers("Find")[0].payload_byte
    control = {"Request", "SliceRequest", "SliceRef"}
    others = {
        t.payload: t.payload_byte for t in run.transfers() if t.request_id == 0 and t.payload.split()[0] in control
    }
    found_byte = run.transfers("Found")[0].payload_byte
    assert first.control_byte == 3 * find_byte + found_byte + sum(others.values())
    assert second.outcome == "satisfied"


def test_a_flood_that_finds_nothing_asks_the_owner() -> None:
    def hide(arm: Arm) -> None:
        arm.network.nodes["camera"].offers = lambda slice_id: False  # type: ignore[method-assign]

    run = fetch_twice("flood", before=hide, **{"protocol.repositories": []})
    assert run.requests()[0].outcome == "no_decoder"  # the owner has nothing to give, and says so
    assert {receiver for _, _, receiver in payloads(run, 0, "Find")} == {"mast", "camera", "reader", "cloud"}


@pytest.mark.parametrize("directory", ["oracle", "registry", "flood"])
def test_all_directories_end_alike_where_nothing_was_lost(directory: str) -> None:
    run = fetch_twice(directory)
    assert [row.outcome for row in run.requests()] == ["satisfied"] * 2
    assert [row.node for row in run.stores("insert")] == ["near", "reader"]
