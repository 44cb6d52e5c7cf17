"""Wired links: full duplex, error free, one first-in-first-out queue per direction."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from heapq import heappushpop
from operator import attrgetter, itemgetter
from typing import Any, Final, TypeVar

import numpy as np

from simnet.core.records import ColumnsOf, NoteColumns, Notes, Numbers
from simnet.core.tables import PayloadClass, TransferRow
from simnet.net.errors import QueueFull
from simnet.scenario.schema import Wire

Sent = tuple[int, PayloadClass, str, int]
"""What rows of ``transfers`` say of a payload: request id, class, label, bytes; one object for all its hops."""
N = TypeVar("N", float, Numbers)


def service_s(n_byte: N, rate_bit_per_s: N) -> N:
    """Time that the bits of a payload, or of each of many, take at a wire's rate."""
    return 8 * n_byte / rate_bit_per_s


def arrival_s(queued_s: N, begin_s: N, service_s: N, flight_s: N) -> N:
    """When a payload, or each of many, has arrived that was queued and began at these times."""
    arrival: N = queued_s + (begin_s - queued_s + service_s + flight_s)
    return arrival


def energy_j(n_byte: N, joule_per_bit: N) -> N:
    """What a payload's bits take of the sender's energy."""
    return 8 * n_byte * joule_per_bit


