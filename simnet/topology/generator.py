"""A graph drawn by a generator: star, path, ring, grid_2d, or a random one."""

from __future__ import annotations

from typing import Literal

import networkx as nx
from pydantic import Field

from simnet.topology.base import Topology
from simnet.topology.graph_plan import LinkRules, TiersByDegree, largest_component, plan_graph
from simnet.topology.graph_shapes import AnyShape
from simnet.topology.plan import NetworkPlan, Plan


class Generator(Topology):
    """The nodes are ``node-0``, ``node-1`` …, placed in a square; tiers follow from the numbers of links."""

    class Params(Plan):
        """The shape, and how it becomes a network."""

        graph: AnyShape
        """The shape with its settings, e.g. ``{shape: star, nodes: 5}``."""
        area_m: float = Field(default=1000.0, gt=0.0)
        """Side of the square in which the nodes are placed."""
        tiers: TiersByDegree = TiersByDegree()
        wireless: Literal["to_devices", "all", "none"] = "to_devices"
        """Which links are radio links: those with a device at an end, all, or none."""
        links: LinkRules = LinkRules()
        largest_component: bool = True
        """Leave out what isn't connected to the largest part."""

    def __init__(self, params: Params) -> None:
        self.params = params

    def build(self, *, seed: int) -> NetworkPlan:
        p = self.params
        places = p.graph.places(p.area_m, seed)
        drawn = p.graph.graph(places, seed)
        # Rebuilt from sorted parts, so that the order of links doesn't hang on how networkx went about it.
        graph = nx.Graph()
        graph.add_nodes_from(f"node-{index}" for index in sorted(drawn))
        graph.add_edges_from((f"node-{a}", f"node-{b}") for a, b in sorted(map(sorted, drawn.edges)))
        if p.largest_component:
            graph = largest_component(graph)
        tiers = p.tiers.of(graph)
        for a, b, data in graph.edges(data=True):
            to_device = "device" in (tiers[a], tiers[b])
            radio = p.wireless == "all" or (p.wireless == "to_devices" and to_device)
            data["medium"] = "wireless" if radio else "wired"
        named = {f"node-{index}": place for index, place in enumerate(places)}
        return plan_graph(graph, tiers, named, p.links, seed=seed)
