"""Folders are read as they are, joined only where they belong together, and refused with a reason."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from simnet.core.errors import UnknownName
from simnet.report.metrics import METRICS
from simnet.results import Results, ResultsError, load
from tests.support.sweep_folder import ARMS, SOURCES, keep_or_fetch, write_sweep
from tests.unit.report.conftest import Shape, write_run

TTL = {"ttl_s": [60, None]}


def run_folder(path: Path, seed: int = 3, **shape: Any) -> Path:
    """A run of the report's tests; the scenario holds the seed, as a resolved one does."""
    folder = write_run(path, Shape(seed=seed, n_requests=60, n_devices=8, n_gateways=2, **shape))
    text = yaml.safe_load((folder / "scenario.yaml").read_text())
    (folder / "scenario.yaml").write_text(yaml.safe_dump({**text, "seed": seed}))
    return folder


def test_a_sweep_is_read_as_it_was_written(sweep: Results) -> None:
    assert sweep.name == "keep"
    assert sweep.question == "How long should a node keep a model?"
    assert sweep.axes == {"ttl_s": [60, 600, 3600, None], "store_byte": [0, 64000]}
    assert sweep.arms == list(ARMS)
    assert sweep.source_types == list(SOURCES)
    head = ["point", "run", "replication", "seed", "ttl_s", "store_byte", "arm", "source_type"]
    assert list(sweep.runs.columns) == [*head, *METRICS]
    assert len(sweep.runs) == 4 * 2 * 5 * 3 * 3
    assert len(sweep.points) == 8
    assert sweep.points.loc[sweep.points["point"] == 7, "ttl_s"].isna().all()


def test_an_axis_of_numbers_and_words_is_text_as_in_the_rows(tmp_path: Path) -> None:
    """A sweep writes a column of several kinds as text."""
    folder = write_sweep(tmp_path / "mixed", {"mcs": ["auto", "3", "0.5", None]}, keep_or_fetch)
    about = json.loads((folder / "sweep.json").read_text())
    about["axes"][0]["values"] = ["auto", 3, 0.5, None]
    (folder / "sweep.json").write_text(json.dumps(about))
    mixed = load(folder)
    assert mixed.axes == {"mcs": ["auto", "3", "0.5", None]}
    assert mixed.mean("ss_mean", arm="jpeg")["mcs"].to_list()[:3] == ["auto", "3", "0.5"]
    assert len(mixed.mean("ss_mean", arm="jpeg", where={"mcs": ["3", None]})) == 2


def test_a_run_is_one_point_with_the_rows_of_its_metrics(tmp_path: Path) -> None:
    run = load(run_folder(tmp_path / "city-1", arms=("jpeg", "on_demand")))
    assert (run.axes, run.arms, run.name) == ({}, ["jpeg", "on_demand"], "city")
    assert set(run.runs["point"]) == set(run.runs["replication"]) == {0}
    requests = pd.read_parquet(tmp_path / "city-1" / "requests.parquet")
    n = run.runs.query("source_type == 'all'").set_index("arm")["n_requests"].to_dict()
    assert n == requests.groupby("arm").size().to_dict()
    assert run.mean("n_requests")["half_width"].isna().all(), "one replication has no interval"


