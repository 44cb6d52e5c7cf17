"""What happens to blocks on the air, by fidelity: the exact chain, its BLER tables, or nothing (DESIGN §5)."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from simnet.core import streams
from simnet.core.mcs import Mcs, mcs_by_name
from simnet.net.block import Block, format_of
from simnet.phy.blocks import BLOCK_BITS, BlockFormat, capacity_byte
from simnet.phy.chain import BlockJob, Reception
from simnet.phy.channels.binary_symmetric import flip
from simnet.phy.link_fading import ChannelState, FadingSettings, Heard, LinkFading
from simnet.phy.tables.bler import Lookup, load_table, thresholds
from simnet.scenario.schema import Radio
from simnet.signal.plane import SignalPlane

if TYPE_CHECKING:
    from simnet.net.carrier import Burst, Transfer

_LONGEST = BLOCK_BITS[-1]
"""Bulk data goes in the longest codewords: expectations are made with them."""


class Arrived(NamedTuple):
    """What became of one block: whether its CRC holds, and its bytes as decoded where bits are looked at."""

    ok: bool
    data: bytes | None = None


INTACT, LOST = Arrived(True), Arrived(False)
"""Of protected blocks whose bits nobody looks at."""


class Air(ABC):
    """What happens to the blocks of one class of wireless links."""

    def __init__(self, radio: Radio, seed: int) -> None:
        self.radio = radio
        self.seed = seed
        self.fading = LinkFading(
            FadingSettings(
                radio.fading, radio.bandwidth_hz, radio.coherence_time_s, radio.rician_k_db, radio.rms_delay_spread_s,
                radio.subcarriers,
            ),
            seed,
        )  # fmt: skip
        self._fixed = None if radio.mcs == "adaptive" else mcs_by_name(radio.mcs)
        protected = radio.protected_mcs
        self.apart = (None, None) if protected is None else (mcs_by_name(protected), self._fixed)
        """MCS of what is protected and of the rest, on links without protection where they differ."""
        self._adaptive = tuple(map(mcs_by_name, radio.adaptive_mcs))

    def mcs(self, state: ChannelState, mean_esno: float, k: int) -> Mcs:
        """The scenario's MCS; adaptive: the fastest whose BLER in this channel meets the target, else the slowest."""
        if self._fixed is not None:
            return self._fixed
        ladder = thresholds(k, self.radio.target_bler, self._adaptive, self.radio.code)
        for least, mcs in ladder:
            if self.effective_esno((Heard(state, mean_esno),), format_of(k, mcs, self.radio.code)) >= least:
                return mcs
        return ladder[-1][1]

    def effective_esno(self, heard: Sequence[Heard], block_format: BlockFormat) -> float:
        """The Es/N0 (linear) at which a block fares in AWGN as it does when heard over these channels."""
        return self.fading.effective_esno(heard, block_format)

    @cached_property
    def burst_symbols(self) -> int:
        """Data symbols that fit into ``max_burst_s`` with all that goes with them; negative if even that does not."""
        radio, overhead = self.radio, self.fading.overhead_channel_use
        room = (radio.max_burst_s - radio.turnaround_s) * radio.bandwidth_hz - radio.preamble_symbol - radio.ack_symbol
        return bisect_right(range(max(0, int(room)) + 1), room, key=lambda symbols: symbols + overhead(symbols)) - 1

    @abstractmethod
    def begin(self, transfer: Transfer, blocks: Sequence[Block], mcs: Mcs, state: ChannelState) -> Any:
        """The blocks are sent now; returns the ticket that :meth:`end` redeems once their airtime is over."""

    def end(self, burst: Burst) -> Sequence[Arrived]:
        """What became of each block of the burst."""
        arrived: Sequence[Arrived] = burst.ticket
        return arrived

    def lookup(self, block_format: BlockFormat, esno: float) -> Lookup:
        """The block error rate at an effective Es/N0 (linear)."""
        return load_table(block_format).lookup(esno)

    def expected_byte_per_s(self, mean_esno: float) -> float:
        """Payload bytes per second of data airtime in long codewords, averaged over the fading.

        With HARQ as if all transmissions of a block met the same channel: some per cent more than the truth where it
        fades between them. Channel knowledge is taken as fresh, whatever ``csi_delay_s``: where that is as old as the
        channel stays the same, a payload can take twice as long as expected.
        """
        total = 0.0
        for state in self.fading.samples:
            block_format = format_of(_LONGEST, self.mcs(state, mean_esno, _LONGEST), self.radio.code)
            success = self._success_per_transmission(state, mean_esno, block_format)
            uses = block_format.channel_uses
            uses += self.fading.overhead_channel_use(uses)
            total += success * block_format.capacity_byte * self.radio.bandwidth_hz / uses
        return total / len(self.fading.samples)

    def _success_per_transmission(self, state: ChannelState, mean_esno: float, block_format: BlockFormat) -> float:
        """Blocks that arrive for good per block that is sent: 1 − BLER; of n combined receptions P(n needed) = BLER(n −
        1) − BLER(n)."""
        if self.radio.protection == "none":
            return 1.0
        n_most = self.radio.max_attempts if self.radio.protection == "harq" else 1
        failing = [1.0]
        while len(failing) <= n_most and failing[-1] > 1e-9:
            heard = (Heard(state, mean_esno),) * len(failing)
            failing.append(self.lookup(block_format, self.effective_esno(heard, block_format)).bler)
        return (1.0 - failing[-1]) / sum(failing[:-1])

    def expected_times_s(self, byte_per_s: float, n_byte: int) -> tuple[float, float, float]:
        """Airtime of a payload at this throughput: with preambles; of ACKs; of turn-arounds, in which nobody sends.

        As if bursts were filled to the last symbol: where ``max_burst_s`` is shorter than a block, which is sent whole
        all the same, more preambles, ACKs and turn-arounds are expected than there will be.
        """
        if byte_per_s <= 0.0:
            return math.inf, math.inf, math.inf
        radio, data_s = self.radio, max(n_byte, capacity_byte(BLOCK_BITS[0])) / byte_per_s
        n_burst = math.ceil(data_s / radio.max_burst_s)
        preambles_s, acks_s = (n_burst * n / radio.bandwidth_hz for n in (radio.preamble_symbol, radio.ack_symbol))
        return data_s + preambles_s, acks_s, n_burst * radio.turnaround_s


