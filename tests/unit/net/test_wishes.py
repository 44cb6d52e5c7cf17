"""What consumers want: one SS for all, or one of several for each."""

from __future__ import annotations

from typing import Any

from tests.support.tiny import Tiny
from tests.support.world import Run, node, radio_link, simulate

READERS = [f"reader{i}" for i in range(12)]
COARSE = {"name": "coarse", "n_slice": 1, "code_byte": 10, "quality": 0.5}
FINE = {"name": "fine", "n_slice": 1, "code_byte": 40}


def asked_by_many(ss: Any, **changes: Any) -> Run:
    """Twelve readers, each asking twice."""
    world = {
        "topology.nodes": [node("camera", "gateway"), *(node(r, "device") for r in READERS)],
        "topology.links": [radio_link(r, "camera") for r in READERS],
        "sources.shapes.wish.ss": ss,
        "protocol.codecs": {"shapes": ["coarse", "fine"]},
    }
    requests = [(0.5 * i + 20.0 * n, reader, n) for n in (0, 1) for i, reader in enumerate(READERS)]
    codecs = {"coarse": Tiny(**COARSE), "fine": Tiny(**FINE)}
    return simulate(requests, {"duration_s": 60.0, **world, **changes}, codecs=codecs)


def test_each_consumer_wants_one_of_several_and_fetches_what_it_takes() -> None:
    run = asked_by_many([0.4, 0.9])
    wanted = {row.consumer: row.wish_ss for row in run.requests()}
    assert set(wanted.values()) == {0.4, 0.9}
    assert all(row.wish_ss == wanted[row.consumer] for row in run.requests())  # a consumer's doesn't change
    assert all((row.codec == "fine") == (row.wish_ss == 0.9) for row in run.requests())
    fetched = {(row.receiver, row.payload) for row in run.transfers("Slice")}
    assert {"fine" in payload for receiver, payload in fetched if wanted[receiver] == 0.4} == {False}


def test_who_wants_what_depends_on_the_seed_and_a_protocols_wish_stands_above_it() -> None:
    def wanted(**changes: Any) -> list[float]:
        return [row.wish_ss for row in asked_by_many([0.4, 0.6, 0.9], **changes).requests()]

    assert wanted() == wanted() != wanted(seed=2)
    assert set(wanted(**{"protocol.wish_ss": 0.5})) == {0.5}
    assert {row.wish_ss for row in asked_by_many(0.7).requests()} == {0.7}
