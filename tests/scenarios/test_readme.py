"""README's scenario is a real one; its table and the zoo's page are those that the cards give."""

from __future__ import annotations

import re
from pathlib import Path

from simnet.build import run_scenario
from simnet.core.zoo import zoo_root
from simnet.scenario.load import load_scenario
from simnet.training import systems_table, zoo_page

README = Path(__file__).parents[2] / "README.md"


def test_the_ten_lines_run_and_models_pay_off(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.S)
    assert len(blocks) == 1
    file = tmp_path / "star.yaml"
    file.write_text(blocks[0], encoding="utf-8")
    run = run_scenario(load_scenario(file), out=tmp_path, quiet=True)
    accounts = run.manifest["accounting"]
    assert list(accounts) == ["models_travel", "jpeg_only"]
    for arm in accounts.values():
        assert arm["requests"] == sum(arm["outcomes"].values()) > 100
    assert "model" in accounts["models_travel"]["bytes_and_channel_uses"]
    assert "model" not in accounts["jpeg_only"]["bytes_and_channel_uses"]


def test_the_systems_are_those_of_the_cards() -> None:
    text = README.read_text(encoding="utf-8")
    assert f"<!-- table: systems -->\n{systems_table.table(zoo_root())}\n<!-- /table -->" in text
    for folder in re.findall(r"\]\(((?:experiments|models)/[^)]+)\)", text):
        assert (README.parent / folder).exists(), folder


def test_the_page_of_the_zoo_is_that_of_the_cards() -> None:
    assert (zoo_root() / "README.md").read_text(encoding="utf-8") == zoo_page.page(zoo_root())
