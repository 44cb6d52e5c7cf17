"""What docs/slices.md shows is what scenarios take."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from simnet.build import build
from simnet.scenario.load import load_scenario

TEXT = (Path(__file__).parents[2] / "docs" / "slices.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", TEXT, flags=re.S)
DIGITS = {"dataset": "mnist", "items": 4, "owners": "gateway", "judge": "classifier/digits_judge"}
STREET = {
    "dataset": "camvid_small", "items": 88, "owners": "gateway", "judge": "segmenter/street_judge",
    "wish": {"task": "segmentation"},
}  # fmt: skip


def whole(shown: dict[str, Any]) -> dict[str, Any]:
    """A scenario around what the docs show of one."""
    codecs = shown.setdefault("codecs", {"base": {"kind": "lsci"}})
    street = any(codec["kind"].startswith(("lsci", "rlasc", "dsslic")) for codec in codecs.values())
    sources = {"crossings": STREET} if street else {"digits": DIGITS}
    for name, source in shown.get("sources", {}).items():
        sources[name] = {**sources.get(name, STREET), **source}
    shown["sources"] = sources
    protocol = shown.setdefault("protocol", {})
    protocol.setdefault("codecs", {name: list(codecs) for name in sources})
    link = {
        "a": "car",
        "b": "camera",
        "medium": "wireless",
        "link_class": "radio",
        "carrier": "camera",
        "path_loss_db": 90,
    }
    return {
        "name": "shown",
        "duration_s": 10,
        "topology": {
            "kind": "explicit",
            "nodes": [{"name": "camera", "tier": "gateway"}, {"name": "car", "tier": "device"}],
            "links": [link],
        },
        "radios": {"radio": {"fading": "none", "fidelity": "ideal", "mcs": "QPSK 1/2"}},
        "traffic": {"kind": "poisson", "rate_per_s": 0.1},
        "types_per_owner": None,
        **shown,
    }


def test_there_are_blocks() -> None:
    assert len(BLOCKS) == 8


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_every_block_is_a_part_of_a_scenario_that_loads_and_builds(block: str, tmp_path: Path) -> None:
    shown = yaml.safe_load(block)
    file = tmp_path / "shown.yaml"
    file.write_text(yaml.safe_dump(whole(shown)), encoding="utf-8")
    simulation = build(load_scenario(file))
    assert set(simulation.plane.codecs) == set(whole(yaml.safe_load(block))["codecs"])
