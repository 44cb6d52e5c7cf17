"""Networks from files: the real ones as their sources describe them, and broken and hostile ones refused."""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simnet.core.errors import SimnetError
from simnet.topology.graph_files import MAX_BYTE, SAMPLES
from simnet.topology.graphml import Graphml
from simnet.topology.plan import NetworkPlan

DATA = Path(os.environ.get("SIMNET_DATA", Path(__file__).parents[4] / "shared" / "data")) / "topologies"
GOOD = """<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="k" for="node" attr.name="tier" attr.type="string"/>
<graph edgedefault="undirected">
<node id="a"><data key="k">hub</data></node><node id="b"/><edge source="a" target="b"/></graph></graphml>"""


def build(path: Path | None = None, seed: int = 1, **keys: object) -> NetworkPlan:
    return Graphml(Graphml.Params.model_validate({"file": path, **keys})).build(seed=seed)


def written(folder: Path, graph: nx.Graph) -> Path:
    path = folder / "graph.json"
    path.write_text(json.dumps(nx.node_link_data(graph, edges="edges")))
    return path


def test_shipped_sample() -> None:
    plan = build(
        sample="freifunk_leipzig",
        tier_attribute="gateway",
        tier_values={"true": "gateway"},
        links={"fixed_path_loss_db": 95.0},
    )
    assert len(plan.nodes) == 144, "the largest part, as the data set's description says"
    assert Counter(node.tier for node in plan.nodes) == {"device": 128, "gateway": 16}
    assert {link.medium for link in plan.links} == {"wireless", "wired"}
    assert (SAMPLES / "LICENSE.freifunk_leipzig.txt").is_file()


def test_path_loss_follows_the_measured_places() -> None:
    rules = {"path_loss": {"shadowing_sigma_db": 0.0}}
    plan = build(sample="freifunk_leipzig", keep_unlocated=False, links=rules)
    places = {node.name: (node.x_m, node.y_m) for node in plan.nodes}
    radio = [link for link in plan.links if link.path_loss_db is not None]
    assert len(radio) > 50
    for link in radio:
        distance_m = max(1.0, math.dist(places[link.a], places[link.b]))
        assert link.path_loss_db == pytest.approx(31.2178 + 30.0 * math.log10(distance_m), abs=1e-3)


def test_missing_places_need_a_fixed_loss() -> None:
    with pytest.raises(SimnetError, match=r"an end has no coordinates.*set links.fixed_path_loss_db"):
        build(sample="freifunk_leipzig")


@pytest.mark.parametrize(
    ("file", "nodes", "links"),
    [("Garr201201", 61, None), ("Geant2012", 40, 61), ("WideJpn", 30, None), ("DeutscheTelekom", 30, None)],
)
def test_operator_networks(file: str, nodes: int, links: int | None) -> None:
    path = DATA / "topology_zoo" / f"{file}.graphml"
    if not path.is_file():
        pytest.skip(f"no {path}; set SIMNET_DATA")
    plan = build(path, x_attribute="Longitude", y_attribute="Latitude", coordinates="degree")
    assert len(plan.nodes) == nodes
    assert links is None or len(plan.links) == links
    assert {link.medium for link in plan.links} == {"wired"}


