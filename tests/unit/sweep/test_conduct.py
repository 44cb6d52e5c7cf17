"""From a plan to its two files: whoever makes the runs, in whatever order, after whatever failed."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest
from scipy import stats

from simnet.core.errors import SimnetError
from simnet.report.metrics import METRICS
from simnet.report.metrics import metrics as metrics_of
from simnet.report.run_folder import RunFolder
from simnet.scenario.load import load_scenario
from simnet.scenario.schema import Scenario
from simnet.sweep.conduct import conduct
from simnet.sweep.folder import SweepFolder
from simnet.sweep.job import Failed, Finished, Job, Outcome, attempt
from simnet.sweep.plan import Plan
from simnet.sweep.sweep import Sweep
from tests.support.sweeps import InProcess, rows_of, sweep_of, swept

GRID = """
question: What does a request cost?
axes: [grid: {traffic.rate_per_s: [0.5, 1], protocol.store.ttl_s: [60, null]}]
replications: 2
"""


@dataclass(frozen=True)
class Swept:
    """The grid, swept once for all tests that only read it."""

    sweep: Sweep
    out: Path
    files: dict[str, bytes]
    results: pd.DataFrame


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    folder = tmp_path_factory.mktemp("grid")
    sweep = sweep_of(folder, GRID)
    return Swept(sweep, folder / "out", *swept(sweep, folder / "out", InProcess()))


def test_the_order_in_which_runs_come_back_leaves_no_trace(grid: Swept, tmp_path: Path) -> None:
    assert swept(grid.sweep, tmp_path, InProcess(last_first=True))[0] == grid.files


def test_results_have_a_row_per_point_replication_arm_and_source_type_in_this_order(grid: Swept) -> None:
    results = grid.results
    keys = ["point", "replication", "arm", "source_type"]
    assert list(results.columns) == [
        "point", "run", "replication", "seed", "rate_per_s", "ttl_s", "arm", "source_type", *METRICS
    ]  # fmt: skip
    assert len(results) == 4 * 2 * 2 * 2 and not results[keys].duplicated().any()
    assert list(results.groupby(["point", "replication"], sort=False).groups) == sorted(
        {(int(p), int(r)) for p, r in zip(results["point"], results["replication"], strict=True)}
    )
    types = pyarrow.parquet.read_schema(grid.out / "results.parquet")
    assert [str(types.field(name).type) for name in ("point", "rate_per_s", "ttl_s", "n_requests", "ss_mean")] == [
        "int64", "double", "int64", "int64", "double",
    ]  # fmt: skip
    assert not types.metadata


def test_sweep_json_says_what_was_asked(grid: Swept) -> None:
    said = json.loads(grid.files["sweep.json"])
    assert (said["name"], said["question"]) == ("tiny", "What does a request cost?")
    assert said["axes"] == [
        {"column": "rate_per_s", "key": "traffic.rate_per_s", "values": [0.5, 1]},
        {"column": "ttl_s", "key": "protocol.store.ttl_s", "values": [60, None]},
    ]
    assert said["arms"] == ["small", "large"]
    assert said["points"][1]["settings"] == {"traffic.rate_per_s": 0.5, "protocol.store.ttl_s": None}
    assert said["counts"] == {"points": 4, "left_out": 0, "runs": 8, "failed": 0}
    assert [said["seeds"][r] for r in grid.results["replication"]] == list(grid.results["seed"])


def test_replications_share_seeds_over_points_and_arms_and_differ_among_each_other(grid: Swept) -> None:
    """Common random numbers: the TTL of stores that hold nothing changes not a single request."""
    whole = grid.results[grid.results["source_type"] == "all"]
    for _, rows in whole.groupby(["rate_per_s", "replication"]):
        assert rows["seed"].nunique() == rows["n_requests"].nunique() == 1 and len(rows) == 4
    assert whole.groupby(["arm", "rate_per_s"])["n_requests"].nunique().tolist() == [2, 2, 2, 2]


def test_rows_are_the_metrics_of_the_run_that_is_kept(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, "replications: 1\nkeep: records\nwarm_up: 5\n")
    _, results = swept(sweep, tmp_path / "out", InProcess())
    (records,) = (tmp_path / "out" / "runs").glob("*/records")
    assert RunFolder.open(records).manifest["scenario_sha256"] and RunFolder.open(records).misfit is None
    expected = metrics_of(RunFolder.open(records), warm_up_s=5.0)
    pd.testing.assert_frame_equal(results[list(expected.columns)], expected, check_dtype=False)
    assert 0 < results["n_requests"].iloc[0] < metrics_of(RunFolder.open(records))["n_requests"].iloc[0]


def test_mser5_cuts_every_arm_at_the_same_time(tmp_path: Path) -> None:
    _, results = swept(sweep_of(tmp_path, "replications: 2\nwarm_up: mser5\n"), tmp_path / "out", InProcess())
    assert (results.groupby("replication")["warm_up_s"].nunique() == 1).all()
    assert (results["warm_up_s"] < 20).all()
    short = sweep_of(tmp_path, "replications: 1\nwarm_up: mser5\nset: {duration_s: 0.5}\n")
    workers = InProcess()
    swept(short, tmp_path / "short", workers)
    (told,) = (tmp_path / "short" / "failed").glob("*/traceback.txt")
    assert "warm_up mser5: arm small has" in told.read_text() and "allowed at least 10" in told.read_text()


@pytest.mark.parametrize("meta", ["", "{", "[]", '{"cpu": "abacus"}'])
def test_what_is_finished_is_not_made_again_and_half_a_run_is(grid: Swept, tmp_path: Path, meta: str) -> None:
    out = tmp_path / "out"
    shutil.copytree(grid.out, out)
    runs = sorted((out / "runs").iterdir())
    half, damaged, gone, unknown = runs[:4]
    half.rename(half.with_name(f".partial-{half.name}"))
    (damaged / "rows.parquet").write_bytes((damaged / "rows.parquet").read_bytes()[:100])
    (gone / "rows.parquet").unlink()
    (unknown / "meta.json").write_text(meta)
    (out / "results.parquet").unlink()
    again = InProcess()
    assert swept(grid.sweep, out, again)[0] == grid.files
    assert sorted(job.id for job in again.made) == [each.name for each in (half, damaged, gone, unknown)]
    assert sorted((out / "runs").iterdir()) == runs


def test_a_run_whose_records_are_damaged_is_made_again(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, "axes: [grid: {traffic.rate_per_s: [0.5, 1, 2, 4]}]\nreplications: 1\nkeep: records\n")
    swept(sweep, tmp_path / "out", InProcess())
    gone, half, without, whole = sorted((tmp_path / "out" / "runs").iterdir())
    shutil.rmtree(gone / "records")
    table = half / "records" / "transfers.parquet"
    table.write_bytes(table.read_bytes()[:-1])
    (without / "records" / "manifest.json").unlink()
    (whole / "records" / "summary.json").write_text("what a report adds")
    again = InProcess()
    plan, folder = Plan(sweep, "cpu"), SweepFolder(tmp_path / "out")
    with folder.locked():
        made = conduct(plan, folder, again)
    wanted = [each.name for each in (gone, half, without)]
    assert sorted(job.id for job in again.made) == sorted(made.damaged) == wanted
    for each in (gone, half, without):
        RunFolder.open(each / "records").transfers  # noqa: B018
    assert (whole / "records" / "summary.json").exists()


def test_a_scenario_that_occurs_twice_is_run_once(tmp_path: Path) -> None:
    entries = {"a": 60, "b": 60, "c": 30}.items()
    named = ", ".join(f"{{protocol.store.ttl_s: {ttl_s}, label: {{which: {name}}}}}" for name, ttl_s in entries)
    sweep = sweep_of(tmp_path, f"axes: [list: [{named}]]\nreplications: 2\n")
    workers = InProcess()
    _, results = swept(sweep, tmp_path / "out", workers)
    assert len(workers.made) == 4
    one, two = (results[results["point"] == p].drop(columns=["point", "which"]).reset_index(drop=True) for p in (0, 1))
    pd.testing.assert_frame_equal(one, two)


def test_more_replications_leave_the_first_as_they_are(tmp_path: Path) -> None:
    few = swept(sweep_of(tmp_path, "replications: 1\n"), tmp_path / "out", InProcess())[1]
    workers = InProcess()
    many = swept(sweep_of(tmp_path, "replications: 2\n"), tmp_path / "out", workers)[1]
    assert len(workers.made) == 1
    pd.testing.assert_frame_equal(many[many["replication"] == 0], few)


def test_a_failing_point_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, "axes: [grid: {sources.digits.items: [20, 5000]}]\nreplications: 2\n")
    files, results = swept(sweep, tmp_path / "out", InProcess())
    assert set(results["point"]) == {0}
    said = json.loads(files["sweep.json"])
    assert [(each["point"], each["replication"]) for each in said["failed"]] == [(1, 0), (1, 1)]
    assert said["failed"][0]["error"].startswith("SimnetError: sources.digits.items: got 5000; allowed 1..")
    folder = tmp_path / "out" / "failed" / said["failed"][0]["run"]
    assert "items: 5000" in (folder / "scenario.yaml").read_text()
    assert "Traceback" in (folder / "traceback.txt").read_text()
    again = InProcess()
    assert swept(sweep, tmp_path / "out", again)[0] == files
    assert {job.id for job in again.made} == {each["run"] for each in said["failed"]}


def test_an_error_says_the_same_wherever_the_run_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(scenario: object, *, out: Path, **_: object) -> None:
        raise SimnetError(f"cannot write the run to {out}/pair-1: no room; nothing was kept")

    monkeypatch.setattr("simnet.build.run_scenario", full)
    job = Plan(sweep_of(tmp_path, "replications: 1\n"), "cpu")
    (id_,) = job.users
    outcomes = [attempt(job.job(id_, ship_files=False), scratch) for scratch in (None, tmp_path)]
    expected = "SimnetError: cannot write the run to runs/pair-1: no room; nothing was kept"
    assert [isinstance(each, Failed) and each.error for each in outcomes] == [expected, expected]
    assert str(tmp_path) in outcomes[1].traceback  # type: ignore[union-attr]


def test_a_file_that_changes_meanwhile_fails_its_runs(tmp_path: Path) -> None:
    """A run is named after the file that its scenario named when the sweep began."""
    trace, head = tmp_path / "wishes.csv", "time_s,consumer,item_id\n1,reader,0\n"
    trace.write_text(head)
    plan = Plan(sweep_of(tmp_path, f"replications: 1\nset: {{traffic: {{kind: trace, file: {trace}}}}}\n"), "cpu")
    (id_,) = plan.users
    jobs = [plan.job(id_, ship_files=shipped) for shipped in (False, True)]
    assert all(isinstance(attempt(job), Finished) for job in jobs)
    trace.write_text(head + "2,other,1\n")
    outcomes = [attempt(job) for job in (*jobs, plan.job(id_, ship_files=True))]
    failed = [isinstance(each, Failed) and "traffic.file: the file has changed" in each.error for each in outcomes]
    assert failed == [True, False, True]  # one had brought the file as it was


def test_a_failure_that_is_mended_is_forgotten(tmp_path: Path) -> None:
    sweep, out = sweep_of(tmp_path, "replications: 1\n"), tmp_path / "out"
    swept(sweep, out, InProcess(lambda job: Failed("lost", "its worker was killed")))
    assert len(list((out / "failed").iterdir())) == 1
    files, _ = swept(sweep, out, InProcess())
    assert json.loads(files["sweep.json"])["failed"] == [] and list((out / "failed").iterdir()) == []


UNTIL = """
axes: [grid: {{duration_s: [10, 20]}}]
replications: {{least: 5, most: {most}, until: {{metric: ss_mean, arm: large, half_width: {half_width}}}}}
"""


def noisy(job: Job) -> Outcome:
    """SS that depends on the scenario's seed; every seventh run has none."""
    data = json.loads(job.scenario)
    draw = np.random.Generator(np.random.Philox(data["seed"]))
    value = 0.5 + 0.01 * data["duration_s"] / 10 * draw.standard_normal()
    return rows_of(job, None if data["seed"] % 7 == 0 else value)


