"""The verb 'sweep', with runs made in this process: what it prints, how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import simnet.cli.sweep
from simnet.sweep.job import Failed
from tests.support.sweeps import InProcess, rows_of, sweep_of
from tests.unit.cli.conftest import Run

TEXT = "axes: [grid: {duration_s: [1, 2]}]\nreplications: 3\n"


@pytest.fixture(autouse=True)
def pool(monkeypatch: pytest.MonkeyPatch) -> InProcess:
    workers = InProcess(lambda job: rows_of(job, 0.5 + len(workers.made) / 100))
    monkeypatch.setattr(simnet.cli.sweep, "_pool", lambda *_, **__: workers)
    return workers


def test_a_sweep_prints_means_with_intervals_and_where_they_are(
    tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    file = sweep_of(tmp_path, TEXT).path
    assert run("sweep", file, "--out", tmp_path / "out") == 0
    printed, log = capsys.readouterr()
    assert printed.splitlines()[-1] == str(tmp_path / "out" / "tiny" / "results.parquet")
    assert "0.54 ± 0.05 (n = 3)" in printed and "large" in printed
    assert "6 of 6 runs" in log


def test_failed_points_are_named_and_the_exit_code_tells(
    tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str], pool: InProcess
) -> None:
    def make(job: object) -> object:
        return Failed("ValueError: no luck", "all of it") if len(pool.made) == 2 else rows_of(job, 1.0)  # type: ignore[arg-type]

    pool._make = make  # type: ignore[assignment]
    file = sweep_of(tmp_path, TEXT).path
    assert run("sweep", file, "--out", tmp_path / "out", "--quiet") == 3
    log = capsys.readouterr().err
    assert "simnet: failed: point 1: ValueError: no luck" in log
    (failed,) = (tmp_path / "out" / "tiny" / "failed").iterdir()
    assert str(failed) in log and (failed / "traceback.txt").read_text() == "all of it"
    assert json.loads((tmp_path / "out" / "tiny" / "sweep.json").read_text())["counts"]["failed"] == 1


PAGE = """
import pandas
def draw(folder, here):
    n = len(pandas.read_parquet(folder / "results.parquet"))
    (folder / "page.txt").write_text(f"{n} rows, {(here / 'sweep.yaml').exists()}{WRONG}")
