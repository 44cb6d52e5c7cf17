"""One arm's network in simulated time: nodes, links, and payloads that go from one to another."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import simpy

from simnet.core.plugins import KINDS
from simnet.core.records import Recorder
from simnet.core.tables import NodeRow, RequestRow, StoreRow, TransferRow
from simnet.core.units import linear_to_db
from simnet.net.air import air_for
from simnet.net.errors import RequestEnded, TopologyError
from simnet.net.node import Node
from simnet.net.payload import Payload
from simnet.net.radio import Carrier, RadioLink
from simnet.net.routing import Routes
from simnet.net.timeline import Timeline
from simnet.net.wired import WiredLink
from simnet.scenario.schema import Protocol, Scenario, TierSpec
from simnet.signal.plane import SignalPlane
from simnet.store.store import Store, StoreEvent
from simnet.topology.plan import LinkPlan, NetworkPlan, NodePlan
from simnet.wire.slices import Slice

AnyLink = RadioLink | WiredLink
Pass = Callable[[str], None]


@dataclass
class Network:
    """Nodes and links of one arm.

    Args:
        slices: every slice that may travel, id -> slice: for names in records.
    """

    env: simpy.Environment
    arm: str
    scenario: Scenario
    protocol: Protocol
    plane: SignalPlane
    recorder: Recorder
    timeline: Timeline
    slices: Mapping[str, Slice]

    def __post_init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.links: dict[str, AnyLink] = {}
        self.carriers: dict[str, Carrier] = {}
        self._links_of: dict[str, list[AnyLink]] = {}
        self.routes = Routes(self._links_of)
        self.holders: dict[str, dict[str, None]] = {}
        """Slice id -> nodes that store it, in order of time; expiry is noticed when they are asked."""
        self.requests: dict[int, RequestRow] = {}
        """Request id -> row: each hop's bytes and channel uses are added to the request that they serve."""
        self._open: dict[int, TransferRow] = {}
        self._transfers = 0

    def build(self, plan: NetworkPlan) -> None:
        """Make the nodes and links.

        Raises:
            TopologyError: a link names a radio or wire class that the scenario doesn't have.
        """
        for node in plan.nodes:
            self.nodes[node.name] = self._node(node)
            self._links_of[node.name] = []
        airs = {name: air_for(radio, self.scenario.seed, self.plane) for name, radio in self.scenario.radios.items()}
        for link_plan in plan.links:
            classes = self.scenario.radios if link_plan.medium == "wireless" else self.scenario.wires
            if link_plan.link_class not in classes:
                kind = "radios" if link_plan.medium == "wireless" else "wires"
                raise TopologyError(
                    f"topology: link {link_plan.name} is of class {link_plan.link_class!r}; '{kind}' has "
                    f"{', '.join(classes) or 'none'}. Add the class or name another in the topology."
                )
            link = self._radio_link(link_plan, airs) if link_plan.medium == "wireless" else self._wired_link(link_plan)
            self.links[link.name] = link
            for name in link.nodes:
                self._links_of[name].append(link)

    def _node(self, plan: NodePlan) -> Node:
        spec = self.scenario.tiers.get(plan.tier, TierSpec())
        keep = self.protocol.store
        policy = KINDS["store"].load(keep.policy.kind)(keep.policy.params)
        store = Store(
            keep.store_byte.get(plan.tier, spec.store_byte),
            policy,
            ttl_s=keep.ttl_s,
            ttl_from=keep.ttl_from,
            on_event=lambda event: self._store_event(plan, event),
        )
        return Node(self.env, plan, spec, store)

    def _radio_link(self, plan: LinkPlan, airs: Mapping[str, Any]) -> RadioLink:
        radio = self.scenario.radios[plan.link_class]
        assert plan.carrier is not None and plan.path_loss_db is not None
        carrier = self.carriers.get(plan.carrier)
        if carrier is None:
            carrier = self.carriers[plan.carrier] = Carrier(self.env, radio)
        elif carrier.radio != radio:
            raise TopologyError(
                f"topology: carrier {plan.carrier} has links of two radio classes, one of them {plan.link_class!r}; "
                "all links of a carrier share one class"
            )
        device, gateway = (plan.b, plan.a) if plan.a == plan.carrier else (plan.a, plan.b)
        return RadioLink(
            plan.name, plan.link_class, device, gateway, radio, carrier, plan.path_loss_db, plan.delay_s,
            self.scenario.seed, airs[plan.link_class], self._spend,
        )  # fmt: skip

    def _wired_link(self, plan: LinkPlan) -> WiredLink:
        wire = self.scenario.wires[plan.link_class]
        return WiredLink(plan.name, plan.link_class, (plan.a, plan.b), wire, plan.delay_s, self.env, self._spend)

    def _spend(self, node: str, tx_j: float, rx_j: float) -> None:
        self.nodes[node].spend(tx_j, rx_j)

    def links_of(self, node: str) -> list[AnyLink]:
        """A node's links, in the topology's order."""
        return self._links_of[node]

    def provision(self, node: Node, slices: Iterable[Slice]) -> None:
        """Build slices into a node, outside its store."""
        for slice_ in slices:
            node.provisioned[slice_.id] = slice_
            self._record_store(node.plan, "provision", slice_, slice_.n_byte, 0, self.env.now)

    def install(self, node: Node, slice_: Slice, arrived: Slice, fetch_cost_byte: float) -> bool:
        """Store a slice that arrived; False if it is used once and not stored."""
        if arrived.damaged:
            if not self.protocol.keep_damaged:
                return False
            node.damaged[slice_.id] = arrived
        requires = tuple(r for r in slice_.requires if r not in node.provisioned)
        result = node.store.insert(
            slice_.id, slice_.n_byte, requires, self.env.now, fetch_cost_byte=fetch_cost_byte
        )
        if result.stored:
            self.holders.setdefault(slice_.id, {})[node.name] = None
        return result.stored

    def send(
        self, payload: Payload, origin: str, target: str, at_node: Pass | None = None, meter: RequestRow | None = None
    ) -> Generator[simpy.Event, Any, bytes]:
        """Process: bring a payload from one node to another, hop by hop. Returns its body as it arrived.

        Args:
            at_node: called with each node's name as the payload reaches it, the target included.
            meter: the request that waits for it, to which waiting, airtime and flight are added.

        Raises:
            RequestEnded: no route, a hop failed, or a queue was full.
        """
        node = origin
        for link in self.routes.path(origin, target):
            body = yield from self.send_hop(payload, node, link, meter)  # type: ignore[arg-type]
            if body != payload.body:
                payload = replace(payload, body=body)
            node = link.other(node)
            if at_node is not None:
                at_node(node)
        return payload.body

    def send_hop(
        self, payload: Payload, sender: str, link: AnyLink, meter: RequestRow | None = None
    ) -> Generator[simpy.Event, Any, bytes]:
        """Process: one link's share of :meth:`send`; one row of ``transfers``."""
        self._transfers += 1
        receiver = link.other(sender)
        row = TransferRow(
            self.arm, self._transfers, payload.request_id, link.name, link.link_class, sender, receiver,
            payload.payload_class, payload.label, payload.n_byte, self.env.now,
        )  # fmt: skip
        self._open[row.transfer_id] = row
        try:
            body: bytes = yield from link.send(payload, sender, row)
        except RequestEnded:
            row.outcome = "lost"
            raise
        finally:
            if row.outcome != "in_flight":  # at a run's end generators are closed; close() has recorded their rows
                del self._open[row.transfer_id]
                self._count(row)
                self.recorder.add(row)
        if meter is not None:
            meter.queue_s += row.queue_s
            meter.air_s += row.air_s
            meter.propagation_s += row.propagation_s
        self.timeline.add(self.env.now, receiver, f"received {payload.label} from {sender}")
        return body

    def _count(self, row: TransferRow) -> None:
        """Add a transfer's bytes and channel uses to its request."""
        request = self.requests.get(row.request_id)
        if request is not None:
            request.link_byte += row.first_byte + row.retry_byte
            request.channel_use += row.first_channel_use + row.retry_channel_use + row.overhead_channel_use

    def close(self) -> None:
        """The run is over: record what is in flight, and every node's end state."""
        now_s = self.env.now
        for carrier in self.carriers.values():
            carrier.count_in_flight()
        for row in self._open.values():
            if not self.links[row.link].wireless and row.started_s is not None and row.started_s <= now_s:
                row.first_byte = row.in_flight_byte = row.payload_byte
            row.queue_s = (now_s if row.started_s is None else min(row.started_s, now_s)) - row.queued_s
            self._count(row)
            self.recorder.add(row)
        for node in self.nodes.values():
            self.recorder.add(self._node_row(node, now_s))

    def _node_row(self, node: Node, now_s: float) -> NodeRow:
        radio = [link for link in self._links_of[node.name] if link.wireless]
        attached = radio[0] if len(radio) == 1 else None
        stored = node.store.slice_ids(now_s)
        assert attached is None or isinstance(attached, RadioLink)
        return NodeRow(
            self.arm,
            node.name,
            node.plan.tier,
            node.plan.x_m,
            node.plan.y_m,
            attached_to=None if attached is None else attached.other(node.name),
            mean_esno_db=None if attached is None else linear_to_db(attached.ends[node.name].esno),
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

    def _store_event(self, plan: NodePlan, event: StoreEvent) -> None:
        if event.kind in ("evict", "expire"):
            self.holders.get(event.slice_id, {}).pop(plan.name, None)
            self.nodes[plan.name].damaged.pop(event.slice_id, None)
        slice_ = self.slices[event.slice_id]
        self._record_store(plan, event.kind, slice_, event.n_byte, event.occupancy_byte, event.time_s)

    def _record_store(
        self, plan: NodePlan, kind: Any, slice_: Slice, n_byte: int, occupancy_byte: int, time_s: float
    ) -> None:
        capacity_byte = self.nodes[plan.name].store.capacity_byte
        self.recorder.add(
            StoreRow(
                self.arm, time_s, plan.name, plan.tier, kind, slice_.name, slice_.id, n_byte, occupancy_byte,
                capacity_byte,
            )  # fmt: skip
        )