@pytest.mark.parametrize(("half_width", "last_first"), [(0.02, False), (0.006, False), (0.006, True)])
def test_until_stops_where_replications_in_order_are_precise_enough(
    tmp_path: Path, half_width: float, last_first: bool
) -> None:
    sweep = sweep_of(tmp_path, UNTIL.format(most=40, half_width=half_width))
    _, results = swept(sweep, tmp_path / "out", InProcess(noisy, last_first=last_first))
    found = results[(results["arm"] == "large") & (results["source_type"] == "all")]
    for point, duration_s in enumerate((10, 20)):
        values: list[float] = []
        for n, seed in enumerate(sweep.seeds, start=1):
            draw = np.random.Generator(np.random.Philox(seed)).standard_normal()
            values += [] if seed % 7 == 0 else [0.5 + 0.01 * duration_s / 10 * draw]
            if n >= 5 and len(values) >= 5:
                low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
                if (high - low) / 2 <= half_width:
                    break
        assert len(found[found["point"] == point]) == n


def test_until_gives_up_at_most(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, UNTIL.format(most=8, half_width=1e-9))
    _, results = swept(sweep, tmp_path / "out", InProcess(noisy))
    assert results.groupby("point")["replication"].nunique().tolist() == [8, 8]


def test_runs_of_another_processor_are_refused_or_marked(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, "replications: 3\n")

    def on(cpu: str) -> InProcess:
        return InProcess(lambda job: rows_of(job, 1.0, cpu))

    plan, folder = Plan(sweep, "cpu"), SweepFolder(tmp_path / "out")
    one, *_ = plan.order({0: 1})
    first = rows_of(plan.job(one, ship_files=False), 1.0, "abacus")
    folder.keep(one, first)
    with pytest.raises(SimnetError, match=r"a worker is 'slide rule', a finished run \(.*\) is 'abacus'.*--mixed"):
        conduct(plan, folder, on("slide rule"))
    files, results = swept(sweep, folder.path, on("slide rule"), mixed=True)
    assert results.groupby("cpu")["run"].nunique().to_dict() == {"abacus": 1, "slide rule": 2}
    assert json.loads(files["sweep.json"])["cpu"] == ["abacus", "slide rule"]


