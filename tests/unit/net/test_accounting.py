"""A tampered row never passes; energy is the closed form, node by node."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from simnet.net.accounting import check_accounts
from simnet.net.errors import AccountingError
from tests.support.tiny import Tiny
from tests.support.world import Run, node, radio_link, simulate, wire

WORLD: dict[str, Any] = {
    "topology.nodes": [node("camera", "edge"), node("mast", "gateway"), node("reader", "device")],
    "topology.links": [wire("camera", "mast", delay_s=0.01), radio_link("reader", "mast", delay_s=0.001)],
    "sources.shapes.owners": "edge",
    "wires.wire": {"rate_bit_per_s": 1e6, "joule_per_bit": 1e-6},
    "tiers": {
        "device": {"store_byte": 1000, "joule_per_flop": 1e-9, "idle_power_w": 0.5},
        "edge": {"joule_per_flop": 2e-9, "idle_power_w": 3.0},
    },
    "radios.radio.preamble_symbol": 16,
    "radios.radio.ack_symbol": 8,
    "radios.radio.turnaround_s": 0.001,
}


def world(**changes: Any) -> Run:
    codecs = {"tiny": Tiny(encode_flop=5_000_000, decode_flop=3_000_000)}
    wishes = [(0.0, "reader", 0), (1.0, "reader", 1)]
    return simulate(wishes, {**WORLD, **changes}, codecs=codecs, owners=["camera"] * 2)


@pytest.fixture(scope="module")
def run() -> Run:
    return world()


def test_the_accounts_of_a_whole_run_close(run: Run) -> None:
    assert check_accounts(run.recorder, "main") == run.accounts["main"]


Tamper = Callable[[Run], None]
TAMPERED: dict[str, tuple[Tamper, str]] = {
    "a byte too few": (lambda r: _set(r.transfers()[0], "delivered_byte", -1), "transfer 1: sent"),
    "a channel use too many": (lambda r: _set(r.transfers()[1], "first_channel_use", 1), "transfer 2: sent"),
    "a joule at the link": (lambda r: _set(r.transfers()[0], "tx_j", 1.0), "tx_j of links"),
    "a joule at the node": (lambda r: _set(r.nodes()["reader"], "rx_j", 1.0), "rx_j of links"),
    "a link byte": (lambda r: _set(r.requests()[0], "link_byte", 1), "link bytes of requests"),
    "a second of latency": (lambda r: _set(r.requests()[1], "queue_s", 1e-6), "request 1: took"),
    "an overfull store": (lambda r: _set(r.stores("insert")[0], "occupancy_byte", 10**6), "store of reader holds"),
    "no outcome": (lambda r: setattr(r.requests()[0], "outcome", "lost"), "request 0: outcome lost"),
    "an end without one": (lambda r: setattr(r.requests()[0], "outcome", "unfinished"), "request 0: unfinished, ended"),
    "satisfied too late": (lambda r: _late(r.requests()[0]), "request 0: satisfied after"),
    "half a payload": (lambda r: _set(r.transfers()[0], "payload_byte", 1), "transfer 1: delivered"),
    "delivered and in flight": (lambda r: _in_flight(r.transfers()[0]), "transfer 1: delivered, but 1 bytes"),
}


def _set(row: Any, column: str, by: float) -> None:
    setattr(row, column, getattr(row, column) + by)


def _late(row: Any) -> None:
    row.ended_s += 100.0
    row.queue_s += 100.0


def _in_flight(row: Any) -> None:
    row.in_flight_byte += 1
    row.lost_byte -= 1


@pytest.mark.parametrize("what", TAMPERED)
def test_a_tampered_row_is_found(run: Run, what: str) -> None:
    tamper, message = TAMPERED[what]
    changed = copy.copy(run)
    changed.recorder = copy.deepcopy(run.recorder)
    tamper(changed)
    with pytest.raises(AccountingError, match=f"accounts don't close: main: {message}"):
        check_accounts(changed.recorder, "main")


def test_energy_is_the_closed_form_node_by_node(run: Run) -> None:
    """E = airtime·(P_tx/η + P_circuit) + receive airtime·P_rx + FLOPs·J_per_flop + idle power (DESIGN §8)."""
    up = [row for row in run.transfers() if row.sender == "reader"]
    down = [row for row in run.transfers() if row.receiver == "reader"]
    assert len(up) == 2 and len(down) == 3

    def data_s(rows: list[Any]) -> float:
        return float(sum(row.first_channel_use + 16 * row.burst_count for row in rows)) / 1e5

    def ack_s(rows: list[Any]) -> float:
        return float(sum(8 * row.burst_count for row in rows)) / 1e5

    device_w, gateway_w = 10**1.4 * 1e-3 / 0.35 + 0.05, 10**2.7 * 1e-3 / 0.35 + 0.05
    reader, mast, camera = (run.nodes()[name] for name in ("reader", "mast", "camera"))
    assert reader.tx_j == pytest.approx(device_w * (data_s(up) + ack_s(down)))
    assert reader.rx_j == pytest.approx(0.06 * (data_s(down) + ack_s(up)))
    wired = {
        s: sum(r.payload_byte for r in run.transfers() if r.link == "camera--mast" and r.sender == s)
        for s in run.nodes()
    }
    assert mast.tx_j == pytest.approx(gateway_w * (data_s(down) + ack_s(up)) + 8e-6 * wired["mast"])
    assert mast.rx_j == pytest.approx(0.06 * (data_s(up) + ack_s(down)))
    assert camera.tx_j == pytest.approx(8e-6 * wired["camera"]) and camera.rx_j == 0.0
    assert reader.compute_j == pytest.approx(1e-9 * 2 * (3_000_000 + 1000))
    assert camera.compute_j == pytest.approx(2e-9 * 2 * 5_000_000)
    assert (reader.idle_j, camera.idle_j) == (0.5 * 40.0, 3.0 * 40.0)
    accounts = run.accounts["main"]
    assert accounts["tx_j"] == pytest.approx(reader.tx_j + mast.tx_j + camera.tx_j)


@pytest.mark.parametrize("end_s", [0.003, 0.006, 0.017, 0.02, 0.03, 0.05, 0.08, 0.1, 1.01])
def test_the_accounts_close_wherever_the_run_is_cut(end_s: float) -> None:
    run = world(duration_s=end_s, drain_s=0.0)
    open_rows = [row for row in run.transfers() if row.outcome == "in_flight"]
    assert all(row.ended_s is None for row in open_rows)
    assert sum(row.in_flight_byte for row in open_rows) == sum(
        total["in_flight_byte"] for total in run.accounts["main"]["bytes_and_channel_uses"].values()
    )