"""


def test_a_page_is_drawn_from_the_results(tmp_path: Path, run: Run) -> None:
    (tmp_path / "page.py").write_text(PAGE.replace("{WRONG}", ""), encoding="utf-8")
    file = sweep_of(tmp_path, TEXT + "page: page.py\n").path
    assert run("sweep", file, "--out", tmp_path / "out", "--quiet") == 0
    assert (tmp_path / "out" / "tiny" / "page.txt").read_text() == "24 rows, True"


def test_a_page_that_fails_loses_no_results(tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "page.py").write_text(PAGE, encoding="utf-8")
    file = sweep_of(tmp_path, TEXT + "page: page.py\n").path
    assert run("sweep", file, "--out", tmp_path / "out", "--quiet") == 3
    assert "page.py failed: NameError: name 'WRONG' is not defined" in capsys.readouterr().err
    folder = tmp_path / "out" / "tiny"
    assert "WRONG" in (folder / "page_traceback.txt").read_text() and (folder / "results.parquet").exists()


def test_runs_that_are_made_again_are_named(tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    file = sweep_of(tmp_path, TEXT).path
    assert run("sweep", file, "--out", tmp_path / "out", "--quiet") == 0
    assert "made again" not in capsys.readouterr().err
    runs = sorted((tmp_path / "out" / "tiny" / "runs").iterdir())
    (runs[0] / "meta.json").unlink()
    assert run("sweep", file, "--out", tmp_path / "out", "--quiet") == 0
    assert f"simnet: {runs[0]}: files were missing or damaged; the run was made again" in capsys.readouterr().err
    for each in runs:
        (each / "rows.parquet").write_bytes(b"")
    assert run("sweep", file, "--out", tmp_path / "out", "--quiet") == 0
    log = capsys.readouterr().err
    assert log.count("the run was made again") == 5 and "… and 1 more" in log


def test_a_dry_run_makes_one_run_at_most_and_says_so(
    tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str], pool: InProcess
) -> None:
    file = sweep_of(tmp_path, TEXT + "constraints: [duration_s < 3]\n").path
    assert run("sweep", file, "--out", tmp_path / "out", "--dry-run") == 0
    printed = capsys.readouterr().out
    assert "points        2\n" in printed and "duration_s" in printed and "2 values: 1, 2" in printed
    assert (
        "6, of which 1 are finished" in printed
        and "5 s with 1 workers at 1 s a run (the first, made just now)" in printed
    )
    assert run("sweep", file, "--out", tmp_path / "out", "--dry-run") == 0
    assert "(1 finished ones)" in capsys.readouterr().out and len(pool.made) == 1
    assert not (tmp_path / "out" / "tiny" / "results.parquet").exists()


def test_ctrl_c_says_what_is_kept(
    tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str], pool: InProcess
) -> None:
    def make(job: object) -> object:
        if len(pool.made) == 2:
            raise KeyboardInterrupt
        return rows_of(job, 1.0)  # type: ignore[arg-type]

    pool._make = make  # type: ignore[assignment]
    file = sweep_of(tmp_path, TEXT).path
    assert run("sweep", file, "--out", tmp_path / "out", "--quiet") == 130
    assert "the same command goes on from there" in capsys.readouterr().err
    assert len(list((tmp_path / "out" / "tiny" / "runs").iterdir())) == 1


@pytest.mark.parametrize(
    ("early", "place"),
    [("simnet.sweep.sweep.load_sweep", "out"), ("simnet.cli.sweep._pool", "out/tiny"),
     ("simnet.cli.sweep._closed", "out/tiny")],
)  # fmt: skip
def test_ctrl_c_before_the_first_run_and_after_the_last_keeps_what_is_finished(
    tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    early: str, place: str,
) -> None:  # fmt: skip
    file = sweep_of(tmp_path, TEXT).path
    assert run("sweep", file, "--out", tmp_path / "out", "--quiet") == 0
    capsys.readouterr()

    def interrupted(*_args: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(early, interrupted)
    assert run("sweep", file, "--out", tmp_path / "out", "--quiet") == 130
    kept = f"finished runs are kept in {tmp_path / place}; the same command goes on from there"
    assert capsys.readouterr().err == f"simnet: stopped by Ctrl-C; {kept}\n"


def test_without_a_card_nothing_is_begun(
    tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The results of a sweep that was made on the CPU stay."""
    file, out = sweep_of(tmp_path, TEXT).path, tmp_path / "out"
    assert run("sweep", file, "--out", out) == 0
    results = (out / "tiny" / "results.parquet").read_bytes()
    monkeypatch.undo()
    assert run("sweep", file, "--out", out, "--device", "cuda") == 2
    assert "--device cuda: torch sees no CUDA device" in capsys.readouterr().err
    assert (out / "tiny" / "results.parquet").read_bytes() == results


def test_options_that_contradict_are_refused(
    tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    file = sweep_of(tmp_path, TEXT).path
    out = ("--out", tmp_path / "out")
    assert run("sweep", file, *out, "--cluster", "tcp://127.0.0.1:1", "--workers", 2) == 2
    assert "allowed: --workers or --cluster" in capsys.readouterr().err
    assert run("sweep", file, *out, "--resources", "GPU=1") == 2
    assert "allowed: with --cluster ADDRESS" in capsys.readouterr().err


def test_wishes_that_come_too_late_are_counted_by_points(
    tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    wishes = ", ".join(f"{{time_s: {time_s}, consumer: reader, item_id: 0}}" for time_s in (0.5, 1.5, 7))
    traffic = f"set: {{traffic: {{kind: trace, requests: [{wishes}]}}}}"
    axes = "axes: [grid: {duration_s: [1, 2, 9], drain_s: [1, 2]}]"
    file = sweep_of(tmp_path, f"{traffic}\n{axes}\nreplications: 3\n").path
    assert run("sweep", file, "--out", tmp_path / "out", "--quiet") == 0
    said = [line for line in capsys.readouterr().err.splitlines() if "wishes" in line]
    assert [line.partition(", which")[0] for line in said] == [
        "simnet: at 2 of 6 points, traffic: 2 of 3 wishes come at or after duration_s",
        "simnet: at 2 of 6 points, traffic: 1 of 3 wishes come at or after duration_s",
    ]