def test_degrees_become_metres(tmp_path: Path) -> None:
    graph = nx.Graph()
    graph.add_node("Zurich", x=8.54, y=47.37)
    graph.add_node("Bern", x=7.45, y=46.95)
    graph.add_edge("Zurich", "Bern")
    plan = build(written(tmp_path, graph), x_attribute="x", y_attribute="y", coordinates="degree")
    a, b = plan.nodes
    # Great circle by the haversine formula; laid flat it differs by less than 0.1 % over 100 km.
    h = math.sin(math.radians(0.42) / 2) ** 2
    h += math.cos(math.radians(47.37)) * math.cos(math.radians(46.95)) * math.sin(math.radians(1.09) / 2) ** 2
    great_circle_m = 2 * 6_371_008.8 * math.asin(math.sqrt(h))
    assert math.dist((a.x_m, a.y_m), (b.x_m, b.y_m)) == pytest.approx(great_circle_m, rel=1e-3)
    assert a.x_m > b.x_m and a.y_m > b.y_m, "Zurich lies north-east of Bern"


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ({"x": 139.69, "y": 35.69}, {"x": -118.24, "y": 34.05}),  # Tokyo to Los Angeles: not across Europe
        ({"x": -21.9, "y": 64.15}, {"x": -0.12, "y": 51.51}),  # Reykjavik to London, on a map centred far south
    ],
)
def test_links_in_degrees_are_as_long_as_great_circles(
    tmp_path: Path, a: dict[str, float], b: dict[str, float]
) -> None:
    graph = nx.Graph([("a", "b")])
    graph.add_node("a", **a)
    graph.add_node("b", **b)
    graph.add_node("c", x=a["x"], y=0.0)
    keys = {"x_attribute": "x", "y_attribute": "y", "coordinates": "degree", "largest_component": False}
    (link,) = build(written(tmp_path, graph), **keys).links

    def unit(place: dict[str, float]) -> tuple[float, float, float]:
        east, north = math.radians(place["x"]), math.radians(place["y"])
        return math.cos(north) * math.cos(east), math.cos(north) * math.sin(east), math.sin(north)

    angle = math.acos(sum(u * v for u, v in zip(unit(a), unit(b), strict=True)))
    assert link.delay_s == pytest.approx(6_371_008.8 * angle * 1.468 / 299_792_458, rel=1e-9)


def test_no_latitude_beyond_the_poles(tmp_path: Path) -> None:
    graph = nx.Graph()
    graph.add_node("Sydney", x=-33.87, y=151.21)
    with pytest.raises(SimnetError, match=r"'Sydney', y: got 151\.21; allowed: a latitude, −90 to 90"):
        build(written(tmp_path, graph), x_attribute="x", y_attribute="y", coordinates="degree")


def test_directions_and_parallel_links_are_merged_and_loops_left_out(tmp_path: Path) -> None:
    graph = nx.MultiDiGraph()
    graph.add_nodes_from("abc", x_m=0.0, y_m=0.0)
    graph.add_edges_from([("a", "b", {"type": "other"}), ("b", "a", {"type": "wifi"}), ("c", "c", {})])
    graph.add_edges_from([("b", "c", {"type": "vpn"}), ("a", "c", {"type": "cable"}), ("a", "c", {})])
    plan = build(written(tmp_path, graph), left_out_values=["vpn"])
    links = [(link.a, link.b, link.medium) for link in plan.links]
    assert links == [("a", "b", "wireless"), ("a", "c", "wired")]


def test_tiers_by_attribute_and_names_by_attribute(tmp_path: Path) -> None:
    path = tmp_path / "good.graphml"
    path.write_text(GOOD)
    plan = build(path, tier_attribute="tier", tier_values={"hub": "edge"}, default_tier="gateway")
    assert [(node.name, node.tier) for node in plan.nodes] == [("a", "edge"), ("b", "gateway")]
    with pytest.raises(SimnetError, match=r"'teir'; did you mean 'tier'\? Allowed: tier"):
        build(path, tier_attribute="teir")
    with pytest.raises(SimnetError, match=r"attribute of node 'a'.*Allowed: tier"):
        build(path, name_attribute="label")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"x_attribute": "Longitude"}, r"node attribute \(x_attribute\) in .*: got 'Longitude'. Allowed: x_m, y_m"),
        ({"y_attribute": "y_n"}, r"node attribute \(y_attribute\) in .*: got 'y_n'; did you mean 'y_m'"),
        ({"link_attribute": "kind"}, r"edge attribute \(link_attribute\) in .*: got 'kind'. Allowed: type"),
        ({"tier_values": {"true": "gateway"}}, "tier_values are of a tier_attribute"),
    ],
)
def test_attributes_that_are_chosen_are_there(tmp_path: Path, keys: dict[str, Any], message: str) -> None:
    """Else all links would be wires, all distances unknown, all tiers by degree, and nobody would know."""
    graph = nx.Graph()
    graph.add_nodes_from("ab", x_m=0.0, y_m=0.0)
    graph.add_edge("a", "b", type="wifi")
    path = written(tmp_path, graph)
    assert build(path).links[0].medium == "wireless"
    with pytest.raises((SimnetError, ValueError), match=message):
        build(path, **keys)


