"""Which clusters are refused, before anything is run there; what becomes of runs whose workers die."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from simnet.core.errors import SimnetError
from simnet.sweep.cluster import ClusterWorkers, parsed_resources, refuse_misfits
from simnet.sweep.conduct import conduct
from simnet.sweep.folder import SweepFolder
from simnet.sweep.identity import Settings, code_digest, versions
from simnet.sweep.job import Failed, Job, Outcome, attempt
from simnet.sweep.plan import Plan
from tests.support.deadly import echo_or_die
from tests.support.sweeps import InProcess, sweep_of


def facts(**changes: Any) -> dict[str, Any]:
    same = {"code": code_digest(), "versions": versions(), "machine": "abacus", "threads": 1, "resources": {}}
    return same | {"models": MODELS, "has_device": True} | changes


MODELS = {"aesc/digits": "abc", "bler/ieee80216e": "def"}


def refused(workers: dict[str, Any], resources: dict[str, float], *, mixed: bool) -> int:
    return refuse_misfits(workers, resources, mixed, models=MODELS, device="cuda")


def test_workers_that_are_alike_may_work() -> None:
    assert refused({"a": facts(), "b": facts()}, {}, mixed=False) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"code": "other"}, "worker b: has another simnet than this machine; install the same"),
        ({"versions": versions() | {"torch": "0.1"}}, r"worker b: other libraries: torch 0\.1 \(here .*\); install"),
        (
            {"models": MODELS | {"aesc/digits": ""}},
            "worker b: its zoo has another aesc/digits than this machine's; install the same",
        ),
        (
            {"has_device": False},
            "worker b: torch sees no CUDA device there; allowed with --device cuda: workers with a",
        ),
        ({"threads": 4}, "worker b: has 4 threads; allowed 1: start it with --nthreads 1"),
        ({"machine": "slide rule"}, "several kinds of processors.*'abacus': a; 'slide rule': b.*--mixed"),
    ],
)
def test_a_worker_that_would_give_other_rows_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SimnetError, match=message):
        refused({"a": facts(), "b": facts(**change)}, {}, mixed=False)


def test_kinds_of_processors_may_be_mixed_on_request() -> None:
    assert refused({"a": facts(), "b": facts(machine="slide rule")}, {}, mixed=True) == 2


def test_only_workers_that_have_the_resources_count() -> None:
    workers = {"a": facts(resources={"GPU": 1.0}), "b": facts(machine="slide rule", code="other")}
    assert refused(workers, {"GPU": 1}, mixed=False) == 1
    with pytest.raises(SimnetError, match=r"--resources GPU=2: no worker has that; start workers with .*GPU=2"):
        refused(workers, {"GPU": 2}, mixed=False)


def test_a_worker_without_simnet_is_named() -> None:
    with pytest.raises(SimnetError, match=r"worker b: cannot say what it is: ModuleNotFoundError.*is simnet installed"):
        refused({"a": facts(), "b": ModuleNotFoundError("simnet")}, {}, mixed=False)


def test_resources_are_numbers_by_name() -> None:
    assert parsed_resources(["GPU=1", "memory=2.5"]) == {"GPU": 1.0, "memory": 2.5}
    for wrong in ("GPU", "GPU=", "GPU=x", "=1", "GPU=0", "GPU=-1", "GPU=nan"):
        with pytest.raises(SimnetError, match="allowed NAME=NUMBER above 0, as GPU=1"):
            parsed_resources([wrong])


@pytest.mark.parametrize("error", [TimeoutError, ValueError, TypeError, ImportError])
def test_an_address_that_leads_nowhere_is_the_users_to_mend(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Late, misspelt, tls without keys, a transport that isn't installed: as Dask raises them."""
    distributed = pytest.importorskip("distributed")

    def client(address: str, **_: object) -> None:
        raise error("why")

    monkeypatch.setattr(distributed, "Client", client)
    with pytest.raises(
        SimnetError, match=r"--cluster tls://a:1: no scheduler answers there \(why\); start one with 'dask"
    ):
        ClusterWorkers("tls://a:1")


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SimnetError, match=r"pip install 'simnet\[cluster\]'"):
        ClusterWorkers("tcp://127.0.0.1:1")


