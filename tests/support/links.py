"""One carrier, or one wire, without a network around it."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, NamedTuple

from simnet.core.records import Recorder, Spread
from simnet.core.tables import PayloadClass, TransferRow
from simnet.core.walks import N_HOP, WALK, delivered_columns, hops_of
from simnet.net.air import Air, IdealAir, TableAir
from simnet.net.carrier import Carrier
from simnet.net.clock import Clock
from simnet.net.errors import RequestEnded
from simnet.net.payload import Payload
from simnet.net.radio import RadioLink
from simnet.net.wired import WiredLink
from simnet.phy.link_fading import Heard
from simnet.phy.tables.bler import Lookup
from simnet.scenario.schema import Radio

QUIET = {
    "bandwidth_hz": 1e5,
    "fading": "none",
    "mcs": "QPSK 1/2",
    "fidelity": "ideal",
    "preamble_symbol": 0,
    "ack_symbol": 0,
    "turnaround_s": 0.0,
    "max_burst_s": 10.0,
}
"""100,000 symbols per second and no overhead."""


class Bsc(IdealAir):
    """Each block fails with one probability, drawn by name as in the table's air."""

    def __init__(self, radio: Radio, seed: int, bler: float) -> None:
        super().__init__(radio, seed)
        self._rate = bler
        self.plane = SimpleNamespace(count_lookups=lambda found, n_block: None)

    def lookup(self, block_format: Any, esno: float) -> Lookup:
        return Lookup(self._rate, "measured")

    def _found(self, block: Any, mcs: Any, now: Heard) -> Lookup:
        return self.lookup(None, now.mean_esno)

    def begin(self, transfer: Any, blocks: Any, mcs: Any, state: Any) -> Any:
        return TableAir.begin(self, transfer, blocks, mcs, state)  # type: ignore[arg-type]


class Sent(NamedTuple):
    """A payload to send: when, from whom, how large, of which class."""

    time_s: float
    sender: str = "device"
    n_byte: int = 33
    payload_class: PayloadClass = "code"
    body: bytes = b""


class Ether:
    """A carrier with one link between ``device`` and ``gateway``; joules are added up per node."""

    def __init__(self, *, bler: float | None = None, seed: int = 1, delay_s: float = 0.0, **radio: Any) -> None:
        self.clock = Clock()
        self.radio = Radio.model_validate({**QUIET, **radio})
        self.spent: dict[str, tuple[float, float]] = {"device": (0.0, 0.0), "gateway": (0.0, 0.0)}
        self.carrier = Carrier(self.clock, self.radio)
        air: Air = IdealAir(self.radio, seed) if bler is None else Bsc(self.radio, seed, bler)
        self.link = RadioLink(
            "link", "radio", "device", "gateway", self.radio, self.carrier, 100.0, delay_s, air, self._spend
        )

    def _spend(self, node: str, tx_j: float, rx_j: float) -> None:
        tx, rx = self.spent[node]
        self.spent[node] = (tx + tx_j, rx + rx_j)

    def send_all(self, payloads: Iterable[Sent], until_s: float | None = None) -> list[TransferRow]:
        """Send and wait for the end; rows in the order given."""
        return send_all(self.clock, self.link, payloads, until_s)


def send_all(
    clock: Clock, link: RadioLink | WiredLink, payloads: Iterable[Sent], until_s: float | None = None
) -> list[TransferRow]:
    """Rows in the order given; over a wire all must have arrived or been refused."""
    rows: list[TransferRow] = []
    recorder = Recorder()
    for index, sent in enumerate(payloads):
        if isinstance(link, WiredLink):
            clock.process(_send_over_wire(clock, link, sent, index, recorder))
            continue
        payload = Payload(bytes(sent.n_byte), sent.payload_class, "test", index, f"test#{index}", body=sent.body)
        rows.append(
            TransferRow("arm", index, index, link.name, link.link_class, sent.sender, link.other(sent.sender),
                        sent.payload_class, "test", payload.n_byte, sent.time_s)
        )  # fmt: skip
        clock.process(_send(clock, link, payload, sent, rows[-1]))
    clock.run(until=until_s)
    return rows or sorted(recorder.rows_of(TransferRow, "arm"), key=lambda row: row.transfer_id)


def _send(clock: Clock, link: RadioLink, payload: Payload, sent: Sent, row: TransferRow) -> Any:
    yield clock.timeout(sent.time_s - clock.now)
    row.queued_s = clock.now
    try:
        yield from link.send(payload, sent.sender, row)
        row.outcome = "delivered"
    except RequestEnded:
        row.outcome = "lost"
    row.ended_s = clock.now


def _send_over_wire(clock: Clock, link: WiredLink, sent: Sent, index: int, recorder: Recorder) -> Any:
    yield clock.timeout(sent.time_s - clock.now)
    way, what, queued_s = link.ways[sent.sender], (index, sent.payload_class, "test", sent.n_byte), clock.now
    try:
        started_s, arrived_s = way.enter(sent.n_byte, queued_s)
    except RequestEnded:
        row = recorder.add(way.row("arm", index, what, queued_s))
        row.outcome, row.ended_s = "lost", clock.now
        return
    yield clock.alarm(arrived_s)
    note = recorder.notes(TransferRow, len(WALK), delivered_columns("arm"), Spread(hops_of, N_HOP))
    note(([link], 0, 1, sent.sender, what, index, queued_s, started_s))
