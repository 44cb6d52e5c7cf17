"""Draws are named: arms see one channel, and a further node changes nobody else's rows."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from simnet.net.air import TableAir
from simnet.phy.tables.bler import Lookup
from tests.support.tiny import Tiny
from tests.support.world import Run, node, radio_link, simulate, wire

FADING = {
    "radios.radio.fading": "rayleigh",
    "radios.radio.coherence_time_s": 0.1,
    "radios.radio.max_burst_s": 0.05,
    "radios.radio.fidelity": "table",
    "radios.radio.mcs": "QPSK 1/2",
}


def lookup(self: TableAir, block_format: Any, esno: float) -> Lookup:
    return Lookup(0.1 if esno > 1e4 else 0.6, "measured")


def test_arms_see_equal_gains_at_equal_times(monkeypatch: Any) -> None:
    monkeypatch.setattr(TableAir, "lookup", lookup)
    arms = {"fetch": {}, "preload": {"propagation": {"kind": "preload"}}}
    wishes = [(0.37 * i, "reader", i % 8) for i in range(20)]
    run = simulate(wishes, {**FADING, "arms": arms})
    by_interval: dict[str, dict[int, float]] = {"fetch": {}, "preload": {}}
    for arm, gains in by_interval.items():
        for row in run.transfers(arm=arm):
            assert row.started_s is not None and row.gain_abs2 is not None
            interval = int(row.started_s / 0.1)
            assert gains.setdefault(interval, row.gain_abs2) == row.gain_abs2
    common = by_interval["fetch"].keys() & by_interval["preload"].keys()
    assert len(common) >= 20
    assert all(by_interval["fetch"][i] == by_interval["preload"][i] for i in common)
    requests = [[(t.started_s, t.attempt_count) for t in run.transfers("Request", arm)] for arm in by_interval]
    assert requests[0][0] == requests[1][0]  # the same payload at the same time meets the same fate


def cells(n_cell: int, n_request: int) -> Run:
    """Reader 1 asks for the items of its own mast, all others for those of mast 0."""
    nodes = [node("cloud", "cloud")]
    links = []
    for i in range(n_cell):
        nodes += [node(f"mast-{i}", "gateway"), node(f"reader-{i}", "device")]
        links += [wire(f"mast-{i}", "cloud"), radio_link(f"reader-{i}", f"mast-{i}", path_loss_db=100.0 + i)]
    wishes = sorted(
        (0.05 + 0.3 * k + 0.01 * i, f"reader-{i}", 2 * (k % 4) + (i == 1))
        for k in range(n_request)
        for i in range(n_cell)
    )
    changes = {
        **FADING,
        "duration_s": 100.0,
        "topology.nodes": nodes,
        "topology.links": links,
        "sources.shapes.owners": "gateway",
        "protocol.propagation": {"kind": "nearest_copy"},
        "protocol.store": {"ttl_s": 5.0},
        "tiers": {"device": {"store_byte": 1000}},
    }
    return simulate(wishes, changes, codecs={"tiny": Tiny()}, owners=["mast-0", "mast-1"] * 4)


SERIAL = {"request_id", "transfer_id"}
"""Columns that number rows across all nodes."""


def rows_of(run: Run, consumer: str) -> list[dict[str, Any]]:
    requests = [row for row in run.requests() if row.consumer == consumer]
    ids = {row.request_id for row in requests}
    kept: list[Any] = [*requests, *(t for t in run.transfers() if t.request_id in ids)]
    kept += [row for row in run.stores() if row.node == consumer]
    return [{k: v for k, v in asdict(row).items() if k not in SERIAL} for row in kept]


def test_a_further_device_changes_no_other_device_s_rows(monkeypatch: Any) -> None:
    """Even with so many requests before them that their numbers take a byte more."""
    monkeypatch.setattr(TableAir, "lookup", lookup)
    few, many = cells(2, 150), cells(4, 150)
    assert len(many.requests()) == 2 * len(few.requests()) == 600
    rows = rows_of(few, "reader-1")
    assert len(rows) > 500
    assert {row.get("outcome") for row in rows} >= {"satisfied", "delivered"}
    assert rows == rows_of(many, "reader-1")


def test_requests_take_the_same_bytes_wherever_they_stand_in_the_run() -> None:
    run = cells(4, 40)
    sizes = {row.payload_byte for row in run.transfers("Code")}
    assert len(sizes) == 1