class Direction:
    """One direction of a wire: ``channels`` servers, first come, first served.

    What will become of a payload is known when it enters, so its state is but a few numbers: when each channel will be
    free, and when those who wait will begin.
    """

    __slots__ = (
        "_begins_s", "_free_s", "_others_s", "flight_s", "joule_per_bit", "link", "link_class", "queue_limit",
        "rate_bit_per_s", "receiver", "sender",
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
        self._free_s = 0.0
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
        begin_s = self._free_s
        if begin_s <= now_s:
            begin_s = now_s
        elif self.queue_limit is not None:
            self._wait(begin_s, now_s, self.queue_limit)
        service_s = 8 * n_byte / self.rate_bit_per_s
        end_s = begin_s + service_s
        self._free_s = heappushpop(self._others_s, end_s) if self._others_s else end_s
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


Hop = tuple[Direction, Sent, int, float, float]
"""A payload under way: direction, what it is, transfer id, when it was queued and begins, s."""
HOP_WIDTH = 6
"""Of a payload that has arrived: the fields of a :data:`Hop`, and when it arrived, s."""
WAY: Final = 0
SENT: Final = 1
TRANSFER_ID: Final = 2
QUEUED_S: Final = 3
STARTED_S: Final = 4
ENDED_S: Final = 5
REQUEST_ID: Final = 0
PAYLOAD_CLASS: Final = 1
PAYLOAD: Final = 2
PAYLOAD_BYTE: Final = 3
"""The fields of :data:`Sent`."""
WALK_WIDTH = 8
"""Of a payload that has crossed wires one after another: the fields below."""
LINKS: Final = 0
"""Of its way."""
FIRST: Final = 1
"""Index of the first of these wires."""
N_HOP: Final = 2
"""How many they are."""
SENDER: Final = 3
"""Who sent it over the first."""
WALKER: Final = 4
"""What it is."""
FIRST_ID: Final = 5
"""The first transfer's id …"""
FIRST_QUEUED_S: Final = 6
FIRST_STARTED_S: Final = 7
"""… and when it was queued and began. The others didn't wait."""


def hops_of(walks: Notes) -> Notes:
    """One note for each hop of the walks."""
    places: dict[Direction, int] = {}
    codes: list[int] = []
    for links, first, n_hop, sender in zip(*(walks[fact] for fact in (LINKS, FIRST, N_HOP, SENDER)), strict=True):
        for link in links[first : first + n_hop]:
            way = link.ways[sender]
            codes.append(places.setdefault(way, len(places)))
            sender = way.receiver
    ways, way_of = list(places), np.array(codes, np.int64)
    n_hops = np.array(walks[N_HOP], np.int64)
    ends = np.cumsum(n_hops)
    begins = ends - n_hops
    walk_of = np.repeat(np.arange(len(n_hops)), n_hops)
    n_bytes = np.array([sent[PAYLOAD_BYTE] for sent in walks[WALKER]], np.int64)[walk_of]
    services_s = service_s(n_bytes, np.array([way.rate_bit_per_s for way in ways])[way_of])
    flights_s = np.array([way.flight_s for way in ways])[way_of]
    queued_s, started_s, ended_s = (np.empty(len(way_of)) for _ in range(3))
    queue_s, start_s = walks.floats(FIRST_QUEUED_S), walks.floats(FIRST_STARTED_S)
    for rank in range(max(n_hops, default=0)):
        on = np.flatnonzero(n_hops > rank)
        row = begins[on] + rank
        queued_s[row], started_s[row] = queue_s[on], start_s[on]
        ended_s[row] = arrival_s(queue_s[on], start_s[on], services_s[row], flights_s[row])
        queue_s[on] = start_s[on] = ended_s[row]
    transfer_ids = (np.array(walks[FIRST_ID], np.int64) - begins)[walk_of] + np.arange(len(way_of))
    return NoteColumns(
        {TRANSFER_ID: transfer_ids, QUEUED_S: queued_s, STARTED_S: started_s, ENDED_S: ended_s},
        {WAY: (ways, way_of), SENT: (walks[WALKER], walk_of)},
    )


Column = Callable[[Notes], Any]


def cut_off(arm: str, hop: Hop, now_s: float) -> TransferRow:
    """The run is over while this payload is under way: in flight if it has begun, else it was never sent."""
    way, sent, transfer_id, queued_s, started_s = hop
    row, n_byte = way.row(arm, transfer_id, sent, queued_s), sent[3]
    if started_s >= now_s:
        row.queue_s = now_s - queued_s
        return row
    row.started_s, row.burst_count, row.first_byte, row.in_flight_byte = started_s, 1, n_byte, n_byte
    row.queue_s, row.air_s, row.propagation_s = started_s - queued_s, way.service_s(n_byte), way.flight_s
    row.tx_j = way.energy_j(n_byte)
    return row


def delivered_columns(arm: str) -> ColumnsOf:
    """Columns of ``transfers``, of notes of payloads that have arrived over wires, unharmed."""

    def of_ways(attribute: str) -> Column:
        return lambda notes: notes.each(WAY, attrgetter(attribute))

    def of_sents(index: int) -> Column:
        return lambda notes: notes.each(SENT, itemgetter(index))

    def always(value: object) -> Column:
        return lambda notes: notes.always(value)

    def of_bits(measure: Callable[[Numbers, Numbers], Numbers], attribute: str) -> Column:
        n_byte, of_way = itemgetter(PAYLOAD_BYTE), attrgetter(attribute)
        return lambda notes: measure(notes.numbers(SENT, n_byte), notes.numbers(WAY, of_way))

    return {
        "arm": always(arm),
        "transfer_id": itemgetter(TRANSFER_ID),
        "request_id": of_sents(REQUEST_ID),
        "link": of_ways("link"),
        "link_class": of_ways("link_class"),
        "sender": of_ways("sender"),
        "receiver": of_ways("receiver"),
        "payload_class": of_sents(PAYLOAD_CLASS),
        "payload": of_sents(PAYLOAD),
        "payload_byte": of_sents(PAYLOAD_BYTE),
        "queued_s": itemgetter(QUEUED_S),
        "started_s": itemgetter(STARTED_S),
        "ended_s": itemgetter(ENDED_S),
        "outcome": always("delivered"),
        "burst_count": always(1),
        "attempt_count": always(1),
        "first_byte": of_sents(PAYLOAD_BYTE),
        "delivered_byte": of_sents(PAYLOAD_BYTE),
        "queue_s": lambda notes: notes.floats(STARTED_S) - notes.floats(QUEUED_S),
        "air_s": of_bits(service_s, "rate_bit_per_s"),
        "propagation_s": of_ways("flight_s"),
        "tx_j": of_bits(energy_j, "joule_per_bit"),
    }
