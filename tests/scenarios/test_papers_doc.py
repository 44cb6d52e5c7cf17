"""docs/papers.md says what experiments/papers.yaml and the tables of the experiments say."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "experiments" / "papers.py"))


def test_the_page_is_what_its_command_prints(made: dict[str, Any]) -> None:
    assert (ROOT / "docs" / "papers.md").read_text(encoding="utf-8") == made["papers_page"]()


def test_every_result_has_a_known_verdict_and_pages_that_are_there(made: dict[str, Any]) -> None:
    papers = yaml.safe_load((ROOT / "experiments" / "papers.yaml").read_text(encoding="utf-8"))
    assert len(papers) == 5
    for result in (result for paper in papers for result in paper["results"]):
        assert result["verdict"] in made["VERDICTS"], result
        for page in result["pages"]:
            assert (ROOT / (page if "." in page else f"experiments/{page}/README.md")).is_file(), page


def test_a_cell_that_is_not_there_is_said(made: dict[str, Any]) -> None:
    row = {"size": "96 × 128", "baseline": "jpeg", "quality": "SS"}
    assert made["cell"]("lsci_rate", "paper", "of both curves' quality, counted", row) == "95 %"
    with pytest.raises(LookupError, match="2 rows"):
        made["cell"]("lsci_rate", "paper", "size", {"baseline": "jpeg", "quality": "SS"})
    with pytest.raises(LookupError, match="no column colour"):
        made["cell"]("lsci_rate", "paper", "colour", row)
    with pytest.raises(LookupError, match="no table"):
        made["cell"]("lsci_rate", "papers", "size", row)
