"""Payloads that cross wires: noted once for several hops, written as a row for each."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter, itemgetter
from typing import Any, Final, Protocol, TypeVar

import numpy as np

from simnet.core.records import ColumnsOf, NoteColumns, Notes, Numbers
from simnet.core.tables import PayloadClass

Sent = tuple[int, PayloadClass, str, int]
"""What rows of ``transfers`` say of a payload: request id, class, label, bytes; one object for all its hops."""
REQUEST_ID: Final = 0
PAYLOAD_CLASS: Final = 1
PAYLOAD: Final = 2
PAYLOAD_BYTE: Final = 3
WALK = ("links", "first", "n_hop", "sender", "sent", "transfer_id", "queued_s", "started_s")
"""Facts of a payload that has crossed wires one after another: the links of its way, the index of the first of these
wires, how many they are, who sent it over the first, what it is, the first transfer's id, and when that was queued and
began, s. It waited for none of the others."""
LINKS, FIRST, N_HOP, SENDER, WALKER, FIRST_ID, FIRST_QUEUED_S, FIRST_STARTED_S = range(len(WALK))
WAY, SENT, TRANSFER_ID, QUEUED_S, STARTED_S, ENDED_S = range(6)
"""Facts of a payload that has crossed one wire."""
Column = Callable[[Notes], Any]
N = TypeVar("N", float, Numbers)


class Way(Protocol):
    """One direction of a wire."""

    @property
    def receiver(self) -> str: ...

    @property
    def rate_bit_per_s(self) -> float: ...

    @property
    def flight_s(self) -> float: ...


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


def hops_of(walks: Notes) -> Notes:
    """One note for each hop of the walks."""
    places: dict[Way, int] = {}
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
