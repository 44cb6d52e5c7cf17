"""One arm's network in simulated time: nodes, links, and payloads that go from one to another."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import itemgetter
from typing import Any

import simpy

from simnet.core.records import ColumnsOf, Notes, Recorder, Spread
from simnet.core.tables import NodeRow, RequestRow, StoreRow, TransferRow
from simnet.core.terms import TIERS
from simnet.core.units import linear_to_db
from simnet.core.walks import N_HOP, PAYLOAD, PAYLOAD_BYTE, REQUEST_ID, WALK, Sent, delivered_columns, hops_of
from simnet.net.assembly import AnyLink, LinkMaker, make_nodes
from simnet.net.clock import Clock
from simnet.net.errors import RequestEnded
from simnet.net.holders import Holders
from simnet.net.latency import Latency
from simnet.net.node import Node
from simnet.net.payload import Payload
from simnet.net.radio import RadioLink
from simnet.net.routing import Routes
from simnet.net.timeline import Timeline
from simnet.net.wired import Direction, cut_off
from simnet.net.worth import SliceWorth
from simnet.scenario.schema import Protocol, Scenario
from simnet.signal.plane import SignalPlane
from simnet.store.store import StoreEvent, ignore
from simnet.topology.plan import NetworkPlan
from simnet.wire.slices import Slice

KIND, SLICE_ID, OCCUPANCY_BYTE, TIME_S, STORE = map(
    StoreEvent._fields.index, ("kind", "slice_id", "occupancy_byte", "time_s", "store")
)
"""Where the events of stores say what ``stores`` tells of."""
AtNode = Callable[[Node, bytes], bool | None]
"""Told of each node that a payload reaches, with the body as it arrived there; true: it goes no further."""
Walk = tuple[Sequence[AnyLink], int, str, Sent, float, float]
"""A payload's way over wires one after another, of which it waited for the first only: the links of its whole way, the
index of the first of these wires, who sent it over that, what it is, and when it was queued there and began, s."""
UnderWay = tuple[Walk, int, Direction, float, float]
"""A payload on a wire: its walk, the wire's index on its way, the wire, and when it was queued there and begins, s."""


