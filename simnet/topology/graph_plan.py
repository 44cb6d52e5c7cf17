"""A graph of names, places and media made into a network plan: what generators and readers share."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence

import networkx as nx
from pydantic import Field

from simnet.core.terms import TIERS, Tier
from simnet.topology.base import TopologyError
from simnet.topology.layout import Place, circle
from simnet.topology.plan import Count, LinkPlan, Name, NetworkPlan, NodePlan, Plan
from simnet.topology.radio_geometry import LogDistance, air_delay_s, fibre_delay_s


class TiersByDegree(Plan):
    """The nodes with the most links are clouds, the next edges, the next gateways, the rest devices.

    Of equals, the one that the graph names first goes first.
    """

    clouds: Count = 0
    edges: Count = 0
    gateways: Count = 1

    def of(self, graph: nx.Graph) -> dict[str, Tier]:
        """Tier of each node."""
        ranked = sorted(graph, key=lambda name: -graph.degree(name))
        counts: dict[Tier, int] = {"cloud": self.clouds, "edge": self.edges, "gateway": self.gateways}
        ladder = [tier for tier, count in counts.items() for _ in range(count)]
        return {name: ladder[rank] if rank < len(ladder) else "device" for rank, name in enumerate(ranked)}


class LinkRules(Plan):
    """Classes, path loss and delays of the links."""

    radio: Name = "radio"
    """Link class of the wireless ones."""
    wire: Name = "wire"
    """Link class of the wired ones."""
    path_loss: LogDistance = LogDistance()
    """Of wireless links, from the distance."""
    fixed_path_loss_db: float | None = Field(default=None, ge=0.0, le=1000.0)
    """Of every wireless link, in place of ``path_loss``; needed where nodes have no coordinates."""
    unlocated_delay_s: float = Field(default=0.0, ge=0.0)
    """Propagation delay of a link with an end that has no coordinates."""

    def wired(self, a: str, b: str, distance_m: float | None) -> LinkPlan:
        """A wire of this length; None: unknown."""
        delay_s = self.unlocated_delay_s if distance_m is None else fibre_delay_s(distance_m)
        return LinkPlan(a=a, b=b, medium="wired", link_class=self.wire, delay_s=delay_s)

    def wireless(self, a: str, b: str, distance_m: float | None, *, carrier: str, seed: int) -> LinkPlan:
        """A radio link over this distance; None: unknown.

        Raises:
            TopologyError: the loss follows from the distance, and that is unknown.
        """
        loss_db = self.fixed_path_loss_db
        if loss_db is None:
            if distance_m is None:
                raise TopologyError(
                    f"radio link {a!r} to {b!r}: an end has no coordinates, so its loss is unknown; "
                    "set links.fixed_path_loss_db, or keep_unlocated: false"
                )
            loss_db = self.path_loss.path_loss_db(distance_m, seed=seed, a=a, b=b)
        delay_s = self.unlocated_delay_s if distance_m is None else air_delay_s(distance_m)
        return LinkPlan(
            a=a,
            b=b,
            medium="wireless",
            link_class=self.radio,
            carrier=carrier,
            path_loss_db=loss_db,
            delay_s=delay_s,
        )


def largest_component(graph: nx.Graph) -> nx.Graph:
    """The largest connected part, its order kept; of equals the one with the first node."""
    order = {name: index for index, name in enumerate(graph)}
    parts: list[set[str]] = list(nx.connected_components(graph))
    kept = max(parts, key=lambda part: (len(part), -min(order[name] for name in part)))
    # Not graph.subgraph(kept), whose order is that of a set of strings and differs from run to run.
    part = graph.copy()
    part.remove_nodes_from([name for name in graph if name not in kept])
    return part


def plan_graph(
    graph: nx.Graph,
    tiers: Mapping[str, Tier],
    places: Mapping[str, Place],
    rules: LinkRules,
    *,
    seed: int,
    length_m: Callable[[str, str], float] | None = None,
) -> NetworkPlan:
    """The plan of a graph.

    Args:
        graph: its nodes are names; each edge has ``medium``.
        places: of the nodes that have coordinates. The others are drawn on a circle around them.
        length_m: of the link between two nodes that have places; None: straight from place to place.
    """
    length_m = length_m or (lambda a, b: math.dist(places[a], places[b]))
    drawn = {**_circle_around(places.values(), [name for name in graph if name not in places]), **places}
    nodes = [NodePlan(name=n, tier=tiers[n], x_m=drawn[n][0], y_m=drawn[n][1]) for n in graph]
    links = []
    for a, b, medium in graph.edges(data="medium"):
        distance_m = length_m(a, b) if a in places and b in places else None
        if medium == "wired":
            links.append(rules.wired(a, b, distance_m))
        else:
            # The end that serves more others runs the carrier: that of the higher tier, then of more links.
            carrier = max((a, b), key=lambda name: (TIERS.index(tiers[name]), graph.degree(name)))
            links.append(rules.wireless(a, b, distance_m, carrier=carrier, seed=seed))
    return NetworkPlan(nodes=tuple(nodes), links=tuple(links))


def _circle_around(places: Collection[Place], names: Sequence[str]) -> dict[str, Place]:
    """Places for the drawing only: outside the box of ``places``."""
    xs_m, ys_m = [x_m for x_m, _ in places] or [0.0], [y_m for _, y_m in places] or [0.0]
    centre = ((min(xs_m) + max(xs_m)) / 2, (min(ys_m) + max(ys_m)) / 2)
    radius_m = 0.6 * math.dist((min(xs_m), min(ys_m)), (max(xs_m), max(ys_m))) or 1000.0
    return dict(zip(names, circle(len(names), centre=centre, radius_m=radius_m), strict=True))
