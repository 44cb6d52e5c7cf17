"""A half-duplex carrier: it serves one burst at a time, up or down, data with its acknowledgement."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import simpy

from simnet.core.mcs import Mcs
from simnet.core.streams import Name
from simnet.core.tables import PayloadClass, TransferRow
from simnet.net.block import AnyBlock
from simnet.net.clock import Clock
from simnet.net.errors import QueueFull
from simnet.net.payload import Payload
from simnet.net.queues import SCHEDULERS, Queue
from simnet.phy.link_fading import ChannelState
from simnet.scenario.schema import Radio

if TYPE_CHECKING:
    from simnet.net.radio import RadioLink

URGENCY: dict[PayloadClass, int] = {"control": 0, "code": 1, "enhancement": 2, "model": 3}


@dataclass(frozen=True)
class RadioEnd:
    """One end of a wireless link.

    Args:
        esno: mean Es/N0 (linear) of what this end receives.
    """

    node: str
    power_w: float
    esno: float


@dataclass(frozen=True)
class Burst:
    """What one grant sends: blocks at one MCS over one state of the channel.

    Args:
        uses: channel uses of each block.
        n_byte, n_use: of all blocks.
        attempt_count: most transmissions of any of them, this one included.
    """

    blocks: Sequence[AnyBlock]
    uses: Sequence[int]
    n_byte: int
    n_use: int
    attempt_count: int
    mcs: Mcs
    state: ChannelState
    duration_s: float
    ticket: Any


@dataclass(eq=False)
class Transfer:
    """One payload waiting for, or using, a carrier.

    Args:
        order: position among all that ever came to this carrier.
        pending: blocks to be sent yet, or again.
        waiting_since_s: when it last began to wait for a grant.
        received: the unprotected body as it arrives.
        done: succeeds when all blocks have arrived, or one is lost for good (``failed``).
    """

    payload: Payload
    link: RadioLink
    sender: RadioEnd
    receiver: RadioEnd
    row: TransferRow
    done: simpy.Event
    order: int
    pending: deque[AnyBlock]
    waiting_since_s: float
    received: bytearray = field(init=False)
    burst: Burst | None = None
    failed: bool = False

    def __post_init__(self) -> None:
        self.received = bytearray(self.payload.body)

    @cached_property
    def flow(self) -> str:
        return f"{self.sender.node}>{self.receiver.node}"

    @property
    def urgency(self) -> int:
        return URGENCY[self.payload.payload_class]

    @property
    def noise_name(self) -> tuple[Name, ...]:
        """Names the fate of this payload's blocks on this link, whatever else is going on."""
        payload = self.payload
        return self.link.name, self.flow, payload.request_name, payload.label, payload.repeat


class Carrier:
    """Grants bursts to the transfers of its links, in the scheduler's order; never two at a time.

    Cells are orthogonal: carriers don't disturb each other.
    """

    def __init__(self, clock: Clock, radio: Radio) -> None:
        self.clock = clock
        self.radio = radio
        self.queue: Queue[Transfer] = SCHEDULERS[radio.scheduler]()
        self.n_submitted = 0
        self.serving: Transfer | None = None
        self._unfinished: dict[int, Transfer] = {}
        """By their order."""

    def submit(self, transfer: Transfer) -> None:
        """Queue a transfer.

        Raises:
            QueueFull: ``queue_limit`` payloads are waiting.
        """
        if self.radio.queue_limit is not None and len(self.queue) >= self.radio.queue_limit:
            raise QueueFull(transfer.flow)
        self.queue.push(transfer)
        self._unfinished[transfer.order] = transfer
        self._grant()

    def _grant(self) -> None:
        """If the carrier is free and somebody waits: one burst."""
        if self.serving is None and len(self.queue):
            transfer = self.serving = self.queue.pop()
            transfer.burst = transfer.link.begin_burst(transfer, self.clock.now)
            self._after(transfer.burst.duration_s, self._end_burst)

    def _end_burst(self) -> None:
        transfer, self.serving = self.serving, None
        assert transfer is not None
        n_wrong = transfer.link.end_burst(transfer)
        transfer.waiting_since_s = self.clock.now
        if transfer.failed or not transfer.pending:
            del self._unfinished[transfer.order]
            transfer.done.succeed()
        elif n_wrong and self.radio.retry_delay_s:
            self._after(self.radio.retry_delay_s, lambda: self._queue_again(transfer))
        else:
            self.queue.push_again(transfer)
        self._grant()

    def _queue_again(self, transfer: Transfer) -> None:
        self.queue.rejoin(transfer)
        self._grant()

    def _after(self, delay_s: float, what: Callable[[], None]) -> None:
        """Call ``what`` after a delay: a carrier needs no process of its own."""
        self.clock.timeout(delay_s).callbacks.append(lambda event: what())

    def close(self) -> None:
        """The run is over: the burst on the air, if any, stays in flight; the others have waited until now."""
        for transfer in self._unfinished.values():
            if transfer is not self.serving:
                transfer.row.queue_s += self.clock.now - transfer.waiting_since_s
        if self.serving is not None:
            burst, row = self.serving.burst, self.serving.row
            assert burst is not None
            row.in_flight_byte += burst.n_byte
            row.in_flight_channel_use += burst.n_use
