"""Wires: first in, first out per direction, full duplex; what the run's end cuts."""

from __future__ import annotations

import pytest

from simnet.core.tables import TransferRow
from simnet.net.clock import Clock
from simnet.net.wired import WiredLink, cut_off
from simnet.scenario.schema import Wire
from tests.support.links import Sent, send_all


def wire(**settings: float) -> WiredLink:
    spec = Wire.model_validate({"rate_bit_per_s": 8000.0, **settings})
    return WiredLink("wire", "wire", ("a", "b"), spec, 0.25)


def sent_over(link: WiredLink, payloads: list[Sent]) -> list[TransferRow]:
    return send_all(Clock(), link, payloads)


def test_one_after_the_other_in_one_direction_and_both_directions_at_once() -> None:
    link = wire(delay_s=0.5, joule_per_bit=0.001)
    rows = sent_over(link, [Sent(0.0, "a", 1000), Sent(0.1, "a", 500), Sent(0.2, "b", 100)])
    assert [row.ended_s for row in rows] == pytest.approx([1.75, 2.25, 1.05])
    assert [row.queue_s for row in rows] == pytest.approx([0.0, 0.9, 0.0])
    assert all(row.propagation_s == 0.75 for row in rows)
    assert [row.tx_j for row in rows] == pytest.approx([8.0, 4.0, 0.8])
    assert all(row.delivered_byte == row.first_byte == row.payload_byte for row in rows)
    for row in rows:
        assert row.ended_s is not None
        assert row.ended_s - row.queued_s == pytest.approx(row.queue_s + row.air_s + row.propagation_s)


def test_the_run_s_end_leaves_the_begun_in_flight_and_the_waiting_unsent() -> None:
    link = wire(joule_per_bit=0.001)
    way = link.ways["a"]
    begins_s = [way.enter(1000, 0.0)[0] for _ in range(2)]
    begun, waiting = (way.row("arm", i, (i, "code", "test", 1000), 0.0) for i in range(2))
    for row, begin_s in zip((begun, waiting), begins_s, strict=True):
        cut_off(row, way, begin_s, 0.5)
    assert (begun.first_byte, begun.in_flight_byte, begun.delivered_byte, begun.tx_j) == (1000, 1000, 0, 8.0)
    assert (waiting.first_byte, waiting.in_flight_byte, waiting.started_s) == (0, 0, None)
    assert (waiting.queue_s, waiting.air_s, waiting.tx_j) == (0.5, 0.0, 0.0)
    assert begun.outcome == waiting.outcome == "in_flight" and begun.ended_s is waiting.ended_s is None


def test_two_channels_serve_two_at_a_time_first_come_first_served() -> None:
    link = wire(channels=2)
    rows = sent_over(link, [Sent(0.0, "a", 1000), Sent(0.1, "a", 500), Sent(0.2, "a", 100), Sent(0.3, "a", 9)])
    assert [row.started_s for row in rows] == pytest.approx([0.0, 0.1, 0.6, 0.7])
    assert [row.queue_s for row in rows] == pytest.approx([0.0, 0.0, 0.4, 0.4])


def test_a_full_queue_refuses_and_what_has_begun_leaves_it() -> None:
    link = wire(queue_limit=1)
    sent = [
        Sent(0.0, "a", 1000),
        Sent(0.1, "a", 1000),
        Sent(0.2, "a", 1000),
        Sent(0.3, "b", 1000),
        Sent(1.1, "a", 1000),
    ]
    rows = sent_over(link, sent)
    assert [row.outcome for row in rows] == ["delivered", "delivered", "lost", "delivered", "delivered"]
    refused = rows[2]
    assert (refused.started_s, refused.first_byte, refused.lost_byte) == (None, 0, 0)
    assert [row.queue_s for row in rows] == pytest.approx([0.0, 0.9, 0.0, 0.0, 0.9])


def test_a_limit_of_0_is_a_loss_system() -> None:
    link = wire(queue_limit=0, channels=2)
    rows = sent_over(link, [Sent(0.1 * i, "a", 1000) for i in range(12)])
    assert [row.outcome for row in rows].count("lost") == 8
    assert all(row.queue_s == 0.0 for row in rows)
