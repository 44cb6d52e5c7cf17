"""Wired links: full duplex, error free, one first-in-first-out queue per direction."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable

from simnet.core.tables import TransferRow
from simnet.net.errors import QueueFull
from simnet.net.hop import Hop
from simnet.scenario.schema import Wire


class Direction:
    """One direction of a wire: ``channels`` servers, first come, first served.

    What is sent is sent, so its state is but a few numbers: when each channel will be free, and when those who wait
    will begin.
    """

    __slots__ = ("_begins_s", "_free_s", "_queue_limit")

    def __init__(self, wire: Wire) -> None:
        self._free_s = [0.0] * wire.channels
        """A heap: the channel that is free first comes first."""
        self._queue_limit = wire.queue_limit
        self._begins_s: deque[float] = deque()
        """Where the queue is limited: when those who waited at the last arrival begin."""

    def enter(self, now_s: float, service_s: float) -> float | None:
        """Take a place. Returns when the service begins, s; None if the queue is full."""
        begin_s = max(now_s, self._free_s[0])
        if begin_s > now_s and self._queue_limit is not None:
            while self._begins_s and self._begins_s[0] <= now_s:
                self._begins_s.popleft()
            if len(self._begins_s) >= self._queue_limit:
                return None
            self._begins_s.append(begin_s)
        heapq.heapreplace(self._free_s, begin_s + service_s)
        return begin_s


class WiredLink:
    """A wired link. What will become of a payload is known when it enters its direction's queue.

    Args:
        propagation_s: time of flight.
        spend: called with node, tx_j, rx_j.
    """

    unprotected = False

    def __init__(
        self, name: str, link_class: str, nodes: tuple[str, str], wire: Wire, propagation_s: float,
        spend: Callable[[str, float, float], None],
    ) -> None:  # fmt: skip
        self.name = name
        self.link_class = link_class
        self.nodes = nodes
        self.wire = wire
        self.spend = spend
        self.flight_s = propagation_s + wire.delay_s
        self._from_a, self._from_b = Direction(wire), Direction(wire)

    def other(self, node: str) -> str:
        a, b = self.nodes
        return b if node == a else a

    def enter(self, sender: str, n_byte: int, now_s: float) -> tuple[float, float]:
        """A payload enters its direction's queue.

        Returns:
            When its transmission begins, s; and the time from now until it has arrived, s.

        Raises:
            QueueFull: the wire's queue limit is reached.
        """
        direction = self._from_a if sender == self.nodes[0] else self._from_b
        service_s = self.service_s(n_byte)
        begin_s = direction.enter(now_s, service_s)
        if begin_s is None:
            raise QueueFull(f"{sender}>{self.other(sender)}")
        return begin_s, begin_s - now_s + service_s + self.flight_s

    def leave(self, sender: str, n_byte: int) -> None:
        """It has arrived, unharmed: that cost energy, if bits cost any."""
        if self.wire.joule_per_bit:
            self.spend(sender, self.expected_energy_j(n_byte, sender), 0.0)

    def delivered(self, hop: Hop, started_s: float, ended_s: float) -> TransferRow:
        """The row of a payload that has arrived."""
        row = self._begun(hop, started_s)
        row.outcome, row.ended_s, row.attempt_count, row.delivered_byte = "delivered", ended_s, 1, hop.n_byte
        return row

    def cut_off(self, hop: Hop, started_s: float, now_s: float) -> TransferRow:
        """The run is over while this payload is under way: in flight if it has begun, else it was never sent."""
        if started_s >= now_s:
            row = hop.row(self)
            row.queue_s = now_s - hop.queued_s
            return row
        row = self._begun(hop, started_s)
        row.in_flight_byte = hop.n_byte
        self.leave(hop.sender, hop.n_byte)
        return row

    def _begun(self, hop: Hop, started_s: float) -> TransferRow:
        """The row of a payload whose transmission has begun: what that takes."""
        row = hop.row(self)
        row.started_s, row.burst_count, row.first_byte = started_s, 1, hop.n_byte
        row.queue_s, row.air_s, row.propagation_s = started_s - hop.queued_s, self.service_s(hop.n_byte), self.flight_s
        row.tx_j = self.expected_energy_j(hop.n_byte, hop.sender)
        return row

    def service_s(self, n_byte: int) -> float:
        """Time that the payload's bits take at the wire's rate."""
        return 8 * n_byte / self.wire.rate_bit_per_s

    def expected_airtime_s(self, n_byte: int, sender: str) -> float:
        """Time from sending to arrival on an idle wire."""
        return self.service_s(n_byte) + self.flight_s

    def expected_energy_j(self, n_byte: int, sender: str) -> float:
        """Energy of sending a payload."""
        return 8 * n_byte * self.wire.joule_per_bit