def test_a_scenario_that_was_changed_after_its_run_is_said(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    folder = run_folder(tmp_path / "city-1", arms=("jpeg",))
    scenario, manifest = folder / "scenario.yaml", json.loads((folder / "manifest.json").read_text())
    manifest["scenario_sha256"] = hashlib.sha256(scenario.read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    load(folder)
    assert not recwarn.list
    scenario.write_text(scenario.read_text() + "duration_s: 1\n")
    with pytest.warns(
        UserWarning, match=r"city-1/scenario\.yaml: it was changed after the run, .*; run the changed one"
    ):
        load(folder)


def test_runs_of_one_scenario_are_replications_of_one_point(tmp_path: Path) -> None:
    runs = load([run_folder(tmp_path / f"city-{seed}", seed, arms=("jpeg",)) for seed in (3, 4, 5)])
    assert runs.axes == {}
    assert runs.points["point"].to_list() == [0]
    each = runs.runs.query("source_type == 'all'")
    assert each["seed"].to_list() == [3, 4, 5]
    assert each["replication"].to_list() == [0, 1, 2]
    assert runs.mean("end_to_end_byte")["n"].to_list() == [3]


def test_runs_of_several_scenarios_get_an_axis(tmp_path: Path) -> None:
    first = run_folder(tmp_path / "city-1", arms=("jpeg",))
    second = run_folder(tmp_path / "city-2", arms=("jpeg", "webp"))
    runs = load([first, second])
    assert runs.axes == {"scenario": ["city-1", "city-2"]}, "named by folder, as both scenarios have one name"
    assert runs.arms == ["jpeg", "webp"]
    found = runs.mean("n_requests")
    assert found[["scenario", "arm"]].to_numpy().tolist() == [
        ["city-1", "jpeg"],
        ["city-2", "jpeg"],
        ["city-2", "webp"],
    ]


def test_folders_of_one_name_are_told_apart_by_those_above(tmp_path: Path) -> None:
    short, long = tmp_path / "short" / "run", tmp_path / "long" / "run"
    run_folder(short, arms=("jpeg",))
    run_folder(long, arms=("jpeg", "webp"))
    runs = load([short, long])
    assert runs.axes == {"scenario": ["short/run", "long/run"]}
    assert runs.mean("n_requests", arm="jpeg")["scenario"].to_list() == ["short/run", "long/run"]
    assert set(runs.records("requests", point=0)["arm"]) == {"jpeg"}
    assert set(runs.records("requests", point=1)["arm"]) == {"jpeg", "webp"}


def test_a_run_is_called_by_its_folder_from_inside_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run_folder(tmp_path / "city-1", arms=("jpeg",)))
    assert set(load(".").runs["run"]) == {"city-1"}


def test_sweeps_of_one_name_are_parts_of_one(tmp_path: Path) -> None:
    a = write_sweep(tmp_path / "a" / "keep", TTL, keep_or_fetch, replications=3)
    b = write_sweep(tmp_path / "b" / "keep", {"ttl_s": [None, 600]}, keep_or_fetch, replications=2, first_seed=4)
    both = load([a, b])
    assert both.axes == {"ttl_s": [60, None, 600]}
    found = both.mean("ss_mean", arm="jpeg").set_index("ttl_s")["n"]
    assert found.index.isna().tolist() == [False, False, True]
    assert found.to_list() == [3, 2, 5]


def test_other_sweeps_get_an_axis(tmp_path: Path) -> None:
    folders = [write_sweep(tmp_path / name, TTL, keep_or_fetch) for name in ("lru", "gdsf")]
    both = load(folders)
    assert list(both.axes) == ["sweep", "ttl_s"]
    assert both.axes["sweep"] == ["lru", "gdsf"]
    assert len(both.points) == 4
    own = [write_sweep(tmp_path / name, {"sweep": [1, 2]}, keep_or_fetch) for name in ("fifo", "ttl")]
    assert load(own[0]).axes == {"sweep": [1, 2]}
    with pytest.raises(ResultsError, match=r"several names \(fifo, ttl\) with an axis called 'sweep'"):
        load(own)


def test_failed_runs_are_announced_and_missing(tmp_path: Path) -> None:
    folder = write_sweep(tmp_path / "keep", TTL, keep_or_fetch, failed=[(1, 2)])
    with pytest.warns(UserWarning, match="1 runs failed and have no rows"):
        found = load(folder)
    assert len(found.failed) == 1
    assert found.mean("ss_mean", arm="jpeg")["n"].to_list() == [5, 4]


def test_records_of_a_kept_run(tmp_path: Path) -> None:
    folder = write_sweep(tmp_path / "keep", TTL, keep_or_fetch, arms=("jpeg", "webp"), replications=2)
    run = load(folder).runs.query("point == 1 and replication == 1")["run"].iloc[0]
    written = write_run(folder / "runs" / run / "records", Shape(arms=("jpeg", "webp"), n_requests=30, seed=2))
    sweep = load(folder)
    requests = pd.read_parquet(written / "requests.parquet")
    found = sweep.records("requests", point=1, replication=1)
    assert len(found) == len(requests) == 60
    assert list(found.columns) == ["point", "run", "replication", "seed", *requests.columns]
    assert set(found["seed"]) == {2}
    assert found["code_byte"].sum() == requests["code_byte"].sum()
    only = sweep.records("requests", run=run, arm="webp")
    assert set(only["arm"]) == {"webp"} and len(only) == 30
    with pytest.raises(ResultsError, match=r"kept none; set 'keep: records'.*one of the 1 runs"):
        sweep.records("requests", point=0, replication=0)
    with pytest.raises(ResultsError, match=r"got point 9; there is no such run"):
        sweep.records("requests", point=9)
    with pytest.raises(UnknownName, match=r"unknown table: got 'request'; did you mean 'requests'"):
        sweep.records("request")


def test_records_of_a_run_folder(tmp_path: Path) -> None:
    run = load(run_folder(tmp_path / "city-1", arms=("jpeg",)))
    assert len(run.records("requests")) == 60


def _break_json(folder: Path) -> None:
    (folder / "sweep.json").write_text("{")


def _drop_axes(folder: Path) -> None:
    about = json.loads((folder / "sweep.json").read_text())
    del about["axes"]
    (folder / "sweep.json").write_text(json.dumps(about))


def _drop_rows(folder: Path) -> None:
    (folder / "results.parquet").unlink()


def _damage_rows(folder: Path) -> None:
    (folder / "results.parquet").write_bytes(b"PAR1 nothing")


def _drop_column(folder: Path) -> None:
    pd.read_parquet(folder / "results.parquet").drop(columns="ttl_s").to_parquet(folder / "results.parquet")


def _double(folder: Path) -> None:
    table = pd.read_parquet(folder / "results.parquet")
    pd.concat([table, table]).to_parquet(folder / "results.parquet")


def _strange_arm(folder: Path) -> None:
    table = pd.read_parquet(folder / "results.parquet")
    table.assign(arm=table["arm"].replace("jpeg", "jpg")).to_parquet(folder / "results.parquet")


def _about(**changes: Any) -> Callable[[Path], None]:
    def harm(folder: Path) -> None:
        about = json.loads((folder / "sweep.json").read_text())
        (folder / "sweep.json").write_text(json.dumps(about | changes))

    return harm


def _no_run(folder: Path) -> None:
    pd.read_parquet(folder / "results.parquet").assign(run=None).to_parquet(folder / "results.parquet")


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (_about(axes=None), "sweep.json: axes that aren't lists"),
        (_about(axes=[{"column": "ttl_s"}]), "sweep.json: axes that aren't lists"),
        (_about(arms=None), "sweep.json: arms that aren't a list"),
        (_about(results={"sha256": "0" * 64}), "results.parquet: got other content than sweep.json describes"),
        (_no_run, "results.parquet: rows without run"),
        (_break_json, "sweep.json: cannot be read"),
        (_drop_axes, "sweep.json: got no axes"),
        (_drop_rows, "results.parquet: the file is missing"),
        (_damage_rows, "results.parquet: the file is damaged"),
        (_drop_column, "columns are missing: ttl_s"),
        (_double, "point 0, seed 1, arm on_demand stands more than once"),
        (_strange_arm, "arms that are not listed: jpg"),
    ],
)
def test_a_broken_sweep_is_refused(tmp_path: Path, harm: Callable[[Path], None], message: str) -> None:
    folder = write_sweep(tmp_path / "keep", TTL, keep_or_fetch)
    harm(folder)
    with pytest.raises(ResultsError, match=message):
        load(folder)


