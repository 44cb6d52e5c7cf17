"""Plans refuse networks that make no sense, and say why."""

from __future__ import annotations

from typing import Any

import pytest

from simnet.topology.explicit import Explicit
from simnet.topology.plan import LinkPlan, NetworkPlan, NodePlan

NODES = [{"name": "camera", "tier": "device"}, {"name": "hall", "tier": "gateway", "x_m": 30.0}]
ENDS = {"a": "camera", "b": "hall"}
WIRE = {"medium": "wired", "link_class": "wire"}
RADIO = {**ENDS, "medium": "wireless", "link_class": "radio", "carrier": "hall", "path_loss_db": 80.0}


def test_written_out_network_is_built_as_it_stands() -> None:
    params = Explicit.Params.model_validate({"nodes": NODES, "links": [RADIO]})
    plan = Explicit(params).build(seed=1)
    assert plan == NetworkPlan(
        nodes=(NodePlan(name="camera", tier="device"), NodePlan(name="hall", tier="gateway", x_m=30.0)),
        links=(
            LinkPlan(a="camera", b="hall", medium="wireless", link_class="radio", carrier="hall", path_loss_db=80.0),
        ),
    )
    assert plan.links[0].name == "camera--hall"


@pytest.mark.parametrize(
    ("nodes", "links", "message"),
    [
        ([*NODES, NODES[0]], [], "nodes.2.name\n.*node 'camera' appears twice, first as nodes.0"),
        (
            [{"name": name, "tier": "edge"} for name in ("a", "b--c", "a--b", "c")],
            [{**WIRE, "a": "a", "b": "b--c"}, {**WIRE, "a": "a--b", "b": "c"}],
            "link a--b--c: its ends' names make the name of links.0 too",
        ),
        (NODES, [{**RADIO, "b": "hal"}], "links.0.b\n.*got node 'hal'; allowed: camera, hall; did you mean 'hall'"),
        (NODES, [{**RADIO, "carrier": "halle"}], "links.0.carrier\n.*got carrier 'halle'; allowed: 'camera' or 'hall'"),
        (NODES, [{**RADIO, "b": "camera"}], "both ends are 'camera'"),
        (
            NODES,
            [RADIO, {**RADIO, "a": "hall", "b": "camera"}],
            "links.1\n.*first as links.0; a link serves both directions",
        ),
        (NODES, [{**RADIO, "carrier": None}], "needs both 'carrier' and 'path_loss_db'"),
        (NODES, [{**RADIO, "medium": "wired"}], "a wired link has no 'carrier' and no 'path_loss_db'"),
        (NODES, [{**RADIO, "delay_s": -1.0}], "greater than or equal to 0"),
        (NODES, [{**RADIO, "path_loss_db": float("nan")}], "finite number"),
        ([{"name": "x", "tier": "fog"}], [], "'device', 'gateway', 'edge' or 'cloud'"),
        ([{"name": "", "tier": "edge"}], [], "at least 1 character"),
        ([{"name": "x", "tier": "edge", "z_m": 1}], [], "Extra inputs are not permitted"),
    ],
)
def test_broken_networks(nodes: list[dict[str, Any]], links: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Explicit.Params.model_validate({"nodes": nodes, "links": links})
