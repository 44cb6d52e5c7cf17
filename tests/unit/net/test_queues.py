"""Who gets a carrier's next grant: each discipline by itself, and in a carrier."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import pytest

from simnet.net.queues import SCHEDULERS, Queue
from tests.support.tiny import Tiny
from tests.support.world import Run, node, radio_link, simulate


@dataclass(frozen=True)
class Job:
    name: str
    flow: str = "f"
    urgency: int = 0
    order: int = 0


def drain(queue: Queue[Job]) -> list[str]:
    return [queue.pop().name for _ in range(len(queue))]


def test_fifo_serves_in_order_and_one_to_its_end() -> None:
    queue: Queue[Job] = SCHEDULERS["fifo"]()
    for name in "abc":
        queue.push(Job(name))
    first = queue.pop()
    queue.push(Job("d"))
    queue.push_again(first)
    assert drain(queue) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("scheduler", ["fifo", "round_robin", "priority"])
def test_who_comes_back_takes_its_old_place(scheduler: str) -> None:
    """Three of one flow: the first two have stayed away for a while, and come back while others wait."""
    queue: Queue[Job] = SCHEDULERS[scheduler]()
    first, second = Job("a", order=1), Job("b", order=2)
    queue.push(Job("d", order=4))
    for job in (first, second):
        queue.rejoin(job)
    queue.push(Job("e", order=5))
    queue.rejoin(Job("c", order=3))
    assert drain(queue) == ["a", "b", "c", "d", "e"]


def test_round_robin_gives_each_flow_a_turn_and_keeps_order_within_one() -> None:
    queue: Queue[Job] = SCHEDULERS["round_robin"]()
    for name, flow in (("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b"), ("c1", "c"), ("c2", "c")):
        queue.push(Job(name, flow))
    assert len(queue) == 6
    assert drain(queue) == ["a1", "b1", "c1", "a2", "c2", "a3"]


def test_round_robin_resumes_an_unfinished_transfer_at_its_flow_s_next_turn() -> None:
    queue: Queue[Job] = SCHEDULERS["round_robin"]()
    for name, flow in (("a1", "a"), ("a2", "a"), ("b1", "b")):
        queue.push(Job(name, flow))
    burst = queue.pop()
    queue.push(Job("c1", "c"))
    queue.push_again(burst)
    assert drain(queue) == ["b1", "c1", "a1", "a2"]  # c came during a's turn


def test_priority_serves_the_most_urgent_and_of_equals_the_first() -> None:
    queue: Queue[Job] = SCHEDULERS["priority"]()
    jobs = [Job("m", urgency=3, order=1), Job("c2", urgency=1, order=4), Job("c1", urgency=1, order=2)]
    for job in jobs:
        queue.push(job)
    queue.push_again(Job("r", urgency=0, order=9))
    assert drain(queue) == ["r", "c1", "c2", "m"]


def two_readers(scheduler: str) -> Run:
    """Reader 0 fetches a decoder of over 30 codewords, one a burst; reader 1 asks meanwhile for what it can decode."""
    changes = {
        "topology.nodes": [node("camera", "gateway"), node("reader-0", "device"), node("reader-1", "device")],
        "topology.links": [radio_link("reader-0", "camera"), radio_link("reader-1", "camera")],
        "radios.radio.scheduler": scheduler,
        "radios.radio.max_burst_s": 0.0116,
        "sources.shapes.wish.deadline_s": 100.0,
    }

    def second_has_it(arm: object) -> None:
        network = arm.network  # type: ignore[attr-defined]
        network.provision(network.nodes["reader-1"], arm.decoders.values())  # type: ignore[attr-defined]

    wishes = [(0.0, "reader-0", 0), (0.1, "reader-1", 1)]
    return simulate(wishes, changes, codecs={"tiny": Tiny(decoder_byte=5600)}, before=second_has_it)


@pytest.mark.parametrize(
    ("scheduler", "waits_for_it_all"), [("fifo", True), ("round_robin", False), ("priority", False)]
)
def test_a_large_decoder_blocks_codes_only_under_fifo(scheduler: str, waits_for_it_all: bool) -> None:
    run = two_readers(scheduler)
    decoder = run.transfers("SliceData")[0]
    assert decoder.burst_count == math.ceil(decoder.payload_byte / 141) > 30
    (code,) = [row for row in run.transfers("Code") if row.receiver == "reader-1"]
    assert code.ended_s is not None and decoder.ended_s is not None
    assert (code.ended_s > decoder.ended_s) == waits_for_it_all
    if not waits_for_it_all:
        request = next(row for row in run.transfers("Request") if row.sender == "reader-1")
        assert request.queue_s <= 0.01152  # the rest of one burst
        assert code.queue_s <= 2 * 0.01152


def test_the_carrier_never_serves_two_at_once() -> None:
    """Half-duplex: every burst up or down is alone; so busy time never exceeds the time that has passed."""
    for scheduler in SCHEDULERS:
        rows = two_readers(scheduler).transfers()
        assert {row.sender for row in rows} == {"camera", "reader-0", "reader-1"}
        whole = [row for row in rows if row.burst_count == 1]
        spans = sorted((row.started_s or 0.0, (row.started_s or 0.0) + row.air_s) for row in whole)
        assert all(a[1] <= b[0] + 1e-12 for a, b in itertools.pairwise(spans))
        last_s = max(row.ended_s or 0.0 for row in rows)
        first_s = min(row.started_s or 0.0 for row in rows)
        assert sum(row.air_s for row in rows) <= last_s - first_s + 1e-9
