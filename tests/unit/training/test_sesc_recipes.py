"""Recipes of kind ``sesc`` say sizes that fit each other, before anything is trained."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from simnet.core.errors import SimnetError
from simnet.training import train
from simnet.training.recipe import read_recipe

FAMILY = Path(__file__).parents[3] / "models/sesc"
RECIPES = sorted(FAMILY.glob("*/train*.yaml"))
assert RECIPES


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_the_zoo_s_recipes_are_read(path: Path) -> None:
    assert read_recipe(path).kind == "sesc"


def test_test_pictures_have_the_networks_size(tmp_path: Path) -> None:
    content = yaml.safe_load((FAMILY / "street/train.yaml").read_text())
    path = tmp_path / "train.yaml"
    path.write_text(yaml.safe_dump({**content, "measure_on": "camvid"}))
    with pytest.raises(SimnetError, match=r"measure_on: got camvid, pictures of \[240, 320\]; .* \[96, 128\]"):
        train(path, quiet=True)