def test_finished_runs_that_are_wanted_later_count_too(tmp_path: Path) -> None:
    """Of a stopped sweep all runs are there but one in the middle; those behind it are wanted once it is made."""
    sweep = sweep_of(tmp_path, UNTIL.format(most=9, half_width=1e-9).replace("[10, 20]", "[10]"))
    plan, folder = Plan(sweep, "cpu"), SweepFolder(tmp_path / "out")
    missing = plan.ids[0][6]
    for id_ in plan.ids[0]:
        if id_ != missing:
            folder.keep(id_, noisy(plan.job(id_, ship_files=False)))
    told: list[tuple[int, int, int]] = []
    conduct(plan, folder, InProcess(noisy), lambda state: told.append((state.found, state.made, state.total)))
    assert told == [(6, 0, 7), (8, 1, 9)]
    other = plan.ids[0][8]
    folder.keep(other, rows_of(plan.job(other, ship_files=False), 1.0, "abacus"))
    shutil.rmtree(folder.run(missing))
    with pytest.raises(SimnetError, match=r"several kinds of processors: a finished run \(.*\) is 'abacus'"):
        conduct(plan, SweepFolder(folder.path), InProcess(noisy))


def test_two_sweeps_do_not_write_into_one_folder(tmp_path: Path) -> None:
    with (
        SweepFolder(tmp_path / "out").locked(),
        pytest.raises(SimnetError, match="another 'simnet sweep' is writing there"),
        SweepFolder(tmp_path / "out").locked(),
    ):
        pass