@contextmanager
def cluster(n: int, folder: Path, *, processes: bool, **options: Any) -> Iterator[Any]:
    """A scheduler and workers; without processes of their own they start at once."""
    distributed = pytest.importorskip("distributed")
    options |= {"threads_per_worker": 1, "dashboard_address": None, "protocol": "tcp://"}
    with distributed.LocalCluster(n_workers=n, local_directory=folder, processes=processes, **options) as made:
        yield made


def job(name: str) -> Job:
    return Job(name, "{}", Settings("cpu", "none", "rows"), "code")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, "another simnet than the sweep was started from"),
        ({"code": code_digest(), "versions": {"torch": "0.1"}}, r"other libraries: .*torch .* \(here 0\.1\)"),
        ({"code": code_digest(), "models": {"aesc/none": "abc"}}, "this worker's zoo has another aesc/none than"),
    ],
)
def test_a_worker_that_joins_and_does_not_fit_ends_the_sweep_not_its_runs(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    misfit = InProcess(lambda given: attempt(replace(job(given.id), **change)))
    sweep, folder = sweep_of(tmp_path, "replications: 3\n"), SweepFolder(tmp_path / "out")
    with pytest.raises(SimnetError, match=f"{message}.*install the same on both.*the same command goes on"):
        conduct(Plan(sweep, "cpu"), folder, misfit)
    assert len(misfit.made) == 1 and not folder.path.exists()


def where(job: Job, scratch: Path) -> Outcome:
    return Failed(str(scratch), "")


def test_records_lie_in_the_workers_own_folder_meanwhile(tmp_path: Path) -> None:
    with cluster(1, tmp_path, processes=False) as there:
        workers = ClusterWorkers(there.scheduler_address, task=where)
        workers.submit(job("a"))
        _, outcome = workers.next()
        workers.close()
        (worker,) = there.workers.values()
        assert isinstance(outcome, Failed) and outcome.error == worker.local_directory
        assert tmp_path in Path(outcome.error).parents


@pytest.mark.slow
def test_a_run_that_kills_every_worker_fails_and_the_others_do_not(tmp_path: Path) -> None:
    """With resources, which make Dask give all runs to workers at once, and blame them all."""
    names = ["deadly", *map(str, range(30))]
    with cluster(2, tmp_path, processes=True, resources={"GPU": 1}) as there:
        workers = ClusterWorkers(there.scheduler_address, resources={"GPU": 1}, task=echo_or_die)
        for name in names:
            workers.submit(job(name))
        outcomes = {done.id: outcome for done, outcome in (workers.next() for _ in names)}
        workers.close()
    errors = {name: outcome.error for name, outcome in outcomes.items() if isinstance(outcome, Failed)}
    assert errors.pop("deadly").startswith("every worker that was given it died, also when it was given nothing else")
    assert errors == {name: name for name in names[1:]}


def test_a_worker_that_joins_later_is_looked_at_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with cluster(1, tmp_path, processes=False) as there:
        workers = ClusterWorkers(there.scheduler_address, task=where)
        monkeypatch.setattr("simnet.sweep.cluster._facts", lambda device, models: facts(threads=2, models={}))
        there.scale(2)
        while len(there.scheduler.workers) < 2:
            time.sleep(0.05)
        workers.submit(job("a"))
        with pytest.raises(SimnetError, match="has 2 threads; allowed 1: start it with --nthreads 1"):
            workers.next()
        workers.close()


def test_a_sweep_does_not_wait_for_ever_for_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simnet.sweep.cluster.PATIENCE_S", 0.3)
    monkeypatch.setattr("simnet.sweep.cluster.LOOK_S", 0.1)
    with cluster(1, tmp_path, processes=False) as there:
        workers = ClusterWorkers(there.scheduler_address, task=where)
        there.scale(0)
        while there.scheduler.workers:
            time.sleep(0.05)
        workers.submit(job("a"))
        with pytest.raises(SimnetError, match=r"no worker for 0 min.*What is finished is kept; start workers"):
            workers.next()
        workers.close()
