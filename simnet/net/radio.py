"""Wireless links: a half-duplex carrier per gateway, bursts, block fading, adaptive modulation, ARQ (DESIGN §4, §5)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import simpy

from simnet.core import streams
from simnet.core.tables import TransferRow
from simnet.core.units import db_to_linear, dbm_to_watt, esno, linear_to_db
from simnet.net.air import Air, Block
from simnet.net.errors import LinkFailed, QueueFull
from simnet.net.payload import Payload
from simnet.net.queues import SCHEDULERS, Queue
from simnet.scenario.schema import Radio

URGENCY = {"control": 0, "code": 1, "enhancement": 2, "model": 3}


@dataclass(frozen=True)
class RadioEnd:
    """One end of a wireless link."""

    node: str
    power_w: float
    esno: float
    """Mean Es/N0 (linear) of what this end receives."""


@dataclass(eq=False)
class Transfer:
    """One payload waiting for, or using, a carrier."""

    payload: Payload
    link: RadioLink
    sender: RadioEnd
    receiver: RadioEnd
    row: TransferRow
    done: simpy.Event
    order: int
    pending: deque[Block]
    received: bytearray
    burst: Burst | None = None
    failed: bool = False

    @property
    def flow(self) -> str:
        return f"{self.sender.node}>{self.receiver.node}"

    @property
    def urgency(self) -> int:
        return URGENCY[self.payload.payload_class]


@dataclass(frozen=True)
class Burst:
    """What one grant sends: blocks at one MCS over one channel gain."""

    blocks: tuple[Block, ...]
    mcs: Any
    gain: complex
    esno: float
    symbol_count: int
    duration_s: float
    ticket: Any


class Carrier:
    """One half-duplex carrier: it serves one burst at a time, up or down, data with its acknowledgement.

    Cells are orthogonal: carriers don't disturb each other.
    """

    def __init__(self, env: simpy.Environment, radio: Radio) -> None:
        self.env = env
        self.radio = radio
        self.queue: Queue[Transfer] = SCHEDULERS[radio.scheduler]()
        self.arrived = 0
        self.serving: Transfer | None = None
        self._idle: simpy.Event | None = None
        env.process(self._serve())

    def submit(self, transfer: Transfer) -> None:
        """Queue a transfer.

        Raises:
            QueueFull: ``queue_limit`` payloads are waiting.
        """
        if self.radio.queue_limit is not None and len(self.queue) >= self.radio.queue_limit:
            raise QueueFull(transfer.flow)
        self.queue.push(transfer)
        self._wake()

    def _serve(self) -> Generator[simpy.Event, Any, None]:
        env = self.env
        while True:
            if not len(self.queue):
                self._idle = env.event()
                yield self._idle
            transfer = self.serving = self.queue.pop()
            burst = transfer.link.begin_burst(transfer, env.now)
            yield env.timeout(burst.duration_s)
            self.serving = None
            transfer.link.end_burst(transfer)
            if transfer.failed or not transfer.pending:
                transfer.row.ended_s = env.now
                transfer.done.succeed()
            elif self.radio.retry_delay_s and transfer.pending[0].attempt:
                env.process(self._requeue_later(transfer))
            else:
                self.queue.push_again(transfer)

    def _requeue_later(self, transfer: Transfer) -> Generator[simpy.Event, Any, None]:
        yield self.env.timeout(self.radio.retry_delay_s)
        self.queue.push_again(transfer)
        self._wake()

    def _wake(self) -> None:
        if self._idle is not None:
            idle, self._idle = self._idle, None
            idle.succeed()

    def count_in_flight(self) -> None:
        """The run is over: the burst on the air, if any, stays in flight."""
        if self.serving is not None:
            burst = self.serving.burst
            assert burst is not None
            for block in burst.blocks:
                block.count_in_flight(self.serving.row, burst.mcs)


@dataclass(eq=False)
class RadioLink:
    """A wireless link between a device and a gateway, sharing the gateway's carrier.

    Args:
        name: names its shadowing and fading; the same for both directions, since the channel is reciprocal.
        path_loss_db: shadowing included.
        delay_s: time of flight.
        air: what happens to blocks: the chain, the tables, or nothing.
    """

    name: str
    link_class: str
    device: str
    gateway: str
    radio: Radio
    carrier: Carrier
    path_loss_db: float
    delay_s: float
    seed: int
    air: Air
    spend: Callable[[str, float, float], None]
    """Called with node, tx_j, rx_j."""
    ends: dict[str, RadioEnd] = field(init=False)

    wireless = True

    def __post_init__(self) -> None:
        radio, loss = self.radio, db_to_linear(-self.path_loss_db)
        device_w, gateway_w = dbm_to_watt(radio.device_power_dbm), dbm_to_watt(radio.gateway_power_dbm)
        symbol_s = 1.0 / radio.bandwidth_hz
        at_device = esno(gateway_w * loss, symbol_s, radio.device_noise_figure_db)
        at_gateway = esno(device_w * loss, symbol_s, radio.gateway_noise_figure_db)
        if radio.mean_esno_db is not None:
            at_device = at_gateway = db_to_linear(radio.mean_esno_db)
        self.ends = {
            self.device: RadioEnd(self.device, device_w, at_device),
            self.gateway: RadioEnd(self.gateway, gateway_w, at_gateway),
        }

    @property
    def nodes(self) -> tuple[str, str]:
        return self.device, self.gateway

    def other(self, node: str) -> str:
        return self.gateway if node == self.device else self.device

    def gain(self, time_s: float) -> complex:
        """Channel gain h at a time: constant over each coherence interval, E|h|² = 1."""
        if self.radio.fading == "none":
            return 1.0 + 0.0j
        return streams.complex_normal(self.seed, "fading", self.name, int(time_s / self.radio.coherence_time_s))

    def send(self, payload: Payload, sender: str, row: TransferRow) -> Generator[simpy.Event, Any, bytes]:
        """Process: queue, send in bursts, repeat what fails. Returns the body as it arrived.

        Raises:
            LinkFailed: a protected block was lost ``max_attempts`` times.
            QueueFull: the carrier's queue limit is reached.
        """
        env, receiver = self.carrier.env, self.ends[self.other(sender)]
        self.carrier.arrived += 1
        transfer = Transfer(
            payload, self, self.ends[sender], receiver, row, env.event(), self.carrier.arrived,
            deque(self.air.blocks(payload)), bytearray(payload.body),
        )  # fmt: skip
        row.queued_s = env.now
        self.carrier.submit(transfer)
        yield transfer.done
        row.queue_s = row.ended_s - row.queued_s - row.air_s  # type: ignore[operator]
        if self.delay_s:
            yield env.timeout(self.delay_s)
            row.propagation_s = self.delay_s
        if transfer.failed:
            row.outcome = "lost"
            raise LinkFailed(self.name)
        row.outcome = "delivered"
        return bytes(transfer.received)

    def begin_burst(self, transfer: Transfer, now_s: float) -> Burst:
        """A grant: read the channel now, choose the MCS, take as many blocks as ``max_burst_s`` holds."""
        radio, row = self.radio, transfer.row
        gain = self.gain(now_s)
        esno_now = abs(gain) ** 2 * transfer.receiver.esno
        known = esno_now if not radio.csi_delay_s else self._known_esno(transfer.receiver, now_s)
        mcs = self.air.mcs(known, transfer.pending[0])
        room = radio.max_burst_s * radio.bandwidth_hz - radio.preamble_symbol
        blocks: list[Block] = []
        symbols = 0
        while transfer.pending and (not blocks or symbols + transfer.pending[0].channel_uses(mcs) <= room):
            block = transfer.pending.popleft()
            blocks.append(block)
            symbols += block.channel_uses(mcs)
            block.count_sent(row, mcs)
        ack = radio.ack_symbol if any(block.protected for block in blocks) else 0
        duration_s = (radio.preamble_symbol + symbols + ack) / radio.bandwidth_hz + (radio.turnaround_s if ack else 0.0)
        ticket = self.air.begin(self, transfer, blocks, mcs, gain)
        burst = Burst(tuple(blocks), mcs, gain, esno_now, symbols, duration_s, ticket)
        transfer.burst = burst
        if row.started_s is None:
            row.started_s, row.gain_abs2, row.mcs = now_s, abs(gain) ** 2, mcs.name
            row.esno_db = linear_to_db(esno_now)
        row.burst_count += 1
        row.overhead_channel_use += radio.preamble_symbol + ack
        row.air_s += duration_s
        self._spend(transfer, (radio.preamble_symbol + symbols) / radio.bandwidth_hz, ack / radio.bandwidth_hz)
        return burst

    def end_burst(self, transfer: Transfer) -> None:
        """The burst's airtime is over: only now is its outcome looked at."""
        burst, row = transfer.burst, transfer.row
        assert burst is not None
        transfer.burst = None
        again: list[Block] = []
        for block, arrived in zip(burst.blocks, self.air.end(burst), strict=True):
            block.count_arrived(row, burst.mcs, arrived.ok)
            row.attempt_count = max(row.attempt_count, block.attempt + 1)
            if not block.protected:
                assert arrived.payload is not None
                row.bit_errors += block.write(transfer.received, arrived.payload)
            elif not arrived.ok:
                again.append(block.retried())
        transfer.pending.extendleft(reversed(again))
        transfer.failed = any(block.attempt >= self.radio.max_attempts for block in again)

    def _known_esno(self, receiver: RadioEnd, now_s: float) -> float:
        return abs(self.gain(max(0.0, now_s - self.radio.csi_delay_s))) ** 2 * receiver.esno

    def _spend(self, transfer: Transfer, data_s: float, ack_s: float) -> None:
        """Energy of a burst and its acknowledgement: P_tx/η + P_circuit at who sends, P_rx at who receives."""
        radio = self.radio
        for node, power_w, tx_s, rx_s in (
            (transfer.sender.node, transfer.sender.power_w, data_s, ack_s),
            (transfer.receiver.node, transfer.receiver.power_w, ack_s, data_s),
        ):
            tx_j = tx_s * (power_w / radio.amplifier_efficiency + radio.circuit_power_w)
            rx_j = rx_s * radio.receive_power_w
            transfer.row.tx_j += tx_j
            transfer.row.rx_j += rx_j
            self.spend(node, tx_j, rx_j)

    @cached_property
    def _throughput(self) -> dict[str, float]:
        """Receiver -> expected payload bytes per second of airtime, over the fading."""
        return {node: self.air.expected_byte_per_s(self.radio, end.esno) for node, end in self.ends.items()}

    def expected_airtime_s(self, n_byte: int, sender: str) -> float:
        """Mean airtime of a payload, retries, preambles and acknowledgements included; waiting not."""
        return self.air.expected_airtime_s(self.radio, self._throughput[self.other(sender)], n_byte)

    def expected_energy_j(self, n_byte: int, sender: str) -> float:
        """Mean energy at both ends of sending a payload."""
        radio, airtime_s = self.radio, self.expected_airtime_s(n_byte, sender)
        power_w = self.ends[sender].power_w / radio.amplifier_efficiency + radio.circuit_power_w
        return airtime_s * (power_w + radio.receive_power_w)
