"""The city: the right parts, laid out as described, and independent of how many devices there are."""

from __future__ import annotations

import math
from collections import Counter

import networkx as nx
import numpy as np
import pytest

from simnet.topology.city import City
from simnet.topology.plan import LinkPlan, NetworkPlan
from simnet.topology.radio_geometry import LogDistance


def build(seed: int = 1, **settings: object) -> NetworkPlan:
    return City(City.Params.model_validate(settings)).build(seed=seed)


def graph_of(plan: NetworkPlan) -> nx.Graph:
    graph = nx.Graph((link.a, link.b) for link in plan.links)
    graph.add_nodes_from(node.name for node in plan.nodes)
    return graph


def radio_links(plan: NetworkPlan) -> dict[str, LinkPlan]:
    return {link.a: link for link in plan.links if link.medium == "wireless"}


def test_default_city_has_its_parts_and_hangs_together() -> None:
    plan = build()
    assert Counter(node.tier for node in plan.nodes) == {"device": 128, "gateway": 16, "edge": 4, "cloud": 1}
    assert Counter((link.medium, link.link_class) for link in plan.links) == {
        ("wireless", "radio"): 128,
        ("wired", "access"): 16,
        ("wired", "metro"): 4,
        ("wired", "backbone"): 4,
    }
    assert nx.is_connected(graph_of(plan))
    inside = [node for node in plan.nodes if node.tier != "cloud"]
    assert all(0 <= node.x_m <= 4000 and 0 <= node.y_m <= 4000 for node in inside)


@pytest.mark.parametrize(("edges", "ring"), [(1, 0), (2, 1), (3, 3), (5, 5)])
def test_edges_form_a_ring(edges: int, ring: int) -> None:
    plan = build(devices=0, edges=edges, clouds=0)
    between = [link for link in plan.links if link.link_class == "metro"]
    assert len(between) == ring
    degrees = Counter(end for link in between for end in (link.a, link.b))
    assert all(degree == 2 for degree in degrees.values()) or edges < 3


@pytest.mark.parametrize(("sigma_db", "spread_m"), [(12.0, 150.0), (2.0, 600.0)])
def test_devices_attach_to_the_gateway_with_least_loss(sigma_db: float, spread_m: float) -> None:
    model = LogDistance(shadowing_sigma_db=sigma_db)
    plan = build(path_loss=model, devices=60, cluster_spread_m=spread_m)
    places = {node.name: (node.x_m, node.y_m) for node in plan.nodes}
    gateways = [node.name for node in plan.nodes if node.tier == "gateway"]
    links = radio_links(plan)
    assert len(links) == 60
    farther = 0
    for device, link in links.items():
        distances_m = {g: math.dist(places[device], places[g]) for g in gateways}
        losses_db = {g: model.path_loss_db(distances_m[g], seed=1, a=device, b=g) for g in gateways}
        assert link.b == link.carrier == min(losses_db, key=lambda g: losses_db[g])
        assert link.path_loss_db == losses_db[link.b]
        assert math.isclose(link.delay_s, distances_m[link.b] / 299_792_458.0)
        farther += link.b != min(gateways, key=lambda g: distances_m[g])
    assert farther > 0, "shadowing never mattered: the test shows nothing"


def test_adding_devices_changes_nothing_for_the_others() -> None:
    few, many = build(devices=20), build(devices=90)
    places = {node.name: node for node in many.nodes}
    assert all(places[node.name] == node for node in few.nodes)
    assert all(radio_links(many)[device] == link for device, link in radio_links(few).items())


def test_seed_decides() -> None:
    assert build(seed=3) == build(seed=3)
    assert build(seed=3) != build(seed=4)


def test_devices_cluster_around_gateways() -> None:
    spread_m, n = 100.0, 600
    plan = build(devices=n, gateways=1, cluster_spread_m=spread_m, jitter=0.0, edges=1)
    at_m = np.array([(node.x_m, node.y_m) for node in plan.nodes if node.tier == "device"])
    assert np.all(np.abs(at_m.mean(axis=0) - 2000.0) < 4 * spread_m / math.sqrt(n))
    assert np.all(np.abs(at_m.std(axis=0, ddof=1) - spread_m) < 4 * spread_m / math.sqrt(2 * n))


def test_clusters_fill_evenly() -> None:
    n = 2000
    plan = build(devices=n, gateways=4, cluster_spread_m=0.0, path_loss={"shadowing_sigma_db": 0.0})
    share = Counter(link.b for link in radio_links(plan).values())
    assert len(share) == 4
    assert all(abs(count / n - 0.25) < 4 * math.sqrt(0.25 * 0.75 / n) for count in share.values())


@pytest.mark.parametrize("gateways", [1, 2, 3, 5, 7, 16])
def test_grid_covers_the_area(gateways: int) -> None:
    plan = build(gateways=gateways, devices=0, jitter=0.0)
    places = [(node.x_m, node.y_m) for node in plan.nodes if node.tier == "gateway"]
    assert len(set(places)) == gateways
    # Nowhere is farther from a gateway than half the diagonal of the widest cell.
    rows = round(math.sqrt(gateways))
    half_diagonal_m = math.hypot(4000.0 / rows, 4000.0 / (gateways // rows)) / 2
    for x_m, y_m in np.random.default_rng(1).uniform(0, 4000, (200, 2)):
        assert min(math.dist((x_m, y_m), place) for place in places) <= half_diagonal_m


def test_wires_take_the_time_of_their_length() -> None:
    plan = build(cloud_distance_m=300_000.0)
    slow = [link.delay_s for link in plan.links if link.link_class == "backbone"]
    assert slow and all(abs(delay_s - 1.47e-3) < 0.02e-3 for delay_s in slow)  # 300 km ± 3 km at 4.9 µs/km


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"gateways": 0}, "gateways"),
        ({"edges": 0}, "edges"),
        ({"area_m": -1}, "area_m"),
        ({"device": 3}, "Extra inputs"),
        ({"jitter": 2}, "jitter"),
    ],
)
def test_settings_out_of_range(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        City.Params.model_validate(settings)