def test_files_that_a_scenario_names_travel_with_the_job(tmp_path: Path) -> None:
    trace = tmp_path / "trace.csv"
    trace.write_text("time_s,consumer,item_id\n1,reader,0\n2,other,1\n", encoding="utf-8")
    sweep = sweep_of(tmp_path, f"set: {{traffic: {{kind: trace, file: {trace.name}}}}}\nreplications: 1\n")
    plan = Plan(sweep, "cpu")
    job = plan.job(plan.ids[0][0], ship_files=True)
    assert Scenario.model_validate_json(job.scenario) == plan.scenario(job.id)
    stays = plan.job(plan.ids[0][0], ship_files=False)
    trace.unlink()
    assert isinstance(attempt(stays), Failed)
    assert not isinstance(made := attempt(job), Failed), made.traceback


def test_records_of_a_run_made_elsewhere_name_the_files_of_the_sweep(tmp_path: Path) -> None:
    trace = tmp_path / "trace.csv"
    trace.write_text("time_s,consumer,item_id\n1,reader,0\n2,other,1\n", encoding="utf-8")
    head = f"set: {{traffic: {{kind: trace, file: {trace.name}}}}}\n"
    plan = Plan(sweep_of(tmp_path, f"{head}replications: 1\nkeep: records\n"), "cpu")
    there, here = (attempt(plan.job(plan.ids[0][0], ship_files=ship)) for ship in (True, False))
    assert isinstance(there, Finished) and isinstance(here, Finished)
    assert there.records["scenario.yaml"] == here.records["scenario.yaml"]
    (tmp_path / "again.yaml").write_bytes(there.records["scenario.yaml"])
    assert load_scenario(tmp_path / "again.yaml") == plan.scenario(plan.ids[0][0])