class IdealAir(Air):
    """No errors: airtime and queues only; but unprotected blocks cross a binary symmetric channel, if there is one."""

    def effective_esno(self, heard: Sequence[Heard], block_format: BlockFormat) -> float:
        """As on other air, but needs no table: of a frequency-selective channel, the mean."""
        return sum(self.fading.mean_power(state) * mean_esno for state, mean_esno in heard)

    def lookup(self, block_format: BlockFormat, esno: float) -> Lookup:
        return Lookup(0.0, "measured")

    def begin(self, transfer: Transfer, blocks: Sequence[Block], mcs: Mcs, state: ChannelState) -> Any:
        return [INTACT if block.protected else Arrived(True, self._received(transfer, block)) for block in blocks]

    def _received(self, transfer: Transfer, block: Block) -> bytes:
        data = block.data(transfer.payload)
        if not self.radio.bit_error_rate:
            return data
        return flip(data, self.radio.bit_error_rate, self.seed, "bit error", *transfer.noise_name, block.index)


def _fate(block: Block) -> tuple[int, ...]:
    """What the error rate of a burst's blocks hangs on: their length, and in which bursts they were heard before, by
    identity, for states may be arrays."""
    return (block.k, *map(id, block.heard))


class TableAir(Air):
    """Each block's fate is drawn with the BLER that the exact chain showed at this effective Es/N0.

    A block that was combined from n receptions is known to have failed after n − 1, so that it fails again with
    BLER(γ_n)/BLER(γ_(n−1)), γ_n the effective Es/N0 of n receptions: under flat fading, the sum of theirs. At most
    with the BLER of the new reception alone: where tables end, at their least rate, the ratio says nothing.
    """

    def __init__(self, radio: Radio, seed: int, plane: SignalPlane) -> None:
        super().__init__(radio, seed)
        self.plane = plane

    def begin(self, transfer: Transfer, blocks: Sequence[Block], mcs: Mcs, state: ChannelState) -> Any:
        # A block's attempt begins one burst at most, so its name can stand for the whole burst's draws.
        names = (*transfer.noise_name, blocks[0].index, blocks[0].attempt)
        draws = streams.uniforms(self.seed, "block", *names, count=len(blocks))
        blers: list[float] = []
        for _, group in groupby(blocks, _fate):  # nearly all of a burst are alike
            alike = list(group)
            found = self._found(alike[0], mcs, Heard(state, transfer.receiver.esno))
            self.plane.count_lookups(found, len(alike))
            blers += [found.bler] * len(alike)
        if self.radio.audit:
            self._audit(transfer, blocks, mcs, state, blers)
        return [INTACT if draw >= bler else LOST for draw, bler in zip(draws, blers, strict=True)]

    def _found(self, block: Block, mcs: Mcs, now: Heard) -> Lookup:
        """The probability that a block fails now, given that it has failed before."""
        block_format, heard = block.format(mcs), block.heard
        found = self.lookup(block_format, self.effective_esno((*heard, now), block_format))
        if heard:
            before = self.lookup(block_format, self.effective_esno(heard, block_format))
            alone = self.lookup(block_format, self.effective_esno((now,), block_format))
            found = found._replace(bler=min(found.bler / before.bler, alone.bler))
        return found

    def _audit(
        self, transfer: Transfer, blocks: Sequence[Block], mcs: Mcs, state: ChannelState, blers: Sequence[float]
    ) -> None:
        """Run the share ``audit`` of the blocks through the exact chain as well; the plane keeps the tally."""
        names = (*transfer.noise_name, blocks[0].index, blocks[0].attempt)
        draws = streams.uniforms(self.seed, "audit", *names, count=len(blocks))
        for block, bler, draw in zip(blocks, blers, draws, strict=True):
            if draw < self.radio.audit:
                self.plane.audit(_job(self, transfer, block, mcs, state), bler)


