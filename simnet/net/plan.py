"""Whether a topology's plan and a scenario fit: link classes, carriers, owners. Nothing heavy is loaded for it."""

from __future__ import annotations

import inspect

from pydantic import ValidationError

from simnet.core import streams
from simnet.core.errors import SimnetError
from simnet.core.plugins import KINDS, PluginError
from simnet.scenario.schema import Scenario
from simnet.topology.base import TopologyError
from simnet.topology.plan import NetworkPlan, NodePlan


def plan_network(scenario: Scenario) -> NetworkPlan:
    """The nodes and links of a scenario.

    Raises:
        SimnetError: the topology can't be built, a link's class or carrier doesn't fit, or nobody could wish.
    """
    topology = KINDS["topology"].load(scenario.topology.kind)(scenario.topology.params)
    try:
        plan: object = topology.build(seed=scenario.seed)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise TopologyError(
            f"topology: its settings lead to a {error.title} of {key} {first['input']}, but {first['msg']}: change "
            "what that follows from, such as sizes, distances, carrier_hz or exponent"
        ) from None
    if not isinstance(plan, NetworkPlan):
        kind = type(topology)
        raise PluginError(f"{inspect.getsourcefile(kind)}: {kind.__name__}.build: got {plan!r}; allowed: a NetworkPlan")
    check_links(scenario, plan)
    tiers = {node.tier for node in plan.nodes}
    if not tiers.intersection(scenario.consumers):
        raise TopologyError(
            f"consumers: got {', '.join(scenario.consumers)}, of which the topology has no nodes; allowed "
            f"{', '.join(sorted(tiers))}"
        )
    return plan


def check_links(scenario: Scenario, plan: NetworkPlan) -> None:
    """All links are of classes that the scenario has, and all of one carrier are of one.

    Raises:
        TopologyError: they are not.
    """
    for _, text in plan.class_misfits(scenario.radios, scenario.wires):
        raise TopologyError(f"topology: {text}")


def owners_of(scenario: Scenario, plan: NetworkPlan, source: str) -> list[str]:
    """The nodes that have images of a source type.

    Raises:
        SimnetError: none has.
    """
    owners = [node.name for node in plan.nodes if _may_own(scenario, node, source)]
    if not owners:
        raise SimnetError(
            f"sources.{source}.owners: none of tier {scenario.sources[source].owners!r} owns this source type; name "
            f"another tier, add nodes, or raise types_per_owner (now {scenario.types_per_owner})"
        )
    return owners


def _may_own(scenario: Scenario, node: NodePlan, source_type: str) -> bool:
    """Whether a node's camera is of this source type: each node has ``types_per_owner`` of those that its tier owns."""
    types = [name for name, source in scenario.sources.items() if source.owners == node.tier]
    if source_type not in types:
        return False
    ranked = sorted(types, key=lambda name: streams.uniform(scenario.seed, "owner type", node.name, name))
    return source_type in ranked[: scenario.types_per_owner]
