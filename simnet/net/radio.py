"""Wireless links: adaptive modulation and coding, bursts and their energy, ARQ and HARQ (DESIGN §4, §5)."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar

import simpy

from simnet.core import streams
from simnet.core.mcs import Mcs
from simnet.core.tables import TransferRow
from simnet.core.units import db_to_linear, dbm_to_watt, esno, linear_to_db
from simnet.net.air import INTACT, Air
from simnet.net.block import AnalogBlock, AnyBlock, Block, cut
from simnet.net.carrier import Burst, Carrier, RadioEnd, Transfer
from simnet.net.errors import LinkFailed
from simnet.net.payload import Payload
from simnet.net.wired import Direction
from simnet.phy.learned.on_air import OnAir, Uses
from simnet.phy.link_fading import ChannelState, Heard
from simnet.scenario.schema import Radio


@dataclass(eq=False)
class RadioLink:
    """A wireless link between a device and a gateway, sharing the gateway's carrier.

    Args:
        name: names its shadowing and fading; the same for both directions, since the channel is reciprocal.
        path_loss_db: shadowing included.
        delay_s: time of flight.
        air: its fading, and what happens to blocks: the chain, the tables, or nothing.
        spend: called with node, tx_j, rx_j.
    """

    name: str
    link_class: str
    device: str
    gateway: str
    radio: Radio
    carrier: Carrier
    path_loss_db: float
    delay_s: float
    air: Air
    spend: Callable[[str, float, float], None]
    ends: dict[str, RadioEnd] = field(init=False)
    ways: ClassVar[Mapping[str, Direction]] = {}
    """None of a wire's."""
    _throughputs: dict[tuple[str, float], float] = field(init=False, default_factory=dict)

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

    @property
    def unprotected(self) -> bool:
        """Whether bodies cross it without ARQ, bit errors and all."""
        return self.radio.protection == "none"

    def other(self, node: str) -> str:
        return self.gateway if node == self.device else self.device

    def end(self, end: RadioEnd, time_s: float) -> RadioEnd:
        """An end with the mean Es/N0 that it has at a time: ``esno_swing_db`` moves it slowly, both ends alike."""
        radio = self.radio
        if not radio.esno_swing_db:
            return end
        phase = streams.uniform(self.air.seed, "swing", self.name) + time_s / radio.swing_period_s
        swing_db = radio.esno_swing_db * math.sin(math.tau * phase)
        return replace(end, esno=self.ends[end.node].esno * db_to_linear(swing_db))

    def state(self, time_s: float) -> ChannelState:
        """The channel at a time, E|h|² = 1."""
        return self.air.fading.state(self.name, time_s)

    def send(self, payload: Payload, sender: str, row: TransferRow) -> Generator[simpy.Event, Any, bytes]:
        """Process: queue, send in bursts, repeat what fails. Returns the body as it arrived.

        Raises:
            LinkFailed: a protected block was lost ``max_attempts`` times.
            QueueFull: the carrier's queue limit is reached.
        """
        carrier, clock = self.carrier, self.carrier.clock
        carrier.n_submitted += 1
        blocks = cut(
            len(payload.frame), len(payload.body), protect_body=not self.unprotected, code=self.radio.code,
            mcs=self.air.apart,
        )  # fmt: skip
        pending: deque[AnyBlock] = deque(blocks)
        if payload.symbols is not None:
            pending.append(AnalogBlock(len(blocks), payload.symbols.uses))
        transfer = Transfer(
            payload, self, self.ends[sender], self.ends[self.other(sender)], row, clock.event(), carrier.n_submitted,
            pending, clock.now,
        )  # fmt: skip
        carrier.submit(transfer)
        yield transfer.done
        if self.delay_s:
            if not clock.advance(self.delay_s):
                yield clock.timeout(self.delay_s)
            row.propagation_s = self.delay_s
        if transfer.failed:
            raise LinkFailed(self.name)
        return bytes(transfer.received)

    def begin_burst(self, transfer: Transfer, now_s: float) -> Burst:
        """A grant: read the channel now, choose the MCS, take as many blocks as ``max_burst_s`` holds, at least one.

        A burst counts as a whole when it is granted: its bytes, channel uses, airtime and joules.
        """
        radio, row, fading = self.radio, transfer.row, self.air.fading
        state = self.state(now_s)
        if radio.esno_swing_db:
            transfer.sender, transfer.receiver = self.end(transfer.sender, now_s), self.end(transfer.receiver, now_s)
        known = state if not radio.csi_delay_s else self.state(now_s - radio.csi_delay_s)
        choice = partial(self.air.mcs, known, transfer.receiver.esno)
        mcs = transfer.pending[0].mcs or choice(transfer.pending[0].k)
        blocks, uses = self._next_blocks(transfer.pending, mcs, choice)
        n_byte, data_symbols, n_repeat = _count_sent(row, blocks, uses)
        overhead = radio.preamble_symbol + fading.overhead_channel_use(data_symbols)
        symbols = overhead + data_symbols
        ack = radio.ack_symbol if any(block.protected for block in blocks) else 0
        duration_s = (symbols + ack) / radio.bandwidth_hz + (radio.turnaround_s if ack else 0.0)
        digital = [block for block in blocks if isinstance(block, Block)]
        if len(digital) < len(blocks):
            analog = self._put_on_air(transfer, state)
            ack += analog.reverse
            duration_s += self.analog_airtime_s(analog) - analog.forward / radio.bandwidth_hz
        if row.started_s is None:
            row.started_s, row.gain_abs2, row.mcs = now_s, fading.mean_power(state), mcs.name
            row.esno_db = linear_to_db(row.gain_abs2 * transfer.receiver.esno)
        row.burst_count += 1
        row.overhead_channel_use += overhead + ack
        row.queue_s += now_s - transfer.waiting_since_s
        row.air_s += duration_s
        self._spend(transfer, symbols / radio.bandwidth_hz, ack / radio.bandwidth_hz)
        ticket = self.air.begin(transfer, digital, mcs, state) if digital else None
        return Burst(blocks, uses, n_byte, data_symbols, n_repeat + 1, mcs, state, duration_s, ticket)

    def _put_on_air(self, transfer: Transfer, state: ChannelState) -> Uses:
        """Say what an analog code's symbols meet; returns how many they are."""
        symbols, gains = transfer.payload.symbols, self.air.fading.gains
        assert symbols is not None
        uses, names = symbols.uses, transfer.noise_name
        forward = gains(state, uses.forward, *names, "to")
        reverse = gains(state, uses.reverse, *names, "fro") if uses.reverse else 1.0 + 0.0j
        noise = self.air.seed, "analog noise", *names
        symbols.air = OnAir.met(transfer.receiver.esno, transfer.sender.esno, forward, reverse, noise)
        return uses

    def _next_blocks(
        self, pending: deque[AnyBlock], mcs: Mcs, choice: Callable[[int], Mcs]
    ) -> tuple[list[AnyBlock], list[int]]:
        """Take the blocks of the next burst, by the airtime that it has for data; all are sent at one MCS. Also says
        how many symbols each is.

        Args:
            choice: by information bits, the MCS for the channel as it is now. Behind a repetition, which keeps its own,
                only such blocks are sent for the first time as would be sent at the same.
        """
        room = self.air.burst_symbols
        blocks = [pending.popleft()]
        uses = [blocks[0].channel_uses(mcs)]
        room -= uses[0]
        while pending:
            block = pending[0]
            wanted = block.mcs
            if wanted is None and blocks[0].mcs is not None and isinstance(block, Block):
                wanted = choice(block.k)
            if wanted is not None and wanted != mcs:
                break
            more = block.channel_uses(mcs)
            room -= more
            if room < 0:
                break
            pending.popleft()
            blocks.append(block)
            uses.append(more)
        return blocks, uses

    def end_burst(self, transfer: Transfer) -> int:
        """The burst's airtime is over: only now is its outcome looked at. Returns how many blocks must be repeated."""
        burst, row = transfer.burst, transfer.row
        assert burst is not None
        transfer.burst = None
        row.attempt_count = max(row.attempt_count, burst.attempt_count)
        outcomes = () if burst.ticket is None else self.air.end(burst)
        if outcomes.count(INTACT) == len(burst.blocks):  # nearly always
            row.delivered_byte += burst.n_byte
            row.delivered_channel_use += burst.n_use
            return 0
        again: list[AnyBlock] = []
        lost_byte = lost_use = 0
        each, heard = iter(outcomes), Heard(burst.state, transfer.receiver.esno)
        for block, n_use in zip(burst.blocks, burst.uses, strict=True):
            if isinstance(block, AnalogBlock):
                continue
            arrived = next(each)
            if not block.protected:  # counts as delivered whatever its bits: its receiver takes it as it is
                assert arrived.data is not None
                row.bit_errors += block.write(transfer.received, arrived.data)
            elif not arrived.ok:
                lost_byte += block.n_byte
                lost_use += n_use
                harq = self.radio.protection == "harq"
                again.append(block.combined(burst.mcs, heard) if harq else block.retried())
        row.lost_byte += lost_byte
        row.lost_channel_use += lost_use
        row.delivered_byte += burst.n_byte - lost_byte
        row.delivered_channel_use += burst.n_use - lost_use
        transfer.pending.extendleft(reversed(again))
        transfer.failed = any(block.attempt >= self.radio.max_attempts for block in again)
        return len(again)

    def _spend(self, transfer: Transfer, data_s: float, ack_s: float) -> None:
        """Energy of a burst and its acknowledgement: P_tx/η + P_circuit at who sends, P_rx at who receives."""
        radio, row = self.radio, transfer.row
        for end, tx_s, rx_s in ((transfer.sender, data_s, ack_s), (transfer.receiver, ack_s, data_s)):
            tx_j = tx_s * (end.power_w / radio.amplifier_efficiency + radio.circuit_power_w)
            rx_j = rx_s * radio.receive_power_w
            row.tx_j += tx_j
            row.rx_j += rx_j
            self.spend(end.node, tx_j, rx_j)

    def analog_airtime_s(self, uses: Uses) -> float:
        """Airtime of an analog code's symbols, without the frame before them."""
        return uses.airtime_s(self.radio.bandwidth_hz, self.radio.turnaround_s)

    def analog_energy_j(self, uses: Uses, sender: str) -> float:
        """Energy at both ends of an analog code's symbols."""
        radio, total_j = self.radio, 0.0
        for end, n in zip((self.ends[sender], self.ends[self.other(sender)]), uses, strict=True):
            power_w = end.power_w / radio.amplifier_efficiency + radio.circuit_power_w + radio.receive_power_w
            total_j += n / radio.bandwidth_hz * power_w
        return total_j

    def esno_db(self, node: str) -> float:
        """Mean Es/N0 of what a node receives now, dB."""
        return linear_to_db(self.end(self.ends[node], self.carrier.clock.now).esno)

    def _byte_per_s(self, node: str) -> float:
        """Expected payload bytes per second of airtime to a node now, over the fading."""
        if not self.radio.esno_swing_db:
            return self._throughput(node, self.ends[node].esno)
        return self._throughput(node, db_to_linear(0.5 * round(2.0 * self.esno_db(node))))

    def _throughput(self, node: str, esno: float) -> float:
        known = self._throughputs.get((node, esno))
        if known is None:
            known = self._throughputs[node, esno] = self.air.expected_byte_per_s(esno)
        return known

    def expected_airtime_s(self, n_byte: int, sender: str) -> float:
        """Airtime of a payload at the long-run throughput over the fading, retries, preambles and acknowledgements
        included; waiting not. Of single short payloads the mean is larger, as one in a deep fade takes long."""
        return sum(self.air.expected_times_s(self._byte_per_s(self.other(sender)), n_byte))

    def usual_airtime_s(self, n_byte: int, sender: str) -> float:
        """:meth:`expected_airtime_s` at the mean Es/N0 about which ``esno_swing_db`` moves it."""
        node = self.other(sender)
        return sum(self.air.expected_times_s(self._throughput(node, self.ends[node].esno), n_byte))

    def expected_energy_j(self, n_byte: int, sender: str) -> float:
        """Energy at both ends of sending a payload in its :meth:`expected_airtime_s`."""
        radio, other, total_j = self.radio, self.other(sender), 0.0
        data_s, acks_s, _ = self.air.expected_times_s(self._byte_per_s(other), n_byte)
        for node, time_s in ((sender, data_s), (other, acks_s)):
            power_w = self.ends[node].power_w / radio.amplifier_efficiency + radio.circuit_power_w
            total_j += time_s * (power_w + radio.receive_power_w)
        return total_j


def _count_sent(row: TransferRow, blocks: Sequence[AnyBlock], uses: Sequence[int]) -> tuple[int, int, int]:
    """What blocks take, in bytes and channel uses: those sent for the first time, and those sent again.

    Returns:
        Their bytes and channel uses, and how often one of them was sent before, at most.
    """
    n_byte, n_use, n_repeat = sum([b.n_byte for b in blocks]), sum(uses), max([b.attempt for b in blocks])
    retry_byte = retry_use = 0
    if n_repeat:
        for block, block_use in zip(blocks, uses, strict=True):
            if block.attempt:
                retry_byte += block.n_byte
                retry_use += block_use
    row.retry_byte += retry_byte
    row.retry_channel_use += retry_use
    row.first_byte += n_byte - retry_byte
    row.first_channel_use += n_use - retry_use
    return n_byte, n_use, n_repeat
