"""A topology's plan made into nodes and links."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from simnet.core.plugins import KINDS
from simnet.core.records import Note
from simnet.net.air import Air, air_for
from simnet.net.carrier import Carrier
from simnet.net.clock import Clock
from simnet.net.node import Node
from simnet.net.radio import RadioLink
from simnet.net.wired import WiredLink
from simnet.scenario.schema import Protocol, Scenario, TierSpec
from simnet.signal.plane import SignalPlane
from simnet.store.store import Store
from simnet.topology.plan import LinkPlan, NodePlan

AnyLink = RadioLink | WiredLink
Spend = Callable[[str, float, float], None]


def make_nodes(
    plans: Iterable[NodePlan], scenario: Scenario, protocol: Protocol, clock: Clock, note: Note
) -> dict[str, Node]:
    """Nodes with empty stores, whose events are noted; name -> node."""
    keep = protocol.store
    policy = KINDS["store"].load(keep.policy.kind)

    def made(plan: NodePlan) -> Node:
        spec = scenario.tiers.get(plan.tier, TierSpec())
        store = Store(
            keep.store_byte.get(plan.tier, spec.store_byte),
            policy(keep.policy.params),
            ttl_s=keep.ttl_s,
            ttl_from=keep.ttl_from,
            on_event=note,
            name=plan.name,
        )
        node = Node(clock, plan, spec, store)
        if protocol.keep_damaged:
            store.on_leave = lambda slice_id: node.damaged.pop(slice_id, None)
        return node

    return {plan.name: made(plan) for plan in plans}


class LinkMaker:
    """Makes links; those of one carrier share it.

    Args:
        spend: told of each node's joules: node, tx_j, rx_j.
    """

    def __init__(self, scenario: Scenario, clock: Clock, plane: SignalPlane, spend: Spend) -> None:
        self.scenario = scenario
        self.clock = clock
        self.spend = spend
        self.carriers: dict[str, Carrier] = {}
        self._airs: dict[str, Air] = {n: air_for(r, scenario.seed, plane) for n, r in scenario.radios.items()}

    def make(self, plan: LinkPlan) -> AnyLink:
        """The link, of a plan that :func:`simnet.net.plan.check_links` has seen."""
        return self._radio(plan) if plan.medium == "wireless" else self._wired(plan)

    def _wired(self, plan: LinkPlan) -> WiredLink:
        wire = self.scenario.wires[plan.link_class]
        return WiredLink(plan.name, plan.link_class, (plan.a, plan.b), wire, plan.delay_s)

    def _radio(self, plan: LinkPlan) -> RadioLink:
        radio = self.scenario.radios[plan.link_class]
        assert plan.carrier is not None and plan.path_loss_db is not None
        if plan.carrier not in self.carriers:
            self.carriers[plan.carrier] = Carrier(self.clock, radio)
        carrier = self.carriers[plan.carrier]
        device = plan.b if plan.a == plan.carrier else plan.a
        return RadioLink(
            plan.name, plan.link_class, device, plan.carrier, radio, carrier, plan.path_loss_db, plan.delay_s,
            self._airs[plan.link_class], self.spend,
        )  # fmt: skip
