"""Worker processes: one thread each, warm, replaced when they die, gone when the sweep is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from simnet.sweep.identity import Settings
from simnet.sweep.job import Failed, Job, Outcome
from simnet.sweep.local import LocalWorkers
from simnet.sweep.workers import ATTEMPTS
from tests.support.deadly import echo_or_die


def job(name: str) -> Job:
    return Job(name, "{}", Settings("cpu", "none", "rows"), "code")


@pytest.fixture
def two(tmp_path: Path) -> Iterator[LocalWorkers]:
    workers = LocalWorkers(2, tmp_path, echo_or_die)
    yield workers
    workers.close()


def outcomes(workers: LocalWorkers, *names: str) -> dict[str, Outcome]:
    for name in names:
        workers.submit(job(name))
    return {done.id: outcome for done, outcome in (workers.next() for _ in names)}


def test_workers_stay_warm_with_one_thread_and_end_with_close(two: LocalWorkers) -> None:
    names = [str(i) for i in range(12)]
    found = outcomes(two, *names)
    assert set(found) == set(names)
    traces = {outcome.traceback for outcome in found.values() if isinstance(outcome, Failed)}
    assert traces <= {f"{pid} with 1 thread" for pid in two.pids()} and len(two.pids()) == 2
    pids = two.pids()
    two.close()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert "OMP_NUM_THREADS" not in os.environ or os.environ["OMP_NUM_THREADS"] == "1"


def test_a_run_whose_worker_dies_is_made_again_and_the_others_are_not_disturbed(two: LocalWorkers) -> None:
    found = outcomes(two, "a", "deadly once", "b", "c")
    assert {name: outcome.error for name, outcome in found.items() if isinstance(outcome, Failed)} == {
        name: name for name in ("a", "deadly once", "b", "c")
    }


def test_a_run_that_kills_every_worker_fails_and_the_others_do_not(two: LocalWorkers) -> None:
    found = outcomes(two, "a", "deadly", "b", "c")
    deadly = found.pop("deadly")
    assert isinstance(deadly, Failed)
    assert deadly.error == f"its worker process ended by signal 9, {ATTEMPTS} times; is there enough memory?"
    assert {name: outcome.error for name, outcome in found.items() if isinstance(outcome, Failed)} == {
        name: name for name in ("a", "b", "c")
    }