def test_what_does_not_belong_together_is_refused(tmp_path: Path) -> None:
    a = write_sweep(tmp_path / "a", TTL, keep_or_fetch)
    b = write_sweep(tmp_path / "b", {"store_byte": [0]}, keep_or_fetch)
    with pytest.raises(ResultsError, match=r"sweeps with axes ttl_s \(a\) and store_byte \(b\)"):
        load([a, b])
    with pytest.raises(ResultsError, match="sweeps together with"):
        load([a, run_folder(tmp_path / "city-1", arms=("jpeg",))])
    with pytest.raises(ResultsError, match="stands more than once"):
        load([a, a])
    with pytest.raises(ResultsError, match="empty list"):
        load([])
    with pytest.raises(ResultsError, match=r"got a folder without sweep\.json or manifest\.json.*'simnet sweep FILE'"):
        load(tmp_path)


def test_a_sweep_that_is_not_finished_is_said_to_be(tmp_path: Path) -> None:
    stopped = tmp_path / "keep"
    (stopped / "runs" / "0123456789abcdef").mkdir(parents=True)
    (stopped / "runs" / "0123456789abcdef" / "meta.json").write_text("{}")
    done = write_sweep(tmp_path / "done", TTL, keep_or_fetch)
    for asked in (stopped, [stopped], [done, stopped]):
        with pytest.raises(ResultsError, match=r"keep: got a sweep that isn't finished.*run 'simnet sweep' again"):
            load(asked)
    (stopped / "runs" / "0123456789abcdef" / "meta.json").unlink()
    (stopped / ".lock").touch()  # stopped in its first run
    with pytest.raises(ResultsError, match="keep: got a sweep that isn't finished"):
        load(stopped)


