"""Workers of a Dask cluster: they see none of this machine's files, and any of them may vanish.

Jobs go there and rows come back as bytes, through the scheduler. A run whose worker vanishes is made again by another;
Dask does that, some times, but blames a worker's death on everything that it was given, begun or not. So workers get
little more than they are at, and what is blamed too often is tried once more with the cluster to itself. A worker that
joins later, as in adaptive clusters, is asked what it is, too, and checks by itself that it has the sweep's simnet.
"""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from simnet.core.errors import SimnetError
from simnet.sweep.identity import code_digest, different, versions, zoo_digests
from simnet.sweep.job import REMEDY, Failed, Job, Outcome, attempt
from simnet.sweep.machine import has_device, machine_type
from simnet.sweep.workers import Task

WAIT_S = 60.0
"""So long a scheduler may take to answer, and the first worker to join."""
PATIENCE_S = 600.0
"""So long a sweep goes on without a worker, as those of a batch system come and go."""
LOOK_S = 5.0
"""So often it is seen who is there, while nothing happens."""
RUNS_PER_WORKER = 2
"""Given to the cluster at a time: one to be at, one to have ready."""


class ClusterWorkers:
    """Workers behind a scheduler.

    Args:
        address: of the scheduler, such as ``tcp://10.0.0.1:8786``.
        device: cpu or cuda.
        resources: what a worker must have free for a run, such as {"GPU": 1}; none: any worker will do.
        mixed: workers may be of several kinds of processors.
        models: what runs need of the zoo -> its digest.
        task: what workers do with a job.

    Raises:
        SimnetError: no Dask here, no scheduler or worker there, or workers that can't make these runs.
    """

    remote = True

    def __init__(
        self,
        address: str,
        *,
        device: str = "cpu",
        resources: Mapping[str, float] | None = None,
        mixed: bool = False,
        models: Mapping[str, str] | None = None,
        task: Task = attempt,
    ) -> None:
        try:
            import distributed
        except ModuleNotFoundError:
            raise SimnetError(
                "--cluster needs dask.distributed, which is not installed; pip install 'simnet[cluster]', here and on "
                "the workers"
            ) from None
        self._resources = dict(resources or {})
        self._device, self._mixed, self._models = device, mixed, dict(models or {})
        self._known: dict[str, dict[str, Any] | BaseException] = {}
        try:
            self._client = distributed.Client(address, timeout=WAIT_S, set_as_default=False)
        except (OSError, ValueError, TypeError, ImportError) as error:  # the last two: tls without keys, ucx without it
            raise SimnetError(
                f"--cluster {address}: no scheduler answers there ({error}); start one with 'dask scheduler', and give "
                "the address that it prints"
            ) from None
        try:
            self.n = self._check(address)
        except BaseException:  # Ctrl-C too: the client's threads would go on
            self._client.close()
            raise
        self._task = task
        self._waiting: deque[Job] = deque()
        self._blamed: deque[Job] = deque()
        self._running: dict[Any, Job] = {}
        self._alone = False
        self._ended: SimpleQueue[Any] = SimpleQueue()
        self._seen_s = time.monotonic()

    def _check(self, address: str) -> int:
        try:
            self._client.wait_for_workers(1, timeout=WAIT_S)
        except TimeoutError:
            raise SimnetError(
                f"--cluster {address}: no worker has joined in {WAIT_S:.0f} s; start some with 'dask worker {address} "
                "--nthreads 1'"
            ) from None
        self._ask(None)
        return refuse_misfits(self._known, self._resources, self._mixed, models=self._models, device=self._device)

    def _ask(self, workers: list[str] | None) -> None:
        """Have workers say what they are and have; those that vanish meanwhile say nothing."""
        found = self._client.run(_facts, self._device, list(self._models), workers=workers, on_error="return")
        self._known |= {address: facts for address, facts in found.items() if not isinstance(facts, OSError)}

    def submit(self, job: Job) -> None:
        """Queue a run."""
        self._waiting.append(job)

    def next(self) -> tuple[Job, Outcome]:
        """The next outcome.

        Raises:
            SimnetError: the scheduler is lost, or there has been no worker for long.
        """
        while True:
            self._hand_out()
            try:
                future = self._ended.get(timeout=LOOK_S)
            except Empty:
                continue
            job, alone = self._running.pop(future), self._alone
            self._alone = False
            if (outcome := self._outcome(future, alone)) is not None:
                return job, outcome
            self._blamed.append(job)

    def _outcome(self, future: Any, alone: bool) -> Outcome | None:
        """What became of a run; None: workers died, perhaps of another."""
        from distributed import KilledWorker

        if future.status == "cancelled":
            raise SimnetError("the cluster's scheduler is lost; what is finished is kept, the same command goes on")
        try:
            outcome: Outcome = future.result()
            return outcome
        except KilledWorker as error:
            told = "every worker that was given it died, also when it was given nothing else; is there enough memory?"
            return Failed(told, f"{told}\n{error}\n") if alone else None
        except ImportError as error:
            told = f"a worker that has joined lacks simnet or a library: {error}; {REMEDY}"
            raise SimnetError(f"{told}. What is finished is kept, the same command goes on") from None
        except Exception as error:  # Dask's own: the run's are outcomes
            text = f"{type(error).__name__}: {error}".partition("\n")[0]
            return Failed(f"lost by the cluster, {text}", f"{text}\n")
        finally:
            future.release()

    def _hand_out(self) -> None:
        """Give the cluster what it can take; what is blamed for a worker's death when all else is done, one by one."""
        most = RUNS_PER_WORKER * max(1, self._n_able())
        while self._waiting and len(self._running) < most and not self._alone:
            self._start(self._waiting.popleft())
        if self._blamed and not self._running:
            self._alone = True
            self._start(self._blamed.popleft())

    def _start(self, job: Job) -> None:
        key = f"simnet-{job.id}-{os.getpid()}{'-alone' * self._alone}"
        future = self._client.submit(_there, self._task, job, key=key, pure=False, resources=self._resources or None)
        self._running[future] = job
        future.add_done_callback(self._ended.put)

    def _n_able(self) -> int:
        """Workers that are there now and have the resources.

        Raises:
            SimnetError: none for ``PATIENCE_S``, or one has joined that can't make the sweep's runs.
        """
        try:
            here = self._client.nthreads()
            if new := [address for address in here if address not in self._known]:
                self._ask(new)
                refuse_misfits(self._known, self._resources, self._mixed, models=self._models, device=self._device)
        except OSError:  # no scheduler: runs are cancelled, or it is there again
            return 0
        known = (self._known.get(address) for address in here)
        n = sum(isinstance(facts, dict) and _has(facts, self._resources) for facts in known)
        now_s = time.monotonic()
        if n or not self._running:
            self._seen_s = now_s
        elif now_s - self._seen_s >= PATIENCE_S:
            raise SimnetError(
                f"the cluster has had no worker{' with these resources' * bool(self._resources)} for "
                f"{PATIENCE_S / 60:.0f} min; did runs kill them, for want of memory? What is finished is kept; start "
                "workers, and the same command goes on"
            )
        return n

    def close(self) -> None:
        """Take back what is not finished, and leave the cluster as it is."""
        log = logging.getLogger("distributed.client")
        log.disabled = True  # where the scheduler is lost it tells at length that it can't be reached
        try:
            self._client.close()
        finally:
            log.disabled = False


