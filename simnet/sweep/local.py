"""Worker processes of this machine, kept warm from run to run, one pipe each.

``concurrent.futures`` breaks a whole pool when one of its processes dies and cannot tell whose job killed it; here only
the dead worker is replaced, and only its own run is tried again.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

from simnet.sweep.job import Failed, Job, Outcome, attempt
from simnet.sweep.workers import ATTEMPTS, Task

ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
"""Read by libraries when they are imported: a worker has one core."""


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: Connection
    job: Job | None = None


class LocalWorkers:
    """Processes of this machine.

    Args:
        n: how many; they are started when there is work for them.
        scratch: a folder in which runs' records may lie until they are read; what a killed worker leaves stays there.
        task: what workers do with a job.
    """

    remote = False

    def __init__(self, n: int, scratch: Path, task: Task = attempt) -> None:
        self.n = n
        self._task = task
        self._scratch = scratch
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[_Worker] = []
        self._waiting: deque[Job] = deque()
        self._deaths: Counter[str] = Counter()

    def submit(self, job: Job) -> None:
        """Queue a run."""
        self._waiting.append(job)

    def next(self) -> tuple[Job, Outcome]:
        """The next outcome; a run whose worker died is made again, up to ``ATTEMPTS`` times in all."""
        while True:
            self._hand_out()
            busy = {worker.pipe: worker for worker in self._workers if worker.job is not None}
            worker = busy[wait(list(busy))[0]]  # type: ignore[index]
            job = worker.job
            assert job is not None
            worker.job = None
            try:
                return job, worker.pipe.recv()
            except (EOFError, OSError):
                code = self._bury(worker)
            self._deaths[job.id] += 1
            if self._deaths[job.id] >= ATTEMPTS:
                cause = f"by signal {-code}" if code is not None and code < 0 else f"with exit code {code}"
                error = f"its worker process ended {cause}, {ATTEMPTS} times; is there enough memory?"
                return job, Failed(error, f"{error}\n")
            self._waiting.appendleft(job)

    def pids(self) -> list[int]:
        """Process ids of the workers that live."""
        return [worker.process.pid for worker in self._workers if worker.process.pid is not None]

    def close(self) -> None:
        """Kill every worker."""
        for worker in list(self._workers):
            worker.process.kill()
            self._bury(worker)

    def _hand_out(self) -> None:
        while self._waiting:
            worker = next((worker for worker in self._workers if worker.job is None), None)
            if worker is None:
                if len(self._workers) >= self.n:
                    return
                worker = self._start()
            job = self._waiting.popleft()
            worker.job = job
            try:
                worker.pipe.send(job)
            except OSError:  # it died while idle; ``next`` finds its pipe at an end
                continue

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(theirs, self._task, self._scratch), daemon=True)
        with _environment():
            process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker

    def _bury(self, worker: _Worker) -> int | None:
        worker.pipe.close()
        worker.process.join()
        self._workers.remove(worker)
        return worker.process.exitcode


@contextmanager
def _environment() -> Iterator[None]:
    """One thread per process, set before the process imports anything."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _serve(pipe: Connection, task: Task, scratch: Path) -> None:
    """A worker's life: take a job, make the run, give it back; end when the sweep does, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the sweep, which then ends its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return
        pipe.send(task(job, scratch))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
