"""Small random networks, stores, strategies and deadlines: every run closes its accounts, each request ends one way."""

from __future__ import annotations

import math
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simnet.core.tables import Outcome
from simnet.net.air import IdealAir, TableAir
from simnet.net.carrier import Transfer
from simnet.net.clock import Clock
from simnet.net.wired import Direction
from simnet.phy.tables.bler import Lookup
from tests.support.tiny import Tiny
from tests.support.world import Json, node, radio_link, simulate, wire


@pytest.fixture(autouse=True)
def lossy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks fail at |h|² below 1/4, and unprotected ones arrive with a wrong bit there."""

    def lookup(self: TableAir, block_format: Any, esno: float) -> Lookup:
        return Lookup(0.05 if esno > 25.0 else 0.9, "measured")

    begin = IdealAir.begin

    def noisy(self: IdealAir, transfer: Transfer, blocks: Any, mcs: Any, state: complex) -> Any:
        arrived = begin(self, transfer, blocks, mcs, state)
        if abs(state) ** 2 > 0.25:
            return arrived
        return [a._replace(data=a.data and bytes([a.data[0] ^ 1]) + a.data[1:]) for a in arrived]

    monkeypatch.setattr(TableAir, "lookup", lookup)
    monkeypatch.setattr(IdealAir, "begin", noisy)


RADIOS = st.fixed_dictionaries(
    {
        "fidelity": st.just("table"),
        "mean_esno_db": st.just(20.0),
        "fading": st.sampled_from(["none", "rayleigh", "rician", "clarke"]),
        "protection": st.sampled_from(["arq", "harq"]),
        "max_burst_s": st.sampled_from([0.01, 0.03, 0.1]),
        "max_attempts": st.integers(1, 8),
        "retry_delay_s": st.sampled_from([0.0, 0.02]),
        "csi_delay_s": st.sampled_from([0.0, 0.15]),
        "scheduler": st.sampled_from(["fifo", "round_robin", "priority"]),
        "queue_limit": st.sampled_from([None, 1, 3]),
        "preamble_symbol": st.sampled_from([0, 32]),
        "turnaround_s": st.sampled_from([0.0, 0.001]),
        "bandwidth_hz": st.just(100e3),
        "mcs": st.sampled_from(["QPSK 1/2", "64-QAM 1/2"]),
    }
).map(lambda radio: radio | {"coherence_time_s": 1.0 if radio["fading"] == "clarke" else 0.1})
PROTOCOLS = st.fixed_dictionaries(
    {
        "propagation": st.one_of(
            st.sampled_from([{"kind": k} for k in ("with_code", "nearest_copy", "preload", "none")]),
            st.floats(0, 1).map(lambda p: {"kind": "on_path", "probability": p}),
        ),
        "directory": st.sampled_from(["oracle", "registry", "flood"]),
        "ss_feedback": st.sampled_from(["none", "provider", "confidence", "oracle"]),
        "wish_ss": st.sampled_from([0.3, 0.9]),
        "keep_damaged": st.booleans(),
        "deltas": st.booleans(),
        "mixed_versions": st.sampled_from(["refuse", "decode"]),
        "releases": st.sampled_from([{}, {"a2": 0.5}]),
        "retires": st.sampled_from([{}, {"a": 0.5}, {"a": 1.0}]),
        "protect": st.one_of(
            st.fixed_dictionaries(
                {"code": st.sampled_from(["none", "all"]), "model": st.sampled_from(["none", "part", "all"])}
            ),
            st.fixed_dictionaries({"model": st.just("part"), "high_bits": st.sampled_from([None, 1, 5])}),
        ),
        "repositories": st.sampled_from([[], ["cloud"], ["gateway"]]),
        "store": st.fixed_dictionaries(
            {
                "policy": st.sampled_from(["lru", "lfu", "fifo", "gdsf", "ss_aware"]),
                "ttl_s": st.sampled_from([None, 0.05, 1.0]),
                "ttl_from": st.sampled_from(["from_fetch", "renewed_on_use"]),
            }
        ),
        "planner": st.fixed_dictionaries(
            {"cost": st.sampled_from(["bytes", "airtime", "energy"]), "expected_uses": st.sampled_from([1.0, 100.0])}
        ),
    }
)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Json, list[tuple[float, str, int]]]:
    n_cell, n_reader = draw(st.integers(1, 2)), draw(st.integers(1, 3))
    masts, readers = [f"mast-{i}" for i in range(n_cell)], [f"reader-{i}" for i in range(n_reader)]
    nodes = [node("cloud", "cloud"), *(node(m, "gateway") for m in masts), *(node(r, "device") for r in readers)]
    links = [wire(m, "cloud", delay_s=0.005) for m in masts]
    links += [radio_link(r, masts[i % n_cell], delay_s=1e-6) for i, r in enumerate(readers)]
    radio = draw(RADIOS)
    if draw(st.booleans()):
        radio |= {"protection": "none", "fidelity": "ideal", "bit_error_rate": draw(st.sampled_from([None, 0.0, 0.01]))}
    store_byte = st.sampled_from([0, 500, 1000, 1000, 5000])
    protocol: Json = draw(PROTOCOLS) | {
        "codecs": {"shapes": draw(st.sampled_from([["a"], ["a", "b"], ["a", "b", "c"], ["a", "a2"], ["a2", "a", "b"]]))}
    }
    changes: Json = {
        "duration_s": draw(st.sampled_from([0.02, 0.5, 2.0])),
        "drain_s": draw(st.sampled_from([0.0, 2.0])),
        "seed": draw(st.integers(0, 9)),
        "topology": {"kind": "explicit", "nodes": nodes, "links": links},
        "radios": {"radio": radio},
        "wires": {"wire": {"rate_bit_per_s": draw(st.sampled_from([1e5, 1e9])), "joule_per_bit": 1e-9}},
        "tiers": {tier: {"store_byte": draw(store_byte), "compute_flop_per_s": 1e6} for tier in ("device", "gateway")},
        "sources.shapes.wish.deadline_s": draw(st.sampled_from([0.02, 0.2, 5.0])),
        "protocol": protocol,
    }
    times = sorted(draw(st.lists(st.floats(0, 1.9), min_size=1, max_size=8)))
    wishes = [(t, draw(st.sampled_from(readers)), draw(st.integers(0, 3))) for t in times]
    return changes, [w for w in wishes if w[0] < changes["duration_s"]]


CODECS = {
    "a": Tiny(name="a", n_slice=2, decoder_byte=300, quality=0.5, encode_flop=1000, decode_flop=5000),
    "b": Tiny(name="b", decoder_byte=900, code_byte=60, quality=0.8, decode_flop=20_000),
    "c": Tiny(name="c", n_slice=0, code_byte=200, header_byte=50),
    "a2": Tiny(name="a", n_slice=2, decoder_byte=300, quality=0.6, version=2, drift=0.1, decode_flop=5000),
}


@settings(max_examples=150)
@given(worlds())
def test_every_run_closes_its_accounts(world: tuple[Json, list[tuple[float, str, int]]]) -> None:
    changes, wishes = world
    run = simulate(wishes, changes, codecs=CODECS, owners=["mast-0"] * 4)  # raises AccountingError if not
    rows = run.requests()
    assert len(rows) == len(wishes)
    assert sum(run.accounts["main"]["outcomes"].values()) == len(wishes)
    delivered = {row.request_id for row in run.deliveries()}
    for row in rows:
        assert row.outcome in get_args(Outcome)
        assert (row.request_id in delivered) == (row.outcome in ("satisfied", "below_wish")), row
    clean = {s.id for s in run.arm.decoders.values()}
    for node_ in run.arm.network.nodes.values():
        assert node_.store.occupancy_byte <= node_.store.capacity_byte
        assert set(node_.damaged) <= clean
    if changes["radios"]["radio"].get("protection") != "none":
        assert not any(row.damaged for row in run.deliveries())


@st.composite
def wired_worlds(draw: st.DrawFn) -> tuple[Json, list[tuple[float, str, int]]]:
    """Trees of wires, some slow and crowded, on whose way up and down nodes keep copies."""
    n = draw(st.integers(3, 8))
    parents = [draw(st.integers(0, i - 1)) for i in range(1, n)]
    nodes = [node("n0", "cloud"), *(node(f"n{i}", draw(st.sampled_from(["gateway", "device"]))) for i in range(1, n))]
    delay_s = st.sampled_from([0.0, 0.001, 0.01])
    links = [wire(f"n{p}", f"n{i}", delay_s=draw(delay_s)) for i, p in enumerate(parents, start=1)]
    changes: Json = {
        "duration_s": 2.0,
        "drain_s": draw(st.sampled_from([0.0, 2.0])),
        "topology": {"kind": "explicit", "nodes": nodes, "links": links},
        "wires.wire": {
            "rate_bit_per_s": draw(st.sampled_from([1e5, 1e6, 1e10])),
            "joule_per_bit": draw(st.sampled_from([0.0, 1e-9])),
            "channels": draw(st.integers(1, 2)),
            "queue_limit": draw(st.sampled_from([None, 0, 1])),
        },
        "tiers": {tier: {"store_byte": draw(st.sampled_from([0, 500, 2000]))} for tier in ("device", "gateway")},
        "sources.shapes.owners": "cloud",
        "sources.shapes.wish.task": draw(st.sampled_from(["decoder", "classification"])),
        "protocol": draw(PROTOCOLS) | {"codecs": {"shapes": draw(st.sampled_from([["a", "b"], ["a2", "a"]]))}},
    }
    instants = st.one_of(st.sampled_from([0.0, 0.5, 0.5, 0.501]), st.floats(0, 0.6))
    times = sorted(draw(st.lists(instants, min_size=1, max_size=12)))
    return changes, [(t, f"n{draw(st.integers(1, n - 1))}", draw(st.integers(0, 3))) for t in times]


@settings(max_examples=80)
@given(wired_worlds())
def test_wires_without_events_leave_what_events_would(world: tuple[Json, list[tuple[float, str, int]]]) -> None:
    """Rows, timelines, accounts are the same, to the last bit, where each wire has its queue and each hop an event."""
    changes, wishes = world

    def left() -> tuple[Any, ...]:
        run = simulate(wishes, changes, codecs=CODECS, owners=["n0"] * 4)
        return run.recorder.rows, run.timelines, run.accounts, run.nodes()

    without = left()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Direction, "is_single", property(lambda self: False, lambda self, is_single: None))
        patch.setattr(Clock, "free_until_s", property(lambda self: -math.inf, lambda self, time_s: None))
        assert left() == without
