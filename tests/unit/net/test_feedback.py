"""How the protocol learns that SS fell short, and what it does then."""

from __future__ import annotations

from typing import Any

import pytest

from simnet.net.air import TableAir
from simnet.net.errors import LinkFailed
from simnet.net.network import Network
from simnet.phy.tables.bler import Lookup
from tests.support.tiny import Tiny
from tests.support.world import Run, simulate

POOR = {"name": "poor", "n_slice": 0, "code_byte": 20, "quality": 0.5, "encode_flop": 10**6, "decode_flop": 2 * 10**6}
GOOD = {"name": "good", "n_slice": 0, "code_byte": 40, "encode_flop": 3 * 10**6, "decode_flop": 10**6}


def ask_for(n_item: int, feedback: str, **changes: Any) -> Run:
    """Items 0, 1 … of which ``poor`` ruins about half. The wish is one that the planner expects of ``poor``."""
    base = {
        "protocol.codecs": {"shapes": ["poor", "good"]},
        "protocol.ss_feedback": feedback,
        "protocol.wish_ss": 0.5,
        "protocol.propagation": {"kind": "none"},
    }
    codecs = {"poor": Tiny(**POOR), "good": Tiny(**GOOD)}
    wishes = [(float(i), "reader", i) for i in range(n_item)]
    return simulate(wishes, {**base, **changes}, codecs=codecs, owners=["camera"] * n_item)


def ruined(run: Run) -> set[int]:
    """Items that arrive grey by codec ``poor``: SS of about a quarter."""
    return {row.item_id for row in run.deliveries() if row.codec == "poor" and row.ss is not None and row.ss < 0.5}


def test_none_takes_what_comes() -> None:
    run = ask_for(8, "none")
    bad = ruined(run)
    assert 0 < len(bad) < 8
    assert {row.request_id for row in run.requests() if row.outcome == "below_wish"} == bad
    assert {row.attempts for row in run.requests()} == {1}


@pytest.mark.parametrize("feedback", ["oracle", "confidence"])
def test_the_consumer_asks_for_more_where_the_first_code_fell_short(feedback: str) -> None:
    run, bad = ask_for(8, feedback), ruined(ask_for(8, "none"))
    assert [row.outcome for row in run.requests()] == ["satisfied"] * 8
    for row in run.requests():
        again = row.request_id in bad
        labels = [t.payload for t in run.transfers() if t.request_id == row.request_id]
        assert labels == ["Request", "Code poor"] + (["Enhance", "Code good"] if again else [])
        assert (row.attempts, row.codec) == ((2, "good") if again else (1, "poor"))
        assert (row.enhancement_byte > 0) == again
        classes = [t.payload_class for t in run.transfers("Code") if t.request_id == row.request_id]
        assert classes == (["code", "enhancement"] if again else ["code"])
    assert len(run.deliveries()) == 8 + len(bad)


def test_the_provider_rehearses_before_it_sends_and_pays_for_it() -> None:
    run, bad = ask_for(8, "provider"), ruined(ask_for(8, "none"))
    assert [row.outcome for row in run.requests()] == ["satisfied"] * 8
    for row in run.requests():
        good = row.request_id in bad
        labels = [t.payload for t in run.transfers() if t.request_id == row.request_id]
        assert labels == ["Request", "Code good" if good else "Code poor"]
        rehearsal = 10**6 + 2 * 10**6 + 2 * 1000  # encode, decode, judge the original and the copy
        serving = (3 * 10**6 + 10**6 if good else 2 * 10**6) + 1000  # what is encoded is not encoded twice
        assert row.compute_s == pytest.approx((rehearsal + serving) / 1e9)
    node = run.nodes()["camera"]
    assert node.flop == 8 * (3 * 10**6 + 2000) + len(bad) * 3 * 10**6


def test_a_failed_enhancement_leaves_the_delivery_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    send_along = Network.send_along

    def refuse(self: Network, links: Any, payload: Any, *args: Any, **named: Any) -> Any:
        if payload.label == "Enhance":
            yield self.clock.timeout(0.5)
            raise LinkFailed("test")
        return (yield from send_along(self, links, payload, *args, **named))

    monkeypatch.setattr(Network, "send_along", refuse)
    run = ask_for(8, "oracle")
    bad = ruined(run)
    assert {row.request_id for row in run.requests() if row.outcome == "below_wish"} == bad
    for row in run.requests():
        (delivery,) = [d for d in run.deliveries() if d.request_id == row.request_id]
        assert (row.ended_s, row.codec, row.ss) == (delivery.time_s, "poor", delivery.ss)


def test_an_enhancement_too_late_leaves_the_delivery_before_it() -> None:
    run = ask_for(8, "oracle", **{"sources.shapes.wish.deadline_s": 0.016})
    assert {row.outcome for row in run.requests()} == {"satisfied", "below_wish"}
    assert all(row.ended_s is not None and row.ended_s - row.created_s < 0.016 for row in run.requests())


def test_two_enhancement_calls_of_one_request_meet_different_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    names = []
    begin = TableAir.begin

    def record(self: Any, transfer: Any, blocks: Any, mcs: Any, gain: complex) -> Any:
        names.append((*transfer.noise_name, blocks[0].index, blocks[0].attempt))
        return begin(self, transfer, blocks, mcs, gain)

    monkeypatch.setattr(TableAir, "begin", record)
    monkeypatch.setattr(TableAir, "lookup", lambda self, block_format, esno: Lookup(0.1, "measured"))
    changes = {
        "protocol.wish_ss": 1.0,
        "radios.radio.fidelity": "table",
        "protocol.codecs": {"shapes": ["a", "b", "c"]},
    }
    codecs = {name: Tiny(name=name, n_slice=0, quality=q) for name, q in (("a", 0.2), ("b", 0.5), ("c", 1.0))}
    base = {
        "protocol.ss_feedback": "oracle",
        "protocol.propagation": {"kind": "none"},
        "protocol.planner": {"ss_margin": 1.0},
    }
    run = simulate([(float(i), "reader", i) for i in range(8)], {**base, **changes}, codecs=codecs)
    assert run.requests()
    assert len(names) == len(set(names))
