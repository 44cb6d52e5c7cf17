"""A topology's settings that lead to no network are the user's mistake."""

from __future__ import annotations

import pytest

from simnet.core.plugins import PluginError
from simnet.net.plan import plan_network
from simnet.scenario.schema import Scenario
from simnet.topology.base import TopologyError
from simnet.topology.generator import Generator
from tests.support.world import BASE, Json

STAR: Json = {"kind": "generator", "graph": {"shape": "star", "nodes": 3}, "wireless": "all"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"links": {"path_loss": {"carrier_hz": 1e300}}}, r"a LinkPlan of path_loss_db 59\d\d\.\d+, but .*carrier_hz"),
        ({"links": {"path_loss": {"carrier_hz": 1e-300}}}, r"a LinkPlan of path_loss_db -60\d\d\.\d+, but "),
        ({"area_m": 1e200}, r"a LinkPlan of path_loss_db \d+\.\d+, but Input should be less than or equal to 1000"),
    ],
)
def test_settings_that_lead_out_of_bounds(changes: Json, message: str) -> None:
    with pytest.raises(TopologyError, match=rf"topology: its settings lead to {message}"):
        plan_network(
            Scenario.model_validate(
                BASE | {"codecs": {"tiny": {"kind": "raw", "image_shape": [1, 8, 8]}}, "topology": STAR | changes}
            )
        )


def test_a_topology_that_gives_no_plan_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Generator, "build", lambda self, *, seed: None)
    scenario = BASE | {"codecs": {"tiny": {"kind": "raw", "image_shape": [1, 8, 8]}}, "topology": STAR}
    with pytest.raises(PluginError, match=r"generator\.py: Generator\.build: got None; allowed: a NetworkPlan"):
        plan_network(Scenario.model_validate(scenario))