@dataclass
class Network:
    """Nodes and links of one arm.

    Args:
        plan: what the topology says.
        slices: every slice that may travel, id -> slice: for names in records.

    Raises:
        TopologyError: the plan doesn't fit the scenario's radios and wires.
    """

    clock: Clock
    arm: str
    scenario: Scenario
    protocol: Protocol
    plan: NetworkPlan
    plane: SignalPlane
    recorder: Recorder
    timeline: Timeline
    slices: Mapping[str, Slice]

    def __post_init__(self) -> None:
        columns_of = delivered_columns(self.arm)
        self._note_walk = self.recorder.notes(TransferRow, len(WALK), columns_of, Spread(hops_of, N_HOP))
        self._note_store = self.recorder.notes(StoreRow, len(StoreEvent._fields), self._store_columns())
        maker = LinkMaker(self.scenario, self.clock, self.plane, self._spend)
        self.nodes = make_nodes(self.plan.nodes, self.scenario, self.protocol, self.clock, self._note_store)
        self.links: dict[str, AnyLink] = {plan.name: maker.make(plan) for plan in self.plan.links}
        self.carriers = maker.carriers
        self._links_of: dict[str, list[AnyLink]] = {name: [] for name in self.nodes}
        for link in self.links.values():
            for name in link.nodes:
                self._links_of[name].append(link)
        self._wires_cost = any(wire.joule_per_bit for wire in self.scenario.wires.values())
        self._some_unprotected = any(link.unprotected for link in self.links.values())
        self.routes: Routes[AnyLink] = Routes(self._links_of)
        self.built_with: dict[str, list[str]] = {}
        """Slice id -> nodes that were built with it."""
        self._holders: Holders | None = None
        """See :attr:`holders`; kept from when somebody first asks."""
        self.requests: dict[int, RequestRow] = {}
        """Request id -> row: each hop's bytes and channel uses are added to the request that they serve."""
        self._on_air: dict[int, TransferRow] = {}
        """Transfer id -> row of what is under way over a radio."""
        self._under_way: dict[int, UnderWay] = {}
        """What is under way over a wire, by its walk's ``id``."""
        self._n_transfer = 0

    def links_of(self, node: str) -> list[AnyLink]:
        """A node's links, in the topology's order."""
        return self._links_of[node]

    def unprotected(self, origin: str, target: str) -> bool:
        """Whether a link of the route lets bit errors through: then bodies travel in the raw layout."""
        return self.lets_errors_through(self.routes.path(origin, target))

    def lets_errors_through(self, links: Iterable[AnyLink]) -> bool:
        """Whether one of these links does."""
        return self._some_unprotected and any(link.unprotected for link in links)

    def unprotected_esno_db(self, origin: str, target: str) -> float | None:
        """Least mean Es/N0, as it is now, of the route's unprotected links; None if every link repairs its errors."""
        esnos, node = [], origin
        for link in self.routes.path(origin, target):
            node = link.other(node)
            if isinstance(link, RadioLink) and link.unprotected:
                esnos.append(link.esno_db(node))
        return min(esnos, default=None)

    # ------------------------------------------------------------------ slices

    def provision(self, node: Node, slices: Iterable[Slice]) -> None:
        """Build slices into a node, outside its store."""
        for slice_ in slices:
            node.provisioned[slice_.id] = slice_
            self.built_with.setdefault(slice_.id, []).append(node.name)
            self._note_store(("provision", slice_.id, slice_.n_byte, 0, self.clock.now, node.name))

    def install(
        self, node: Node, slice_: Slice, arrived: Slice, fetch_cost_byte: float, *, renews: bool = True
    ) -> bool:
        """Store a slice as it arrived, but no damaged one in a clean one's place; False if it is used once, not stored.

        Args:
            renews: false: one that the store holds already stays as it is, and what arrived is not stored.
        """
        slice_id, store, requires = slice_.id, node.store, slice_.requires
        if arrived.damaged and (not self.protocol.keep_damaged or node.offers(slice_id)):
            return False
        if requires:
            requires = tuple(r for r in requires if r not in node.provisioned)
        worth = self._worth.of(slice_id) if store.policy.reads_worth else 1.0
        if store.insert(slice_id, slice_.n_byte, requires, self.clock.now, fetch_cost_byte, worth, renews=renews):
            return False
        if arrived.damaged:
            node.damaged[slice_id] = arrived
            return True
        if node.damaged:
            node.damaged.pop(slice_id, None)
        if self._holders is not None:
            self._holders.add(slice_id, node.name)
        return True

    @property
    def holders(self) -> Holders:
        """Who was built with a slice or has stored a clean copy."""
        if self._holders is None:
            self._holders = Holders(self.nodes, self.routes, expiring=self.protocol.store.ttl_s is not None)
            for slice_id, names in self.built_with.items():
                for name in names:
                    self._holders.add(slice_id, name)
            for node in self.nodes.values():
                for slice_id in node.store.peek():
                    if slice_id not in node.damaged:
                        self._holders.add(slice_id, node.name)
        return self._holders

    @cached_property
    def _worth(self) -> SliceWorth:
        profiles = self.plane.codecs
        return SliceWorth({t: [profiles[name] for name in names] for t, names in self.protocol.codecs.items()})

    # ------------------------------------------------------------------ payloads

    def send(
        self,
        payload: Payload,
        origin: str,
        target: str,
        *,
        at_node: AtNode | None = None,
        latency: Latency | None = None,
    ) -> Generator[simpy.Event, Any, bytes]:
        """Process: bring a payload from one node to another, hop by hop. Returns its body as it arrived.

        Args:
            latency: of the request that waits for it.

        Raises:
            RequestEnded: no route, a hop failed, or a queue was full.
        """
        return self.send_along(self.routes.path(origin, target), payload, origin, at_node=at_node, latency=latency)

    def send_along(
        self,
        links: Sequence[AnyLink],
        payload: Payload,
        sender: str,
        *,
        at_node: AtNode | None = None,
        latency: Latency | None = None,
    ) -> Generator[simpy.Event, Any, bytes]:
        """Process: like :meth:`send`, over links that follow each other; one row of ``transfers`` for each.

        The way ends early where ``at_node`` says so.
        """
        clock, nodes, under_way, n_byte, body = self.clock, self.nodes, self._under_way, payload.n_byte, payload.body
        sent = payload.request_id, payload.payload_class, payload.label, n_byte
        told = latency is not None or self.timeline.wanted or self._wires_cost
        n_bit, now_s = 8 * n_byte, clock.now
        walk: Walk = links, 0, sender, sent, now_s, now_s
        for index, link in enumerate(links):
            way = link.ways.get(sender)
            if way is None:
                assert isinstance(link, RadioLink)
                self._note(walk, index)
                body = yield from self._over_air(link, payload, sender, latency)
                if body != payload.body:
                    payload = replace(payload, body=body)
                sender, now_s = link.other(sender), clock.now
                walk = links, index + 1, sender, sent, now_s, now_s
            else:
                queued_s = started_s = now_s
                if way.free_s <= now_s and way.is_single:  # what Direction.enter does, without a call
                    service_s = n_bit / way.rate_bit_per_s
                    way.free_s = now_s + service_s
                    now_s += service_s + way.flight_s
                else:
                    started_s, now_s = self._entered(way, sent, walk, index)
                    if started_s > queued_s:
                        self._note(walk, index)
                        walk = links, index, sender, sent, queued_s, started_s
                if now_s < clock.free_until_s:
                    clock.now = now_s  # nothing else happens meanwhile: an event would change nothing
                else:
                    under_way[id(walk)] = walk, index, way, queued_s, started_s
                    yield clock.alarm(now_s)
                    del under_way[id(walk)]
                sender = way.receiver
                if told:
                    self._tell(way, sent, started_s - queued_s, latency)
            if at_node is not None and at_node(nodes[sender], body):
                self._note(walk, index + 1)
                return body
        self._note(walk, len(links))
        return body

    def _entered(self, way: Direction, sent: Sent, walk: Walk, index: int) -> tuple[float, float]:
        """A payload takes its place in a wire's queue: when its transmission begins, and when it will arrive, s."""
        now_s = self.clock.now
        try:
            return way.enter(sent[PAYLOAD_BYTE], now_s)
        except RequestEnded:
            self._note(walk, index)
            row = self._not_begun(way, sent, now_s)
            row.outcome, row.ended_s = "lost", now_s
            self._record_transfer(row)
            raise

    def _note(self, walk: Walk, end: int) -> None:
        """Record that the payload has crossed the walk's wires before this index."""
        links, first, sender, sent, queued_s, started_s = walk
        n_hop = end - first
        if not n_hop:
            return
        self._note_walk((links, first, n_hop, sender, sent, self._n_transfer + 1, queued_s, started_s))
        self._n_transfer += n_hop
        request = self.requests.get(sent[REQUEST_ID])
        if request is not None:
            request.link_byte += n_hop * sent[PAYLOAD_BYTE]

    def _not_begun(self, way: Direction, sent: Sent, queued_s: float) -> TransferRow:
        """Row of a transfer over a wire that has not begun."""
        self._n_transfer += 1
        return way.row(self.arm, self._n_transfer, sent, queued_s)

    def _tell(self, way: Direction, sent: Sent, queue_s: float, latency: Latency | None) -> None:
        """A payload has crossed a wire."""
        n_byte = sent[PAYLOAD_BYTE]
        if way.joule_per_bit:
            self._spend(way.sender, way.energy_j(n_byte), 0.0)
        if latency is not None:
            latency.add(queue_s, way.service_s(n_byte), way.flight_s)
        if self.timeline.wanted:
            self._note_arrival(way.receiver, sent[PAYLOAD], way.sender)

    def _note_arrival(self, receiver: str, payload: str, sender: str) -> None:
        self.timeline.add(self.clock.now, receiver, "received {} from {}", payload, sender)

    def _over_air(
        self, link: RadioLink, payload: Payload, sender: str, latency: Latency | None
    ) -> Generator[simpy.Event, Any, bytes]:
        self._n_transfer += 1
        row = self._on_air[self._n_transfer] = TransferRow(
            self.arm, self._n_transfer, payload.request_id, link.name, link.link_class, sender, link.other(sender),
            payload.payload_class, payload.label, payload.n_byte, self.clock.now,
        )  # fmt: skip
        try:
            body = yield from link.send(payload, sender, row)
            row.outcome = "delivered"
        except RequestEnded:
            row.outcome = "lost"
            raise
        finally:
            if row.outcome != "in_flight":  # else the run is over, and close() has recorded the row
                del self._on_air[row.transfer_id]
                self._ended(row, latency)
        if self.timeline.wanted:
            self._note_arrival(row.receiver, payload.label, sender)
        return body

    def _ended(self, row: TransferRow, latency: Latency | None) -> None:
        row.ended_s = self.clock.now
        if latency is not None:
            latency.add(row.queue_s, row.air_s, row.propagation_s)
        self._record_transfer(row)

    def _record_transfer(self, row: TransferRow) -> None:
        """Add a transfer's bytes and channel uses to its request."""
        self.recorder.add(row)
        request = self.requests.get(row.request_id)
        if request is not None:
            request.link_byte += row.first_byte + row.retry_byte
            request.channel_use += row.first_channel_use + row.retry_channel_use + row.overhead_channel_use

    def _spend(self, node: str, tx_j: float, rx_j: float) -> None:
        self.nodes[node].spend(tx_j, rx_j)

    # ------------------------------------------------------------------ the end, and what is recorded

    def close(self) -> None:
        """The run is over: record what is in flight, and every node's end state. Nothing is recorded after that."""
        now_s = self.clock.now
        for carrier in self.carriers.values():
            carrier.close()
        for row in self._on_air.values():
            self._record_transfer(row)
        for walk, index, way, queued_s, started_s in self._under_way.values():
            self._note(walk, index)
            _, _, _, sent, _, _ = walk
            row = self._not_begun(way, sent, queued_s)
            cut_off(row, way, started_s, now_s)
            self._spend(row.sender, row.tx_j, 0.0)
            self._record_transfer(row)
        for node in self.nodes.values():
            self.recorder.add(self._node_row(node, now_s))
            node.store.on_event = ignore  # processes that the run's end cuts short let go of their pins

    def _node_row(self, node: Node, now_s: float) -> NodeRow:
        radios = [link for link in self._links_of[node.name] if isinstance(link, RadioLink)]
        radio = radios[0] if len(radios) == 1 else None
        stored = node.store.slice_ids(now_s)
        return NodeRow(
            self.arm,
            node.name,
            node.plan.tier,
            node.plan.x_m,
            node.plan.y_m,
            attached_to=self._attached_to(node, radio),
            mean_esno_db=None if radio is None else linear_to_db(radio.ends[node.name].esno),
            radio=None if radio is None else radio.link_class,
            store_capacity_byte=node.store.capacity_byte,
            store_occupancy_byte=node.store.occupancy_byte,
            provisioned_byte=sum(s.n_byte for s in node.provisioned.values()),
            stored=" ".join(self.slices[s].name for s in stored),
            requests=node.requests,
            tx_j=node.tx_j,
            rx_j=node.rx_j,
            compute_j=node.compute_j,
            idle_j=node.idle_j(now_s),
            flop=node.flop,
            busy_s=node.busy_s,
        )

    def _attached_to(self, node: Node, radio: RadioLink | None) -> str | None:
        """The other end of the node's one wireless link, else of its first link to a node of a higher tier."""
        if radio is not None:
            return radio.other(node.name)
        tier = TIERS.index(node.plan.tier)
        others = (link.other(node.name) for link in self._links_of[node.name])
        return next((name for name in others if TIERS.index(self.nodes[name].plan.tier) > tier), None)

    def _store_columns(self) -> ColumnsOf:
        """Columns of ``stores``, of the events that stores tell of, and of what nodes were built with."""

        def of_slices(value: Callable[[Slice], object]) -> Callable[[Notes], Any]:
            return lambda notes: notes.each(SLICE_ID, lambda slice_id: value(self.slices[slice_id]))

        def of_nodes(value: Callable[[Node], object]) -> Callable[[Notes], Any]:
            return lambda notes: notes.each(STORE, lambda name: value(self.nodes[name]))

        def kinds(notes: Notes) -> list[str]:
            # Transfers take time: what is stored at time 0 was put there at the factory.
            told = zip(notes[KIND], notes[TIME_S], strict=True)
            return ["provision" if kind == "insert" and time_s == 0.0 else kind for kind, time_s in told]

        return {
            "arm": lambda notes: notes.always(self.arm),
            "time_s": itemgetter(TIME_S),
            "node": of_nodes(lambda node: node.name),
            "tier": of_nodes(lambda node: node.plan.tier),
            "event": kinds,
            "slice": of_slices(lambda slice_: slice_.name),
            "slice_id": of_slices(lambda slice_: slice_.id),
            "slice_byte": of_slices(lambda slice_: slice_.n_byte),
            "occupancy_byte": itemgetter(OCCUPANCY_BYTE),
            "capacity_byte": of_nodes(lambda node: node.store.capacity_byte),
        }
