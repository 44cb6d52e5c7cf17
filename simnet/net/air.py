"""What happens to blocks on the air, by fidelity: the exact chain, its BLER tables, or nothing (DESIGN §5)."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from simnet.core import streams
from simnet.core.tables import TransferRow
from simnet.net.payload import Payload
from simnet.phy.bler import load_table
from simnet.phy.blocks import capacity_byte, channel_uses, segment
from simnet.phy.chain import BlockJob
from simnet.phy.mcs import MCS_TABLE, Mcs
from simnet.scenario.schema import Radio
from simnet.signal.plane import SignalPlane

if TYPE_CHECKING:
    from simnet.net.radio import Burst, RadioLink, Transfer

LONGEST_N, SHORTEST_N = 2304, 576


class Arrived(NamedTuple):
    """What became of one block: whether its CRC holds, and its bytes as decoded where bits are looked at."""

    ok: bool
    payload: bytes | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a payload that is one codeword.

    Args:
        index: position among the payload's blocks; names its noise.
        n: codeword length, bits.
        offset, n_byte: which bytes of the frame or, if ``in_body``, of the body.
        protected: repeated until its CRC holds; if not, its receiver takes it as it is.
        attempt: transmissions before this one.
    """

    index: int
    n: int
    offset: int
    n_byte: int
    protected: bool
    in_body: bool = False
    attempt: int = 0

    def channel_uses(self, mcs: Mcs) -> int:
        return channel_uses(self.n, mcs)

    def retried(self) -> Block:
        return replace(self, attempt=self.attempt + 1)

    def count_sent(self, row: TransferRow, mcs: Mcs) -> None:
        uses = self.channel_uses(mcs)
        if self.attempt:
            row.retry_byte += self.n_byte
            row.retry_channel_use += uses
        else:
            row.first_byte += self.n_byte
            row.first_channel_use += uses

    def count_arrived(self, row: TransferRow, mcs: Mcs, ok: bool) -> None:
        """An unprotected block counts as delivered whatever its bits: its receiver takes it as it is."""
        uses = self.channel_uses(mcs)
        if ok or not self.protected:
            row.delivered_byte += self.n_byte
            row.delivered_channel_use += uses
        else:
            row.lost_byte += self.n_byte
            row.lost_channel_use += uses

    def count_in_flight(self, row: TransferRow, mcs: Mcs) -> None:
        row.in_flight_byte += self.n_byte
        row.in_flight_channel_use += self.channel_uses(mcs)

    def data(self, payload: Payload) -> bytes:
        return (payload.body if self.in_body else payload.frame)[self.offset : self.offset + self.n_byte]

    def write(self, received: bytearray, data: bytes) -> int:
        """Put an unprotected block's bytes where they belong; returns how many bits differ from what stood there."""
        here = slice(self.offset, self.offset + self.n_byte)
        wrong = (int.from_bytes(received[here]) ^ int.from_bytes(data)).bit_count()
        received[here] = data
        return wrong


@lru_cache(maxsize=4096)
def _split(n_byte: int, first_index: int, protected: bool, in_body: bool) -> tuple[Block, ...]:
    """Blocks of so many bytes of a payload's frame or body."""
    blocks, offset = [], 0
    for i, n in enumerate(segment(n_byte)):
        size = min(capacity_byte(n), n_byte - offset)
        blocks.append(Block(first_index + i, n, offset, size, protected, in_body))
        offset += size
    return tuple(blocks)


@cache
def _thresholds(n: int, target_bler: float) -> tuple[tuple[float, Mcs], ...]:
    """(least Es/N0, linear, at which an MCS meets the target, MCS), fastest MCS first; bisection on its BLER table."""
    found = []
    for mcs in reversed(MCS_TABLE):
        table, low, high = load_table(n, mcs), 1e-3, 1e6
        for _ in range(60):
            middle = math.sqrt(low * high)
            low, high = (low, middle) if table.bler(middle) <= target_bler else (middle, high)
        found.append((high, mcs))
    return tuple(found)


