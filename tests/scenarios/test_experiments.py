"""Every experiment loads, has points and replications, and a page with its figure and tables."""

from __future__ import annotations

import ast
import re
import runpy
from pathlib import Path

import pytest

from simnet.results.page_arguments import DRAW, HERE, page_arguments
from simnet.sweep.sweep import load_sweep

ROOT = Path(__file__).parents[2]
SWEEPS = sorted((ROOT / "experiments").glob("*/sweep.yaml"))


def test_there_are_experiments_and_the_readme_names_each() -> None:
    assert SWEEPS
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for path in SWEEPS:
        assert f"(experiments/{path.parent.name}" in readme, path


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.parent.name)
def test_the_sweep_compares_something_with_enough_replications(path: Path) -> None:
    sweep = load_sweep(path)
    assert sweep.file.name == path.parent.name
    assert sweep.file.question
    assert len(sweep.points) * len(sweep.arms()) > 1
    assert sweep.least >= 10
    assert len(set(sweep.seeds)) == sweep.most


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.parent.name)
def test_the_page_can_be_drawn_and_names_no_codec(path: Path) -> None:
    sweep = load_sweep(path)
    assert sweep.page is not None
    text = sweep.page.read_text(encoding="utf-8")
    codecs = {codec for point in sweep.points for codec in point.scenario.codecs} - set(sweep.arms())
    assert not [codec for codec in codecs if re.search(rf"\b{re.escape(codec)}\b", text)]
    functions = {node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
    assert [argument.arg for argument in functions["draw"].args.args] == ["folder", "here"]


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.parent.name)
def test_the_readme_has_the_command_the_figures_and_filled_tables(path: Path) -> None:
    folder = path.parent
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert f"python -m simnet sweep experiments/{folder.name}/sweep.yaml" in readme
    shown = re.findall(r"!\[[^]]*\]\(([^)]+\.png)\)", readme)
    assert "figure.png" in shown
    for file in shown:
        assert (folder / file).read_bytes().startswith(b"\x89PNG\r\n\x1a\n"), file
    tables = re.findall(r"<!-- table: (\w+) -->\n(.*?)<!-- /table -->", readme, flags=re.S)
    assert tables
    assert len(tables) == readme.count("<!-- table:") == readme.count("<!-- /table -->")
    for name, content in tables:
        assert content.strip(), name


PAGES = sorted((ROOT / "experiments").glob("*/page.py"))


CALLED = [*PAGES, ROOT / "experiments" / "lsci_channel" / "network.py"]


@pytest.mark.parametrize("page", CALLED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_page_without_arguments_says_how_it_is_called(
    page: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(PAGES) > len(SWEEPS)
    monkeypatch.setattr("sys.argv", [str(page)])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(page), run_name="__main__")
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.startswith(f"usage: {page.name} [-h]") and "the following arguments are required" in said


def test_a_page_is_given_folders_that_are_there_and_flags(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["page.py", str(tmp_path), "--draw"])
    given = page_arguments("About.", {"draw": DRAW, "sample": "few"}, here=HERE)
    assert (given.here, given.draw, given.sample) == (tmp_path, True, False)
    monkeypatch.setattr("sys.argv", ["page.py", str(tmp_path / "none")])
    with pytest.raises(SystemExit):
        page_arguments("About.", here=HERE)
    assert f"argument here: got '{tmp_path}/none'; allowed: a folder that is there" in capsys.readouterr().err
