"""``simnet validate``: its table, its files, its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simnet.statistics.interval import Interval
from simnet.validation import checks
from simnet.validation.bench import Bench
from simnet.validation.checks import Check
from simnet.validation.finding import Finding, Theory
from tests.unit.cli.conftest import Run


@pytest.fixture
def two_checks(monkeypatch: pytest.MonkeyPatch) -> list[Bench]:
    """Checks ``true`` and ``false`` in place of all others; the benches that they were given."""
    given: list[Bench] = []

    def found(value: float) -> list[Finding]:
        return [Finding("figure [unit]", Interval(value, 0.1, 8), Theory.exactly(1.0, "a book, eq. 1"))]

    def true(bench: Bench) -> list[Finding]:
        given.append(bench)
        return found(1.05)

    monkeypatch.setattr(checks, "CHECKS", {"true": Check(1, true), "false": Check(1, lambda bench: found(2.0))})
    return given


def test_all_pass(run: Run, two_checks: list[Bench], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("validate", "--only", "true", "--seed", 7, "--long") == 0
    output = capsys.readouterr()
    assert "figure [unit]" in output.out and "1.05 ± 0.10 (n = 8)" in output.out and "a book, eq. 1" in output.out
    assert "all 1 comparisons pass" in output.out and output.err == "true …\n"
    assert two_checks == [Bench(7, long=True, confidence=1 - 1e-3 / 2)]  # of all checks, not only of those that are run


def test_one_fails(run: Run, two_checks: list[Bench], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rows.json"
    assert run("validate", "--quiet", "--json", path) == 3
    assert capsys.readouterr().out.startswith("1 of 2 comparisons fail")
    document = json.loads(path.read_text())
    assert (document["mode"], document["seed"]) == ("short", 1)
    assert [(row["check"], row["verdict"]) for row in document["rows"]] == [("true", "pass"), ("false", "fail")]
    assert document["rows"][1] | {"interval": "", "source": ""} == {
        "check": "false", "quantity": "figure [unit]", "simulated": 2.0, "half_width": 0.1, "n": 8, "theory_low": 1.0,
        "theory_high": 1.0, "interval": "", "theory": "1", "verdict": "fail", "source": "",
    }  # fmt: skip


def test_a_page_s_table_is_rewritten(run: Run, two_checks: list[Bench], tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- table: validate -->\nold\n<!-- /table -->\nafter\n")
    assert run("validate", "--only", "true", "--quiet", "--markdown", page) == 0
    text = page.read_text()
    assert "old" not in text and text.startswith("before\n") and text.endswith("\nafter\n")
    assert "| true | figure [unit] | 1.05 ± 0.10 (n = 8) | 1 | pass | a book, eq. 1 |" in text
    assert "`simnet validate --seed 1 --markdown page.md`" in text


def test_user_errors(run: Run, two_checks: list[Bench], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, full = tmp_path / "page.md", Path("/dev/full")
    page.write_text("no place for a table\n")
    for arguments, message in (
        (["--only", "truth"], "unknown check: got 'truth'; did you mean 'true'? Allowed: false, true."),
        (
            ["--json", page / "rows.json"],
            "page.md: nothing can be written there (File exists); choose another with --json",
        ),
        (["--json", tmp_path], "is a folder; name a file with --json"),
        (["--markdown", page], "got 0 markers '<!-- table: validate -->'; allowed exactly one"),
        (["--markdown", tmp_path / "none.md"], "cannot be read"),
    ):
        assert run("validate", "--quiet", *arguments) == 2
        output = capsys.readouterr()
        assert message in output.err
        assert output.out == "", "it is said before anything is simulated"
    assert page.read_text() == "no place for a table\n"
    assert run("validate", "--quiet", "--only", "true", "--json", full) == 2
    output = capsys.readouterr()
    assert "--json /dev/full: No space left on device" in output.err
    assert "all 1 comparisons pass" in output.out, "what was simulated is shown"


def test_the_folder_of_the_rows_is_made(run: Run, two_checks: list[Bench], tmp_path: Path) -> None:
    rows = tmp_path / "new" / "rows.json"
    assert run("validate", "--quiet", "--only", "true", "--json", rows) == 0
    assert rows.is_file()


def test_a_check_must_make_as_many_comparisons_as_it_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "CHECKS", {"lazy": Check(3, lambda bench: [])})
    with pytest.raises(AssertionError, match="lazy made 0 comparisons; it announced 3"):
        list(checks.validate())
