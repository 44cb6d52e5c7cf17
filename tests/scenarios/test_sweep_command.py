"""'simnet sweep' as its users run it: in processes of its own, killed, on a cluster that loses a worker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from simnet.sweep.local import LocalWorkers
from simnet.sweep.sweep import Sweep
from tests.support.sweeps import InProcess, deterministic, sweep_of, swept

ROOT = Path(__file__).parents[2]
TEXT = """
question: What does a request cost?
set: {duration_s: 60}
axes: [grid: {traffic.rate_per_s: [0.5, 1, 2]}]
replications: 2
"""
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sweep, dict[str, bytes]]:
    """The sweep, and its files as this one process makes them."""
    folder = tmp_path_factory.mktemp("reference")
    sweep = sweep_of(folder, TEXT)
    return sweep, swept(sweep, folder / "out", InProcess())[0]


@contextmanager
def command(sweep: Sweep, out: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    words = ["sweep", str(sweep.path), "--out", str(out), *options]
    process = subprocess.Popen(
        [sys.executable, "-m", "simnet", *words], env=ENVIRONMENT, cwd=out, text=True, stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_until(happens: Callable[[], object], process: subprocess.Popen[str], timeout_s: float = 240.0) -> None:
    give_up = time.monotonic() + timeout_s
    while not happens():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < give_up
        time.sleep(0.02)


def finished(out: Path) -> list[Path]:
    return [path for path in (out / "tiny" / "runs").glob("*") if not path.name.startswith(".")]


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def workers_of(pid: int) -> list[int]:
    """Worker processes, which are the children that multiprocessing spawned to serve."""
    return [c for c in children(pid) if b"spawn_main" in Path(f"/proc/{c}/cmdline").read_bytes()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_two_worker_processes_give_the_same_files_as_none(
    tmp_path: Path, reference: tuple[Sweep, dict[str, bytes]]
) -> None:
    sweep, files = reference
    (tmp_path / "scratch").mkdir()
    workers = LocalWorkers(2, tmp_path / "scratch")
    try:
        assert swept(sweep, tmp_path / "out", workers)[0] == files
    finally:
        workers.close()


@pytest.mark.slow
def test_killed_workers_and_a_killed_sweep_leave_no_trace_in_the_results(
    tmp_path: Path, reference: tuple[Sweep, dict[str, bytes]]
) -> None:
    sweep, files = reference
    with command(sweep, tmp_path, "--workers", "2") as process:
        wait_until(lambda: finished(tmp_path), process)
        orphans = workers_of(process.pid)
        os.kill(orphans[0], signal.SIGKILL)
        wait_until(lambda: len(finished(tmp_path)) >= 2, process)
        orphans = workers_of(process.pid)
        process.kill()
        process.wait()
        assert orphans
        give_up = time.monotonic() + 60
        while any(map(alive, orphans)):
            assert time.monotonic() < give_up
            time.sleep(0.02)
    kept = {path: (path / "meta.json").stat().st_mtime_ns for path in finished(tmp_path)}
    assert len(kept) >= 2
    with command(sweep, tmp_path, "--workers", "1") as process:
        table, log = process.communicate(timeout=240)
    assert process.returncode == 0, log
    assert deterministic(tmp_path / "tiny") == files
    assert len(finished(tmp_path)) == 6
    assert {path: (path / "meta.json").stat().st_mtime_ns for path in kept} == kept, "finished runs were made again"
    assert "byte_per_request" in table and table.endswith("tiny/results.parquet\n")
    assert f"6 of 6 runs ({len(kept)} found finished)" in log
    assert not list((tmp_path / "tiny").rglob(".partial*"))


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and two workers as one would start them by hand."""
    pytest.importorskip("distributed")
    note = folder / "scheduler.json"
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", "0", "--no-dashboard"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": ENVIRONMENT, "cwd": folder}
    processes = [subprocess.Popen([*dask, "--scheduler-file", str(note)], **quiet)]  # type: ignore[call-overload]
    try:
        give_up = time.monotonic() + 120
        while not note.exists() or not note.read_text().endswith("}"):
            assert time.monotonic() < give_up and processes[0].poll() is None
            time.sleep(0.05)
        worker = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(note)]
        worker += ["--nthreads", "1", "--no-dashboard", "--no-nanny", "--resources", "GPU=1"]
        for index in range(2):
            local = ["--local-directory", str(folder / f"worker{index}")]
            processes.append(subprocess.Popen([*worker, *local], **quiet))  # type: ignore[call-overload]
        yield json.loads(note.read_text())["address"], processes[1:]
    finally:
        for process in reversed(processes):
            process.kill()
            process.wait()


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_gives_the_same_files(
    tmp_path: Path, reference: tuple[Sweep, dict[str, bytes]]
) -> None:
    sweep, files = reference
    with cluster(tmp_path) as (address, workers):
        options = ("--cluster", address, "--resources", "GPU=1")
        with command(sweep, tmp_path, *options) as process:
            wait_until(lambda: finished(tmp_path), process)
            workers[0].kill()
            _, log = process.communicate(timeout=240)
        assert process.returncode == 0, log
        assert deterministic(tmp_path / "tiny") == files
        with command(sweep, tmp_path, "--cluster", address, "--resources", "TPU=1") as process:
            _, log = process.communicate(timeout=240)
        assert process.returncode == 2 and "--resources TPU=1: no worker has that" in log