def test_a_path_that_is_no_folder_is_told_the_one_to_give(tmp_path: Path) -> None:
    folder = write_sweep(tmp_path / "keep", TTL, keep_or_fetch)
    with pytest.raises(ResultsError, match=r"gone: no such folder; allowed a sweep's folder"):
        load(tmp_path / "gone")
    with pytest.raises(ResultsError, match=r"gone: no such folder"):
        load([folder, tmp_path / "gone"])
    with pytest.raises(ResultsError, match=rf"results\.parquet: got a file; give the folder that it is in, {folder}$"):
        load(folder / "results.parquet")
    (tmp_path / "note.txt").touch()
    with pytest.raises(ResultsError, match=r"note\.txt: got a file; give the folder of a sweep or a run"):
        load(tmp_path / "note.txt")


def test_joined_sweeps_with_other_arms_are_warned_of(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    a = write_sweep(tmp_path / "a" / "keep", TTL, keep_or_fetch, arms=("on_demand", "jpeg"))
    b = write_sweep(tmp_path / "b" / "keep", {"ttl_s": [600]}, keep_or_fetch, arms=("jpeg", "webp"))
    c = write_sweep(tmp_path / "c" / "keep", {"ttl_s": [5]}, keep_or_fetch, arms=("jpeg", "on_demand"))
    load([a, c])
    assert not recwarn.list, "another order is no other choice"
    with pytest.warns(UserWarning, match=r"differ \(1\. keep: on_demand, jpeg; 2\. keep: jpeg, webp\): .*where="):
        both = load([a, b])
    assert both.arms == ["on_demand", "jpeg", "webp"]


def test_a_run_is_titled_by_the_first_sentence_of_its_description(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "city-1", arms=("jpeg",))
    scenario = yaml.safe_load((folder / "scenario.yaml").read_text())
    for said, title in {
        "Does it pay,\n at 2.4 GHz?  Models travel. Much more.": "Does it pay, at 2.4 GHz?",
        "One line without end": "One line without end",
        "": "",
    }.items():
        (folder / "scenario.yaml").write_text(yaml.safe_dump({**scenario, "description": said}))
        assert load(folder).question == title
