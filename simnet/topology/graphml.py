"""A network from a file, GraphML or networkx node-link JSON, or from a shipped sample."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import networkx as nx
from pydantic import Field, model_validator

from simnet.core.errors import UnknownName
from simnet.core.terms import Tier
from simnet.topology.base import Topology, TopologyError
from simnet.topology.graph_files import read_graph, sample_file
from simnet.topology.graph_plan import LinkRules, TiersByDegree, largest_component, plan_graph
from simnet.topology.layout import Place
from simnet.topology.plan import MAX_NAME, Name, NetworkPlan, Plan
from simnet.topology.radio_geometry import EARTH_RADIUS_M, great_circle_m


class Graphml(Topology):
    """Nodes, links and coordinates of a real network. Directions and parallel links are merged into one
    link."""

    class Params(Plan):
        """Which file, and what its attributes mean. Attribute values are compared as text; booleans as true,
        false."""

        file: Path | None = None
        """``.graphml`` or ``.json`` (networkx node-link data)."""
        sample: Name | None = None
        """In place of ``file``: the name of a shipped network, e.g. ``freifunk_leipzig``."""
        name_attribute: Name | None = None
        """Node attribute that names the nodes; None: the file's node ids."""
        tiers: TiersByDegree = TiersByDegree()
        """Tiers by numbers of links, unless ``tier_attribute`` is given."""
        tier_attribute: Name | None = None
        """Node attribute that tells the tier."""
        tier_values: dict[str, Tier] = Field(default_factory=dict)
        """Tier of each value of ``tier_attribute``."""
        default_tier: Tier = "device"
        """Tier of nodes that lack ``tier_attribute`` or have a value not in ``tier_values``."""
        x_attribute: Name = "x_m"
        y_attribute: Name = "y_m"
        coordinates: Literal["metre", "degree"] = "metre"
        """Degree: x is the longitude, y the latitude. Links are as long as the great circles between their ends; the
        map is laid flat about the middle of the network."""
        keep_unlocated: bool = True
        """False: leave out nodes that lack coordinates."""
        link_attribute: Name = "type"
        """Edge attribute that tells the medium."""
        wireless_values: tuple[str, ...] = ("wifi",)
        """Values of ``link_attribute`` that mean a radio link; all other links are wired."""
        left_out_values: tuple[str, ...] = ()
        """Values of ``link_attribute`` of links to leave out, e.g. ``vpn``."""
        links: LinkRules = LinkRules()
        largest_component: bool = True
        """Leave out what isn't connected to the largest part."""

        @model_validator(mode="after")
        def _check(self) -> Graphml.Params:
            if (self.file is None) == (self.sample is None):
                raise ValueError("give exactly one of 'file' and 'sample'")
            if self.tier_values and self.tier_attribute is None:
                raise ValueError("tier_values are of a tier_attribute: name it, or leave them out")
            return self

    def __init__(self, params: Params) -> None:
        self.params = params
        if params.file is not None:
            self.path = params.file
        else:
            assert params.sample is not None
            self.path = sample_file(params.sample)

    def build(self, *, seed: int) -> NetworkPlan:
        p = self.params
        read = read_graph(self.path)
        graph = self._simplified(read)
        if len(graph) == 0:
            raise TopologyError(f"{self.path}: the graph has no nodes")
        self._check_attributes(read)
        places = self._places(graph)
        if not p.keep_unlocated:
            graph.remove_nodes_from([name for name in graph if name not in places])
            if len(graph) == 0:
                raise TopologyError(
                    f"{self.path}: no node has both {p.x_attribute!r} and {p.y_attribute!r}; "
                    "name the right x_attribute and y_attribute, or set keep_unlocated: true"
                )
        if p.largest_component:
            graph = largest_component(graph)
        if p.coordinates == "metre":
            return plan_graph(graph, self._tiers(graph), places, p.links, seed=seed)

        def length_m(a: str, b: str) -> float:
            return great_circle_m(places[a], places[b])

        return plan_graph(graph, self._tiers(graph), _flat(places), p.links, seed=seed, length_m=length_m)

    def _simplified(self, read: nx.Graph) -> nx.Graph:
        """The undirected graph of names with each edge's ``medium``: a radio link if any of the merged edges
        is one."""
        p = self.params
        graph = nx.Graph()
        names: dict[object, str] = {}
        for node, data in read.nodes(data=True):
            name = _text(self._attribute(node, data, p.name_attribute) if p.name_attribute else node)
            if name in graph:
                raise TopologyError(f"{self.path}: two nodes are named {name!r}; set another name_attribute")
            if not 0 < len(name) <= MAX_NAME:
                raise TopologyError(f"{self.path}: name of {len(name)} characters; allowed: 1 to {MAX_NAME}")
            names[node] = name
            graph.add_node(name)
            graph.nodes[name].update(data)
        for a, b, data in read.edges(data=True):
            value = _text(data.get(p.link_attribute))
            if a == b or value in p.left_out_values:
                continue
            pair = names[a], names[b]
            radio = value in p.wireless_values or graph.get_edge_data(*pair, {}).get("medium") == "wireless"
            graph.add_edge(*pair, medium="wireless" if radio else "wired")
        return graph

    def _check_attributes(self, read: nx.Graph) -> None:
        """Attributes that were chosen are there; those that are meant unless others are chosen needn't be."""
        data_of = {"node": [data for _, data in read.nodes(data=True)], "edge": [d for *_, d in read.edges(data=True)]}
        for key, kind in (("x_attribute", "node"), ("y_attribute", "node"), ("link_attribute", "edge")):
            name, known = getattr(self.params, key), _attribute_names(data_of[kind])
            if name != self.Params.model_fields[key].default and name not in known and data_of[kind]:
                raise UnknownName(f"{kind} attribute ({key}) in {self.path}", name, known)

    def _attribute(self, node: object, data: Mapping[str, Any], name: str) -> object:
        if name not in data:
            raise UnknownName(f"attribute of node {node!r} in {self.path}", name, map(str, data))
        return data[name]

    def _tiers(self, graph: nx.Graph) -> dict[str, Tier]:
        p = self.params
        if p.tier_attribute is None:
            return p.tiers.of(graph)
        values = graph.nodes(data=p.tier_attribute)
        if all(value is None for _, value in values):
            known = _attribute_names(data for _, data in graph.nodes(data=True))
            raise UnknownName(f"node attribute in {self.path}", p.tier_attribute, known)
        return {name: p.tier_values.get(_text(value), p.default_tier) for name, value in values}

    def _places(self, graph: nx.Graph) -> dict[str, Place]:
        """Coordinates of the nodes that have both, as the file gives them."""
        p = self.params
        return {
            name: (self._number(name, p.x_attribute, data), self._number(name, p.y_attribute, data))
            for name, data in graph.nodes(data=True)
            if data.get(p.x_attribute) is not None and data.get(p.y_attribute) is not None
        }

    def _number(self, name: str, attribute: str, data: Mapping[str, Any]) -> float:
        try:
            number = float(data[attribute])
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        is_latitude = self.params.coordinates == "degree" and attribute == self.params.y_attribute
        if not math.isfinite(number) or (is_latitude and abs(number) > 90.0):
            allowed = "a latitude, −90 to 90" if is_latitude else "a finite number"
            raise TopologyError(f"{self.path}: node {name!r}, {attribute}: got {data[attribute]!r}; allowed: {allowed}")
        return number


def _attribute_names(data_of: Iterable[Mapping[str, Any]]) -> list[str]:
    return list({str(key): None for data in data_of for key in data})


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _flat(places: Mapping[str, Place]) -> dict[str, Place]:
    """Degrees to metres east and north of the middle (equirectangular)."""
    if not places:
        return {}
    longitudes, latitudes = zip(*places.values(), strict=True)
    middle = (min(longitudes) + max(longitudes)) / 2, (min(latitudes) + max(latitudes)) / 2
    east_m = EARTH_RADIUS_M * math.cos(math.radians(middle[1]))
    return {
        name: (east_m * math.radians(x - middle[0]), EARTH_RADIUS_M * math.radians(y - middle[1]))
        for name, (x, y) in places.items()
    }
