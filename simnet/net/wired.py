"""Wired links: full duplex, error free, one first-in-first-out queue per direction."""

from __future__ import annotations

from collections import deque
from heapq import heappushpop

from simnet.core.tables import TransferRow
from simnet.core.walks import Sent, arrival_s, energy_j, service_s
from simnet.net.errors import QueueFull
from simnet.scenario.schema import Wire


class Direction:
    """One direction of a wire: ``channels`` servers, first come, first served.

    What will become of a payload is known when it enters, so its state is but a few numbers: when each channel will be
    free, and when those who wait will begin.
    """

    __slots__ = (
        "_begins_s", "_others_s", "flight_s", "free_s", "is_single", "joule_per_bit", "link", "link_class",
        "queue_limit", "rate_bit_per_s", "receiver", "sender",
    )  # fmt: skip

    def __init__(self, link: WiredLink, sender: str, receiver: str, wire: Wire) -> None:
        self.link = link.name
        self.link_class = link.link_class
        self.sender = sender
        self.receiver = receiver
        self.rate_bit_per_s = wire.rate_bit_per_s
        self.flight_s = link.flight_s
        self.joule_per_bit = wire.joule_per_bit
        self.queue_limit = wire.queue_limit
        self.is_single = wire.channels == 1
        """Whether there is one channel: then a payload that finds it free may be noted in ``free_s`` alone."""
        self.free_s = 0.0
        """When the channel that is free first will be."""
        self._others_s = [0.0] * (wire.channels - 1)
        """A heap: when the other channels will be."""
        self._begins_s: deque[float] = deque()
        """Where the queue is limited: when those who waited at the last arrival begin."""

    def enter(self, n_byte: int, now_s: float) -> tuple[float, float]:
        """A payload takes a place.

        Returns:
            When its transmission begins, and when it will have arrived, s.

        Raises:
            QueueFull: the wire's queue limit is reached.
        """
        begin_s = self.free_s
        if begin_s <= now_s:
            begin_s = now_s
        elif self.queue_limit is not None:
            self._wait(begin_s, now_s, self.queue_limit)
        service_s = 8 * n_byte / self.rate_bit_per_s
        end_s = begin_s + service_s
        self.free_s = heappushpop(self._others_s, end_s) if self._others_s else end_s
        return begin_s, arrival_s(now_s, begin_s, service_s, self.flight_s)

    def _wait(self, begin_s: float, now_s: float, limit: int) -> None:
        waiting = self._begins_s
        while waiting and waiting[0] <= now_s:
            waiting.popleft()
        if len(waiting) >= limit:
            raise QueueFull(f"{self.sender}>{self.receiver}")
        waiting.append(begin_s)

    def service_s(self, n_byte: int) -> float:
        """Time that the payload's bits take at the wire's rate."""
        return service_s(n_byte, self.rate_bit_per_s)

    def energy_j(self, n_byte: int) -> float:
        return energy_j(n_byte, self.joule_per_bit)

    def row(self, arm: str, transfer_id: int, sent: Sent, queued_s: float) -> TransferRow:
        """The row of a transfer that has not begun."""
        return TransferRow(
            arm, transfer_id, sent[0], self.link, self.link_class, self.sender, self.receiver, *sent[1:], queued_s
        )


class WiredLink:
    """A wired link.

    Args:
        propagation_s: time of flight.
    """

    unprotected = False

    def __init__(self, name: str, link_class: str, nodes: tuple[str, str], wire: Wire, propagation_s: float) -> None:
        self.name = name
        self.link_class = link_class
        self.nodes = nodes
        self.flight_s = propagation_s + wire.delay_s
        a, b = nodes
        self.ways = {a: Direction(self, a, b, wire), b: Direction(self, b, a, wire)}
        """Sender -> the direction from there."""

    def other(self, node: str) -> str:
        a, b = self.nodes
        return b if node == a else a

    def expected_airtime_s(self, n_byte: int, sender: str) -> float:
        """Time from sending to arrival on an idle wire."""
        return self.ways[sender].service_s(n_byte) + self.flight_s

    def usual_airtime_s(self, n_byte: int, sender: str) -> float:
        """:meth:`expected_airtime_s`: a wire is always the same."""
        return self.expected_airtime_s(n_byte, sender)

    def expected_energy_j(self, n_byte: int, sender: str) -> float:
        """Energy of sending a payload."""
        return self.ways[sender].energy_j(n_byte)


def cut_off(row: TransferRow, way: Direction, started_s: float, now_s: float) -> None:
    """The run is over while this payload is under way: in flight if it has begun, else it was never sent.

    Args:
        row: of a transfer that has not begun.
    """
    if started_s >= now_s:
        row.queue_s = now_s - row.queued_s
        return
    n_byte = row.payload_byte
    row.started_s, row.burst_count, row.first_byte, row.in_flight_byte = started_s, 1, n_byte, n_byte
    row.queue_s, row.air_s, row.propagation_s = started_s - row.queued_s, way.service_s(n_byte), way.flight_s
    row.tx_j = way.energy_j(n_byte)