def test_exactly_one_source() -> None:
    with pytest.raises(ValueError, match="exactly one of 'file' and 'sample'"):
        build()
    with pytest.raises(SimnetError, match="did you mean 'freifunk_leipzig'"):
        build(sample="freifunk_leipzg")


BOMB = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>' + GOOD.replace("hub", "&b;")
BROKEN: list[tuple[str, bytes, str]] = [
    ("bomb.graphml", BOMB.encode(), "DOCTYPE"),
    ("wide.graphml", BOMB.replace('"1.0"', '"1.0" encoding="utf-16"').encode("utf-16"), "DOCTYPE"),
    ("empty.graphml", b"", "malformed XML"),
    ("cut.graphml", GOOD.encode()[:150], "malformed XML"),
    ("deep.graphml", b"<a>" * 200_000, "malformed XML"),
    ("closed.graphml", b"<a>" * 50_000 + b"</a>" * 50_000, "not a graph"),
    ("other.graphml", b"<html/>", "not a graph"),
    ("encoding.graphml", b'<?xml version="1.0" encoding="utf8mb4"?>' + GOOD.encode(), "not a graph .* utf8mb4"),
    ("number.graphml", GOOD.replace("string", "int").encode(), "not a graph"),
    ("binary.json", bytes(range(256)), "not a graph"),
    ("empty.json", b"", "not a graph"),
    ("list.json", b"[]", "no 'nodes'"),
    ("deep.json", b"[" * 100_000, "not a graph"),
    ("nodes.json", b'{"nodes": []}', "neither 'edges' nor 'links'"),
    ("none.json", b'{"nodes": [], "links": []}', "has no nodes"),
    ("ends.json", b'{"nodes": [{"id": 1}], "links": [{"source": 1}]}', "not a graph"),
    ("twice.json", b'{"nodes": [{"id": 1}, {"id": "1"}], "links": []}', "two nodes are named '1'"),
    ("nan.json", b'{"nodes": [{"id": 1, "x_m": NaN, "y_m": 0}], "links": []}', "x_m: got nan; allowed"),
    ("text.json", b'{"nodes": [{"id": 1, "x_m": "east", "y_m": 0}], "links": []}', "got 'east'"),
    ("name.json", b'{"nodes": [{"id": "' + b"x" * 300 + b'"}], "links": []}', "300 characters; allowed"),
    ("graph.txt", b"", r"type '.txt'; allowed: .graphml, .json"),
]


@pytest.mark.parametrize(("name", "content", "message"), BROKEN, ids=[name for name, _, _ in BROKEN])
def test_broken_and_hostile_files(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SimnetError, match=message) as caught:
        build(path)
    assert str(path) in str(caught.value)


def test_missing_folder_and_huge_files(tmp_path: Path) -> None:
    with pytest.raises(SimnetError, match="no such file"):
        build(tmp_path / "none.json")
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(SimnetError, match="no such file"):
        build(tmp_path / "folder.json")
    with (tmp_path / "huge.json").open("wb") as file:
        file.truncate(MAX_BYTE + 1)
    with pytest.raises(SimnetError, match="allowed: at most"):
        build(tmp_path / "huge.json")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
keys = st.sampled_from(["id", "x_m", "y_m", "source", "target", "key", "type"])
records = st.dictionaries(keys, json_values)


@given(nodes=st.lists(records, max_size=4) | json_values, edges=st.lists(records, max_size=4) | json_values)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_gives_a_plan_or_a_typed_error(tmp_path: Path, nodes: Any, edges: Any) -> None:
    path = tmp_path / "any.json"
    path.write_text(json.dumps({"nodes": nodes, "edges": edges}))
    try:
        build(path, links={"fixed_path_loss_db": 80.0})
    except SimnetError as error:
        assert str(path) in str(error)


mangled = st.text(alphabet='<>/&;"= k0', max_size=6)


@pytest.mark.filterwarnings("ignore:No key type")
@given(cut=st.integers(0, len(GOOD)), insert=mangled, drop=st.integers(0, 6))
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_mangled_graphml_gives_a_plan_or_an_error(tmp_path: Path, cut: int, insert: str, drop: int) -> None:
    path = tmp_path / "any.graphml"
    path.write_text(GOOD[:cut] + insert + GOOD[cut + drop :])
    try:
        build(path, links={"fixed_path_loss_db": 80.0})
    except SimnetError as error:
        assert str(path) in str(error)