def _there(task: Task, job: Job) -> Outcome:
    """A job on a worker, with its records in the worker's own folder: Dask clears up after workers that died."""
    from distributed import get_worker

    return task(job, Path(get_worker().local_directory))


def _facts(device: str, models: Sequence[str], dask_worker: Any = None) -> dict[str, Any]:
    """What a worker is and has; runs there."""
    return {
        "code": code_digest(),
        "versions": versions(),
        "models": zoo_digests(models),
        "machine": machine_type(device),
        "has_device": has_device(device),
        "threads": dask_worker.state.nthreads,
        "resources": dict(dask_worker.state.total_resources),
    }


def refuse_misfits(
    workers: Mapping[str, dict[str, Any] | BaseException],
    resources: Mapping[str, float],
    mixed: bool,
    *,
    models: Mapping[str, str],
    device: str = "cpu",
) -> int:
    """See that workers can make a sweep's runs, all alike; returns how many can.

    Args:
        workers: address -> its facts, or what went wrong when it was asked.
        resources: what a worker must have.
        mixed: several kinds of processors are allowed.
        models: what runs need of the zoo -> its digest.
        device: cpu or cuda.

    Raises:
        SimnetError: what is wrong with which worker, and what to do.
    """
    for address, facts in workers.items():
        if isinstance(facts, BaseException):
            raise SimnetError(f"worker {address}: cannot say what it is: {facts!r}; is simnet installed there?")
    able = {a: facts for a, facts in workers.items() if not isinstance(facts, BaseException) and _has(facts, resources)}
    if not able:
        wanted = ", ".join(f"{name}={amount:g}" for name, amount in resources.items())
        raise SimnetError(
            f"--resources {wanted}: no worker has that; start workers with 'dask worker ADDRESS --nthreads 1 "
            f'--resources "{wanted}"\''
        )
    for address, facts in able.items():
        if facts["threads"] != 1:
            raise SimnetError(
                f"worker {address}: has {facts['threads']} threads; allowed 1: start it with --nthreads 1"
            )
        if misfits := different(versions(), facts["versions"]):
            raise SimnetError(f"worker {address}: other libraries: {', '.join(misfits)}; install the same everywhere")
        if facts["code"] != code_digest():
            raise SimnetError(f"worker {address}: has another simnet than this machine; {REMEDY}")
        if misfits := different(models, facts["models"]):
            names = ", ".join(each.partition(" ")[0] for each in misfits)
            raise SimnetError(f"worker {address}: its zoo has another {names} than this machine's; {REMEDY}")
        if not facts["has_device"]:
            raise SimnetError(
                f"worker {address}: torch sees no CUDA device there; allowed with --device {device}: workers with a "
                "GPU (--resources GPU=1 leaves out those that don't say that they have one)"
            )
    kinds: dict[str, list[str]] = {}
    for address, facts in able.items():
        kinds.setdefault(facts["machine"], []).append(address)
    if len(kinds) > 1 and not mixed:
        listed = "; ".join(f"{kind!r}: {', '.join(addresses)}" for kind, addresses in kinds.items())
        raise SimnetError(
            f"workers are of several kinds of processors, on which floats differ in their last digits: {listed}. Use "
            "one kind (with --resources, if need be), or --mixed, which marks it in the results"
        )
    return len(able)


def _has(facts: Mapping[str, Any], resources: Mapping[str, float]) -> bool:
    return all(facts["resources"].get(name, 0.0) >= amount for name, amount in resources.items())


def parsed_resources(texts: Sequence[str]) -> dict[str, float]:
    """``GPU=1`` -> {"GPU": 1.0}.

    Raises:
        SimnetError: no NAME=NUMBER.
    """
    found: dict[str, float] = {}
    for text in texts:
        name, equals, amount = text.partition("=")
        try:
            found[name] = float(amount)
        except ValueError:
            found[name] = 0.0
        if not name or not equals or not found[name] > 0:
            raise SimnetError(f"--resources: got {text!r}; allowed NAME=NUMBER above 0, as GPU=1")
    return found
