"""A city: devices in clusters around gateways, a wired tree up to edge servers and clouds, a ring of edges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from pydantic import Field

from simnet.core.streams import uniform
from simnet.core.terms import Tier
from simnet.topology.base import Topology
from simnet.topology.layout import Place, circle, jittered_grid, near
from simnet.topology.plan import Count, LinkPlan, Name, NetworkPlan, NodePlan, Plan, Positive
from simnet.topology.radio_geometry import LogDistance, air_delay_s, fibre_delay_s

ROUNDING_DB = 1e-9
"""Far more than the formulas for path loss err by."""


class City(Topology):
    """Names are ``device-0``, ``gateway-0``, ``edge-0``, ``cloud-0`` …; x grows to the east, y to the north.

    ::

        cloud ── edge ── gateway ·))  device
                  │  ring         ·)) device
                 edge ── gateway ·))  device

    A device belongs to a cluster, drawn evenly, and attaches to the gateway with the least path loss,
    shadowing included, which need not be its cluster's. A gateway is wired to the nearest edge, an edge to
    the nearest cloud. Adding devices changes nothing for those that were there.
    """

    class Params(Plan):
        """How many nodes, where, and which link classes join them."""

        devices: Count = 128
        gateways: Positive = 16
        edges: Positive = 4
        clouds: Count = 1
        area_m: float = Field(default=4000.0, gt=0)
        """Side of the square city."""
        cluster_spread_m: float = Field(default=150.0, ge=0)
        """Standard deviation of a device's place about its cluster's gateway, in each coordinate."""
        jitter: float = Field(default=0.5, ge=0, le=1)
        """How far gateways and edges leave the centres of a regular grid: 0 not at all, 1 anywhere in the
        cell."""
        cloud_distance_m: float = Field(default=300_000.0, ge=0)
        """From the city's centre to the clouds, which lie on a circle around it."""
        path_loss: LogDistance = LogDistance()
        radio: Name = "radio"
        """Link class, device to gateway."""
        access: Name = "access"
        """Link class, gateway to edge."""
        ring: Name = "metro"
        """Link class, edge to edge."""
        backbone: Name = "backbone"
        """Link class, edge to cloud and cloud to cloud."""

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def build(self, *, seed: int) -> NetworkPlan:
        p = self.params
        gateways = self._on_grid("gateway", p.gateways, seed)
        edges = self._on_grid("edge", p.edges, seed)
        centre = (p.area_m / 2, p.area_m / 2)
        clouds = _nodes("cloud", circle(p.clouds, centre=centre, radius_m=p.cloud_distance_m))
        devices = self._devices(gateways, seed)
        places = [_place(gateway) for gateway in gateways]
        links = [self._radio_link(device, gateways, places, seed) for device in devices]
        links += [_wire(gateway, _nearest(gateway, edges), p.access) for gateway in gateways]
        links += _ring(sorted(edges, key=lambda e: math.atan2(e.y_m - centre[1], e.x_m - centre[0])), p.ring)
        if clouds:
            links += [_wire(edge, _nearest(edge, clouds), p.backbone) for edge in edges]
            links += _ring(clouds, p.backbone)
        return NetworkPlan(nodes=(*clouds, *edges, *gateways, *devices), links=tuple(links))

    def _on_grid(self, tier: Tier, n: int, seed: int) -> list[NodePlan]:
        p = self.params
        names = [f"{tier}-{index}" for index in range(n)]
        return _nodes(tier, jittered_grid(names, side_m=p.area_m, jitter=p.jitter, seed=seed))

    def _devices(self, gateways: Sequence[NodePlan], seed: int) -> list[NodePlan]:
        p = self.params
        places = []
        for index in range(p.devices):
            name = f"device-{index}"
            home = gateways[int(uniform(seed, "cluster", name) * len(gateways))]
            places.append(near(_place(home), name, spread_m=p.cluster_spread_m, side_m=p.area_m, seed=seed))
        return _nodes("device", places)

    def _radio_link(
        self, device: NodePlan, gateways: Sequence[NodePlan], places: Sequence[Place], seed: int
    ) -> LinkPlan:
        path_loss, here = self.params.path_loss, _place(device)
        most_shadowing_db = path_loss.most_shadowing_db + ROUNDING_DB
        least, delay_s = (math.inf, len(gateways)), 0.0
        for distance_m, index in sorted((math.dist(here, place), index) for index, place in enumerate(places)):
            mean_db = path_loss.mean_path_loss_db(distance_m)
            if mean_db - most_shadowing_db > least[0]:
                break  # nor can shadowing make up for the distance of those farther away
            loss_db = mean_db + path_loss.shadowing_db(seed, device.name, gateways[index].name)
            if (loss_db, index) < least:
                least, delay_s = (loss_db, index), air_delay_s(distance_m)
        loss_db, index = least
        gateway = gateways[index].name
        return LinkPlan(
            a=device.name, b=gateway, medium="wireless", link_class=self.params.radio, carrier=gateway,
            path_loss_db=loss_db, delay_s=delay_s,
        )  # fmt: skip


def _nodes(tier: Tier, places: Sequence[Place]) -> list[NodePlan]:
    return [NodePlan(name=f"{tier}-{i}", tier=tier, x_m=x_m, y_m=y_m) for i, (x_m, y_m) in enumerate(places)]


def _place(node: NodePlan) -> Place:
    return node.x_m, node.y_m


def _distance_m(a: NodePlan, b: NodePlan) -> float:
    return math.dist(_place(a), _place(b))


def _nearest(node: NodePlan, others: Sequence[NodePlan]) -> NodePlan:
    return min(others, key=lambda other: _distance_m(node, other))


def _wire(a: NodePlan, b: NodePlan, link_class: str) -> LinkPlan:
    delay_s = fibre_delay_s(_distance_m(a, b))
    return LinkPlan(a=a.name, b=b.name, medium="wired", link_class=link_class, delay_s=delay_s)


def _ring(nodes: Sequence[NodePlan], link_class: str) -> list[LinkPlan]:
    """Each to the next and the last to the first; of two nodes one link, of one none."""
    links = [_wire(a, b, link_class) for a, b in pairwise(nodes)]
    return links + ([_wire(nodes[-1], nodes[0], link_class)] if len(nodes) > 2 else [])
