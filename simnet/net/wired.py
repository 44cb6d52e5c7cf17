"""Wired links: full duplex, error free, one first-in-first-out queue per direction."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from simnet.core.tables import TransferRow
from simnet.net.clock import Clock
from simnet.net.errors import QueueFull
from simnet.scenario.schema import Wire


class Direction:
    """One direction of a wire: ``channels`` servers, first come, first served.

    What is sent is sent, so its state is but a few numbers: when each channel will be free, and when those who wait
    will begin.
    """

    __slots__ = ("_begins_s", "_free_s", "_queue_limit")

    def __init__(self, wire: Wire) -> None:
        self._free_s = [0.0] * wire.channels
        self._queue_limit = wire.queue_limit
        self._begins_s: deque[float] = deque()
        """Where the queue is limited: when those who waited at the last arrival begin."""

    def begin(self, now_s: float, service_s: float) -> float | None:
        """Take a place. Returns when the service begins, s; None if the queue is full."""
        free_s = self._free_s
        begin_s = free_s[0] if free_s[0] > now_s else now_s
        if begin_s > now_s and self._queue_limit is not None:
            while self._begins_s and self._begins_s[0] <= now_s:
                self._begins_s.popleft()
            if len(self._begins_s) >= self._queue_limit:
                return None
            self._begins_s.append(begin_s)
        if len(free_s) == 1:
            free_s[0] = begin_s + service_s
        else:
            heapq.heapreplace(free_s, begin_s + service_s)
        return begin_s


@dataclass(eq=False, slots=True)
class WiredLink:
    """A wired link.

    Args:
        propagation_s: time of flight.
        spend: called with node, tx_j, rx_j.
    """

    name: str
    link_class: str
    nodes: tuple[str, str]
    wire: Wire
    propagation_s: float
    clock: Clock
    spend: Callable[[str, float, float], None]
    unprotected: bool = field(default=False, init=False)
    _flight_s: float = field(init=False)
    _directions: tuple[Direction, Direction] = field(init=False)

    def __post_init__(self) -> None:
        self._flight_s = self.propagation_s + self.wire.delay_s
        self._directions = (Direction(self.wire), Direction(self.wire))

    def other(self, node: str) -> str:
        a, b = self.nodes
        return b if node == a else a

    def begin(self, row: TransferRow) -> float:
        """A payload enters its direction's queue. Returns the time until it will have arrived, s.

        Raises:
            QueueFull: the wire's queue limit is reached.
        """
        now_s = row.queued_s
        service_s = self.service_s(row.payload_byte)
        begin_s = self._directions[row.sender == self.nodes[1]].begin(now_s, service_s)
        if begin_s is None:
            raise QueueFull(f"{row.sender}>{row.receiver}")
        row.started_s = begin_s
        row.queue_s = queue_s = begin_s - now_s
        row.air_s = service_s
        row.propagation_s = self._flight_s
        return queue_s + service_s + self._flight_s

    def end(self, row: TransferRow) -> None:
        """It has arrived, unharmed."""
        self._count_sent(row)
        row.attempt_count = 1
        row.delivered_byte = row.payload_byte

    def close(self, row: TransferRow, now_s: float) -> None:
        """The run is over while this payload is under way: in flight if it has begun, else it was never sent."""
        assert row.started_s is not None
        if row.started_s < now_s:
            self._count_sent(row)
            row.in_flight_byte = row.payload_byte
        else:
            row.started_s, row.queue_s, row.air_s, row.propagation_s = None, now_s - row.queued_s, 0.0, 0.0

    def _count_sent(self, row: TransferRow) -> None:
        row.burst_count = 1
        row.first_byte = row.payload_byte
        if self.wire.joule_per_bit:
            row.tx_j = self.expected_energy_j(row.payload_byte, row.sender)
            self.spend(row.sender, row.tx_j, 0.0)

    def service_s(self, n_byte: int) -> float:
        """Time that the payload's bits take at the wire's rate."""
        return 8 * n_byte / self.wire.rate_bit_per_s

    def expected_airtime_s(self, n_byte: int, sender: str) -> float:
        """Time from sending to arrival on an idle wire."""
        return self.service_s(n_byte) + self._flight_s

    def expected_energy_j(self, n_byte: int, sender: str) -> float:
        """Energy of sending a payload."""
        return 8 * n_byte * self.wire.joule_per_bit
