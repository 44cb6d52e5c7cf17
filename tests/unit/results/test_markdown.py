"""Tables in Markdown files: readable, and written between their markers only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from simnet.results import Results, ResultsError, markdown, write_table

PAGE = "# A\n\n<!-- table: one -->\nold\n<!-- /table -->\n\ntext\n<!-- table: two -->\n<!-- /table -->\nend\n"


def test_cells() -> None:
    frame = pd.DataFrame(
        {
            "name": ["a|b", None, "c"],
            "n_requests": [1234567, -5, 0],
            "ratio": [0.123456, np.nan, np.inf],
            "as_good": [True, False, True],
        }
    )
    assert markdown(frame).splitlines() == [
        "| name | n_requests | ratio | as_good |",
        "|---|---:|---:|---|",
        "| a\\|b | 1,234,567 | 0.1235 | yes |",
        "| – | −5 | – | no |",
        "| c | 0 | ∞ | yes |",
    ]


def test_an_estimate_is_one_cell(sweep: Results) -> None:
    found = sweep.mean("ss_mean", by="ttl_s", arm="jpeg")
    lines = markdown(found).splitlines()
    assert lines[0] == "| ttl_s | arm | mean | n_left_out |"
    row = found.iloc[0]
    assert f"{row['mean']:.3f} ± {row['half_width']:.3f} (n = 5)" in lines[2]


def test_write_replaces_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text(PAGE)
    write_table(page, "one", "| x |\n|---|\n| 1 |")
    once = page.read_text()
    assert once == PAGE.replace("old", "| x |\n|---|\n| 1 |")
    write_table(page, "one", "| x |\n|---|\n| 1 |")
    assert page.read_text() == once, "writing again changes nothing"
    write_table(page, "two", "b")
    assert "<!-- table: two -->\nb\n<!-- /table -->\nend\n" in page.read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nothing", "got 0 markers '<!-- table: one -->'"),
        (PAGE + PAGE, "got 2 markers"),
        ("<!-- table: one -->\nno end", "got 1 markers"),
        ("<!-- table: one -->\n<!-- table: two -->\n<!-- /table -->", "another one before its end"),
    ],
)
def test_markers_must_be_there_once(tmp_path: Path, text: str, message: str) -> None:
    page = tmp_path / "README.md"
    page.write_text(text)
    with pytest.raises(ResultsError, match=message):
        write_table(page, "one", "x")
    assert page.read_text() == text


def test_line_ends_stay_as_they_are(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_bytes(b"# a\r\n<!-- table: t -->\r\nold\r\n<!-- /table -->\r\nend\r\n")
    for _ in range(2):
        write_table(page, "t", "| x |\n|---|\n")
        assert page.read_bytes() == b"# a\r\n<!-- table: t -->\r\n| x |\r\n|---|\r\n<!-- /table -->\r\nend\r\n"
    page.write_bytes(b"\xff<!-- table: t --><!-- /table -->")
    with pytest.raises(ResultsError, match=r"README\.md: cannot be read \('utf-8'"):
        write_table(page, "t", "x")


def test_no_file_and_no_markers_in_the_text(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="cannot be read"):
        write_table(tmp_path / "README.md", "one", "x")
    page = tmp_path / "README.md"
    page.write_text(PAGE)
    with pytest.raises(ResultsError, match="markers inside the text"):
        write_table(page, "one", "<!-- /table -->")
