"""A sweep's own page is called with the two folders, may be any module, and its failure is told."""

from __future__ import annotations

from pathlib import Path

from simnet.sweep.page import TRACEBACK, draw_page

PAGE = """
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Note:
    text: str


def draw(folder: Path, here: Path) -> None:
    note = Note((folder / "results.txt").read_text())
    (here / "README.md").write_text(note.text)
"""


def test_a_page_with_a_dataclass_draws_and_one_that_fails_says_why(tmp_path: Path) -> None:
    folder, here = tmp_path / "sweep", tmp_path / "experiment"
    folder.mkdir()
    here.mkdir()
    (here / "page.py").write_text(PAGE)
    told = draw_page(here / "page.py", folder)
    assert told is not None and "FileNotFoundError" in told and "results.txt" in (folder / TRACEBACK).read_text()
    (folder / "results.txt").write_text("found")
    assert draw_page(here / "page.py", folder) is None
    assert (here / "README.md").read_text() == "found" and not (folder / TRACEBACK).exists()
