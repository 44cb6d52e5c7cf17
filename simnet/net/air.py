"""What happens to blocks on the air, by fidelity: the exact chain, its BLER tables, or nothing (DESIGN §5)."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from simnet.core import streams
from simnet.net.block import Block
from simnet.phy.bler import load_table
from simnet.phy.blocks import BLOCK_LENGTHS, capacity_byte
from simnet.phy.chain import BlockJob
from simnet.phy.mcs import MCS_TABLE, Mcs
from simnet.scenario.schema import Radio
from simnet.signal.plane import SignalPlane

if TYPE_CHECKING:
    from simnet.net.carrier import Burst, Transfer

_REFERENCE = Block(0, BLOCK_LENGTHS[-1], 0, capacity_byte(BLOCK_LENGTHS[-1]), True)
"""Bulk data goes in the longest codewords: expectations are made with them."""
_N_QUANTILE = 64
"""Points of the fading's distribution over which expectations are averaged."""


class Arrived(NamedTuple):
    """What became of one block: whether its CRC holds, and its bytes as decoded where bits are looked at."""

    ok: bool
    data: bytes | None = None


class Air(ABC):
    """What happens to the blocks of one class of wireless links."""

    def __init__(self, radio: Radio, seed: int) -> None:
        self.radio = radio
        self.seed = seed
        self._fixed = {mcs.name: mcs for mcs in MCS_TABLE}.get(radio.mcs)

    def mcs(self, esno: float, n: int) -> Mcs:
        """The scenario's MCS; adaptive: the fastest whose BLER at this Es/N0 meets the target, else the slowest."""
        if self._fixed is not None:
            return self._fixed
        for threshold, mcs in _thresholds(n, self.radio.target_bler):
            if esno >= threshold:
                return mcs
        return MCS_TABLE[0]

    @abstractmethod
    def begin(self, transfer: Transfer, blocks: Sequence[Block], mcs: Mcs, gain: complex) -> Any:
        """The blocks are sent now; returns the ticket that :meth:`end` redeems once their airtime is over."""

    def end(self, burst: Burst) -> Sequence[Arrived]:
        """What became of each block of the burst."""
        arrived: Sequence[Arrived] = burst.ticket
        return arrived

    def bler(self, n: int, mcs: Mcs, esno: float) -> float:
        return load_table(n, mcs).bler(esno)

    def expected_byte_per_s(self, mean_esno: float) -> float:
        """Payload bytes per second of data airtime in long codewords, averaged over the fading."""
        n_point = 1 if self.radio.fading == "none" else _N_QUANTILE
        total = 0.0
        for i in range(n_point):
            gain_abs2 = 1.0 if n_point == 1 else -math.log1p(-(i + 0.5) / n_point)  # quantiles of |h|², exponential
            mcs = self.mcs(gain_abs2 * mean_esno, _REFERENCE.n)
            repeats = self.radio.protection == "arq"
            success = 1.0 - self.bler(_REFERENCE.n, mcs, gain_abs2 * mean_esno) if repeats else 1.0
            total += success * _REFERENCE.n_byte * self.radio.bandwidth_hz / _REFERENCE.channel_uses(mcs)
        return total / n_point

    def expected_airtime_s(self, byte_per_s: float, n_byte: int) -> float:
        """Mean airtime of a payload at this throughput, with preamble, turn-around and ACK of each burst."""
        if byte_per_s <= 0.0:
            return math.inf
        data_s = max(n_byte, capacity_byte(BLOCK_LENGTHS[0])) / byte_per_s
        overhead_s = (self.radio.preamble_symbol + self.radio.ack_symbol) / self.radio.bandwidth_hz
        n_burst = math.ceil(data_s / self.radio.max_burst_s)
        return data_s + n_burst * (overhead_s + self.radio.turnaround_s)


class IdealAir(Air):
    """No errors: airtime and queues only."""

    def bler(self, n: int, mcs: Mcs, esno: float) -> float:
        return 0.0

    def begin(self, transfer: Transfer, blocks: Sequence[Block], mcs: Mcs, gain: complex) -> Any:
        return [Arrived(True, None if block.protected else block.data(transfer.payload)) for block in blocks]


class TableAir(Air):
    """Each block's fate is drawn with the BLER that the exact chain showed at this |h|²·Es/N0."""

    def __init__(self, radio: Radio, seed: int, plane: SignalPlane) -> None:
        super().__init__(radio, seed)
        self.plane = plane

    def begin(self, transfer: Transfer, blocks: Sequence[Block], mcs: Mcs, gain: complex) -> Any:
        esno = abs(gain) ** 2 * transfer.receiver.esno
        # A block's attempt begins one burst at most, so its name can stand for the whole burst's draws.
        names = (*transfer.noise_name, blocks[0].index, blocks[0].attempt)
        draws = streams.uniforms(self.seed, "block", *names, count=len(blocks))
        blers = [self.bler(block.n, mcs, esno) for block in blocks]
        if self.radio.audit:
            self._audit(transfer, blocks, mcs, gain, blers)
        return [Arrived(draw >= bler) for draw, bler in zip(draws, blers, strict=True)]

    def _audit(
        self, transfer: Transfer, blocks: Sequence[Block], mcs: Mcs, gain: complex, blers: Sequence[float]
    ) -> None:
        """Run the share ``audit`` of the blocks through the exact chain as well; the plane keeps the tally."""
        names = (*transfer.noise_name, blocks[0].index, blocks[0].attempt)
        draws = streams.uniforms(self.seed, "audit", *names, count=len(blocks))
        for block, bler, draw in zip(blocks, blers, draws, strict=True):
            if draw < self.radio.audit:
                self.plane.audit(_job(self.seed, transfer, block, mcs, gain), bler)


class ExactAir(Air):
    """Every block through CRC, LDPC, QAM, channel, demapper and decoder, on a ticket."""

    def __init__(self, radio: Radio, seed: int, plane: SignalPlane) -> None:
        super().__init__(radio, seed)
        self.plane = plane

    def begin(self, transfer: Transfer, blocks: Sequence[Block], mcs: Mcs, gain: complex) -> Any:
        jobs = [_job(self.seed, transfer, block, mcs, gain) for block in blocks]
        return self.plane.transmit(jobs, self.radio.backend)

    def end(self, burst: Burst) -> Sequence[Arrived]:
        return [Arrived(result.ok, result.payload) for result in self.plane.result(burst.ticket)]


def _job(seed: int, transfer: Transfer, block: Block, mcs: Mcs, gain: complex) -> BlockJob:
    key = (seed, "noise", *transfer.noise_name, block.index, block.attempt)
    return BlockJob(block.data(transfer.payload), block.n, mcs, transfer.receiver.esno, gain, key)


def air_for(radio: Radio, seed: int, plane: SignalPlane) -> Air:
    """The air of a class of wireless links, by its fidelity."""
    if radio.fidelity == "ideal":
        return IdealAir(radio, seed)
    return (TableAir if radio.fidelity == "table" else ExactAir)(radio, seed, plane)


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