class ExactAir(Air):
    """Every block through CRC, LDPC, QAM, channel, demapper and decoder, on a ticket."""

    def __init__(self, radio: Radio, seed: int, plane: SignalPlane) -> None:
        super().__init__(radio, seed)
        self.plane = plane

    def begin(self, transfer: Transfer, blocks: Sequence[Block], mcs: Mcs, state: ChannelState) -> Any:
        jobs = [_job(self, transfer, block, mcs, state) for block in blocks]
        return self.plane.transmit(jobs, self.radio.backend)

    def end(self, burst: Burst) -> Sequence[Arrived]:
        return [Arrived(result.ok, result.payload) for result in self.plane.result(burst.ticket)]


def _job(air: Air, transfer: Transfer, block: Block, mcs: Mcs, state: ChannelState) -> BlockJob:
    """A block with what the receiver has heard of it: earlier transmissions are functions of their names."""
    block_format = block.format(mcs)
    first = block.attempt - len(block.heard)
    receptions = []
    for attempt, then in enumerate((*block.heard, Heard(state, transfer.receiver.esno)), start=first):
        names = (*transfer.noise_name, block.index, attempt)
        gain = air.fading.gains(then.state, block_format.channel_uses, *names)
        receptions.append(Reception(then.mean_esno, gain, (air.seed, "noise", *names)))
    return BlockJob(block.data(transfer.payload), block_format, tuple(receptions))


def air_for(radio: Radio, seed: int, plane: SignalPlane) -> Air:
    """The air of a class of wireless links, by its fidelity."""
    if radio.fidelity == "ideal":
        return IdealAir(radio, seed)
    return (TableAir if radio.fidelity == "table" else ExactAir)(radio, seed, plane)
