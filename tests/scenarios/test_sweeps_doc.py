"""The sweep that docs/sweeps.md shows is a real one."""

from __future__ import annotations

import re
from pathlib import Path

from simnet.sweep.schema import Block, SweepFile
from simnet.sweep.sweep import load_sweep

DOCS = Path(__file__).parents[2] / "docs"


def test_the_sweep_of_the_docs_loads_and_shows_every_key(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (DOCS / "sweeps.md").read_text(encoding="utf-8"), flags=re.S)
    assert len(blocks) == 1
    file = tmp_path / "sweep.yaml"
    file.write_text(blocks[0], encoding="utf-8")
    sweep = load_sweep(file, overrides=[f"base={(DOCS / '../scenarios/city_iot.yaml').resolve()}"])
    assert len(sweep.points) == 4 * 2 * 2 * 2 * 3 and sweep.left_out == 2 * 2 * 2 * 2 * 3
    assert [axis.column for axis in sweep.axes] == [
        "ttl_s", "device_byte", "gateway_byte", "edge_byte", "propagation", "demand", "rate_per_s", "gateways",
        "area_m",
    ]  # fmt: skip
    assert set(SweepFile.model_fields) - sweep.file.model_fields_set == {"page"}
    used = {name for block in sweep.file.axes for name in block.model_fields_set}
    assert used == set(Block.model_fields)
