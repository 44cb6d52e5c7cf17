"""docs/learned_links.md: what it shows can be loaded as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from simnet.core.plugins import KINDS
from simnet.scenario.plugin_field import PluginField
from simnet.signal.digital.points import read_points
from simnet.training.jscc import Recipe
from simnet.training.recipe import read_recipe

PAGE = Path(__file__).parents[2] / "docs" / "learned_links.md"


def test_the_recipe_and_the_points_are_read(tmp_path: Path) -> None:
    recipe, codecs, points = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    for name, text in (("train.yaml", recipe), ("points.yaml", points)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    read = read_recipe(tmp_path / "train.yaml")
    assert isinstance(read, Recipe) and read.system == "semcc" and read.fine_tuning is not None
    for described in yaml.safe_load(codecs)["codecs"].values():
        assert PluginField(KINDS["codecs"]).validate(described).kind == "sesc"
    assert set(read_points(tmp_path / "points.yaml").codecs) == {"hevc"}
