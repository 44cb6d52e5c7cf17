"""Generated graphs: shapes, tiers and media by the rules, the same whatever the hash seed."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import networkx as nx
import pytest

from simnet.topology.generator import Generator
from simnet.topology.plan import NetworkPlan

SHAPES: list[dict[str, Any]] = [
    {"shape": "star", "nodes": 6},
    {"shape": "path", "nodes": 5},
    {"shape": "ring", "nodes": 7},
    {"shape": "grid_2d", "rows": 3, "columns": 4},
    {"shape": "erdos_renyi", "nodes": 40, "probability": 0.15},
    {"shape": "barabasi_albert", "nodes": 40, "links_of_new": 2},
    {"shape": "watts_strogatz", "nodes": 40, "neighbours": 4, "rewiring": 0.2},
    {"shape": "random_geometric", "nodes": 60, "radius_m": 200.0},
]


def build(graph: dict[str, Any], seed: int = 1, **settings: object) -> NetworkPlan:
    return Generator(Generator.Params.model_validate({"graph": graph, **settings})).build(seed=seed)


def graph_of(plan: NetworkPlan) -> nx.Graph:
    graph = nx.Graph((link.a, link.b) for link in plan.links)
    graph.add_nodes_from(node.name for node in plan.nodes)
    return graph


@pytest.mark.parametrize("graph", SHAPES, ids=lambda graph: graph["shape"])
def test_every_shape_gives_a_connected_network_that_the_seed_decides(graph: dict[str, Any]) -> None:
    plan = build(graph)
    assert plan == build(graph)
    assert nx.is_connected(graph_of(plan))
    assert all(-1e-9 <= node.x_m <= 1000 + 1e-9 for node in plan.nodes)
    assert len({(node.x_m, node.y_m) for node in plan.nodes}) == len(plan.nodes)


@pytest.mark.parametrize(
    ("graph", "reference"),
    [
        (SHAPES[0], nx.star_graph(5)),
        (SHAPES[1], nx.path_graph(5)),
        (SHAPES[2], nx.cycle_graph(7)),
        (SHAPES[3], nx.grid_2d_graph(3, 4)),
    ],
    ids=lambda value: value["shape"] if isinstance(value, dict) else "",
)
def test_fixed_shapes(graph: dict[str, Any], reference: nx.Graph) -> None:
    assert nx.is_isomorphic(graph_of(build(graph)), reference)


def test_random_geometric_links_are_those_nearer_than_the_radius() -> None:
    plan = build({"shape": "random_geometric", "nodes": 80, "radius_m": 150.0}, largest_component=False)
    assert len(plan.nodes) == 80
    linked = {frozenset((link.a, link.b)) for link in plan.links}
    near = {
        frozenset((a.name, b.name))
        for a in plan.nodes
        for b in plan.nodes
        if a.name < b.name and (a.x_m - b.x_m) ** 2 + (a.y_m - b.y_m) ** 2 <= 150.0**2
    }
    assert linked == near
    more = build({"shape": "random_geometric", "nodes": 90, "radius_m": 150.0}, largest_component=False)
    assert [(n.name, n.x_m, n.y_m) for n in more.nodes][:80] == [(n.name, n.x_m, n.y_m) for n in plan.nodes]


def test_largest_part_only() -> None:
    sparse = {"shape": "erdos_renyi", "nodes": 60, "probability": 0.02}
    whole, part = build(sparse, largest_component=False), build(sparse)
    sizes = [len(c) for c in nx.connected_components(graph_of(whole))]
    assert len(sizes) > 1
    assert len(part.nodes) == max(sizes)


def test_tiers_and_media() -> None:
    tiers = {"clouds": 1, "edges": 1, "gateways": 2}
    plan = build({"shape": "star", "nodes": 8}, tiers=tiers)
    assert [node.tier for node in plan.nodes] == ["cloud", "edge", "gateway", "gateway"] + ["device"] * 4
    assert [link.medium for link in plan.links] == ["wired"] * 3 + ["wireless"] * 4
    assert {link.carrier for link in plan.links if link.medium == "wireless"} == {"node-0"}
    radio = build({"shape": "star", "nodes": 8}, wireless="all", links={"fixed_path_loss_db": 90})
    assert {(link.medium, link.path_loss_db) for link in radio.links} == {("wireless", 90.0)}
    assert {link.medium for link in build({"shape": "ring", "nodes": 4}, wireless="none").links} == {"wired"}


def test_the_order_does_not_hang_on_the_hash_seed() -> None:
    code = (
        "from simnet.topology.generator import Generator as G;"
        "from simnet.topology.graphml import Graphml as R;"
        "g = G(G.Params(graph=dict(shape='erdos_renyi', nodes=60, probability=0.03))).build(seed=1);"
        "r = R(R.Params(sample='freifunk_leipzig', keep_unlocated=False)).build(seed=1);"
        "print(g.model_dump_json(), r.model_dump_json())"
    )
    plans = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for hash_seed in (1, 2)
    }
    assert len(plans) == 1


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        ({"shape": "torus", "nodes": 3}, "does not match any of the expected tags: 'star', 'path'"),
        ({"shape": "ring", "nodes": 2}, "greater than or equal to 3"),
        ({"shape": "erdos_renyi", "nodes": 5, "probability": 1.5}, "less than or equal to 1"),
        ({"shape": "barabasi_albert", "nodes": 5, "links_of_new": 5}, "allowed: 1 to 4"),
        ({"shape": "watts_strogatz", "nodes": 5, "neighbours": 3, "rewiring": 0}, "multiple of 2"),
        ({"shape": "watts_strogatz", "nodes": 4, "neighbours": 4, "rewiring": 0}, "allowed: even, below 4"),
        ({"shape": "star", "nodes": 5, "rows": 2}, "Extra inputs"),
        ({"shape": "path", "nodes": 0}, "greater than or equal to 1"),
    ],
)
def test_broken_shapes(graph: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(graph)