class Air(ABC):
    """What happens to the blocks of one class of wireless links."""

    def __init__(self, radio: Radio, seed: int) -> None:
        self.radio = radio
        self.seed = seed
        self._fixed = {mcs.name: mcs for mcs in MCS_TABLE}.get(radio.mcs)

    def blocks(self, payload: Payload) -> tuple[Block, ...]:
        """The codewords of a payload: its protected frame first, then its unprotected body."""
        frame = _split(len(payload.frame), 0, True, False)
        if not payload.body:
            return frame
        return frame + _split(len(payload.body), len(frame), self.radio.protection == "arq", True)

    def mcs(self, esno: float, block: Block) -> Mcs:
        """The scenario's MCS; adaptive: the fastest whose BLER at this Es/N0 meets the target, else the slowest."""
        if self._fixed is not None:
            return self._fixed
        for threshold, mcs in _thresholds(block.n, self.radio.target_bler):
            if esno >= threshold:
                return mcs
        return MCS_TABLE[0]

    @abstractmethod
    def begin(self, link: RadioLink, transfer: Transfer, blocks: Sequence[Block], mcs: Mcs, gain: complex) -> Any:
        """The blocks are sent now; returns what :meth:`end` needs once their airtime is over."""

    @abstractmethod
    def end(self, burst: Burst) -> Sequence[Arrived]:
        """What became of each block of the burst."""

    def bler(self, n: int, mcs: Mcs, esno: float) -> float:
        return load_table(n, mcs).bler(esno)

    def expected_byte_per_s(self, radio: Radio, mean_esno: float) -> float:
        """Payload bytes per second of data airtime in long codewords, averaged over the fading."""
        block = Block(0, LONGEST_N, 0, capacity_byte(LONGEST_N), True)
        n_point = 1 if radio.fading == "none" else 64
        total = 0.0
        for i in range(n_point):
            gain2 = 1.0 if n_point == 1 else -math.log1p(-(i + 0.5) / n_point)  # quantiles of |h|², exponential
            mcs = self.mcs(gain2 * mean_esno, block)
            success = 1.0 - self.bler(block.n, mcs, gain2 * mean_esno)
            total += success * block.n_byte * radio.bandwidth_hz / block.channel_uses(mcs)
        return total / n_point

    def expected_airtime_s(self, radio: Radio, byte_per_s: float, n_byte: int) -> float:
        """Mean airtime of a payload at this throughput, with preamble, turn-around and ACK of each burst."""
        if byte_per_s <= 0.0:
            return math.inf
        data_s = max(n_byte, capacity_byte(SHORTEST_N)) / byte_per_s
        overhead_s = (radio.preamble_symbol + radio.ack_symbol) / radio.bandwidth_hz + radio.turnaround_s
        return data_s + math.ceil(data_s / radio.max_burst_s) * overhead_s


class IdealAir(Air):
    """No errors: airtime and queues only."""

    def bler(self, n: int, mcs: Mcs, esno: float) -> float:
        return 0.0

    def begin(self, link: RadioLink, transfer: Transfer, blocks: Sequence[Block], mcs: Mcs, gain: complex) -> Any:
        return [Arrived(True, None if block.protected else block.data(transfer.payload)) for block in blocks]

    def end(self, burst: Burst) -> Sequence[Arrived]:
        return burst.ticket


class TableAir(Air):
    """Each block's fate is drawn with the BLER that the exact chain showed at this |h|²·Es/N0."""

    def __init__(self, radio: Radio, seed: int, plane: SignalPlane) -> None:
        super().__init__(radio, seed)
        self.plane = plane

    def begin(self, link: RadioLink, transfer: Transfer, blocks: Sequence[Block], mcs: Mcs, gain: complex) -> Any:
        mean_esno, payload = transfer.receiver.esno, transfer.payload
        names = (link.name, transfer.flow, payload.label, payload.request_name, blocks[0].index, blocks[0].attempt)
        draws = streams.uniforms(self.seed, "block", *names, count=len(blocks))
        blers = [self.bler(block.n, mcs, abs(gain) ** 2 * mean_esno) for block in blocks]
        if self.radio.audit:
            self._audit(link, transfer, blocks, mcs, gain, blers)
        return [Arrived(u >= bler) for u, bler in zip(draws, blers, strict=True)]

    def end(self, burst: Burst) -> Sequence[Arrived]:
        return burst.ticket

    def _audit(
        self, link: RadioLink, transfer: Transfer, blocks: Sequence[Block], mcs: Mcs, gain: complex, blers: list[float]
    ) -> None:
        """Run the share ``audit`` of the blocks through the exact chain as well; the plane keeps the tally."""
        for block, bler in zip(blocks, blers, strict=True):
            job = _job(self.seed, link, transfer, block, mcs, gain)
            if streams.uniform(self.seed, "audit", *job.noise_key[1:]) < self.radio.audit:
                self.plane.audit(job, bler)


class ExactAir(Air):
    """Every block through CRC, LDPC, QAM, channel, demapper and decoder, on a ticket."""

    def __init__(self, radio: Radio, seed: int, plane: SignalPlane) -> None:
        super().__init__(radio, seed)
        self.plane = plane

    def begin(self, link: RadioLink, transfer: Transfer, blocks: Sequence[Block], mcs: Mcs, gain: complex) -> Any:
        jobs = [_job(self.seed, link, transfer, block, mcs, gain) for block in blocks]
        return self.plane.transmit(jobs, self.radio.backend)

    def end(self, burst: Burst) -> Sequence[Arrived]:
        return [Arrived(result.ok, result.payload) for result in self.plane.result(burst.ticket)]


def _job(seed: int, link: RadioLink, transfer: Transfer, block: Block, mcs: Mcs, gain: complex) -> BlockJob:
    payload = transfer.payload
    key = (seed, "noise", link.name, transfer.flow, payload.label, payload.request_name, block.index, block.attempt)
    return BlockJob(block.data(payload), block.n, mcs, transfer.receiver.esno, gain, key)


def air_for(radio: Radio, seed: int, plane: SignalPlane) -> Air:
    """The air of a class of wireless links, by its fidelity."""
    if radio.fidelity == "ideal":
        return IdealAir(radio, seed)
    return (TableAir if radio.fidelity == "table" else ExactAir)(radio, seed, plane)
