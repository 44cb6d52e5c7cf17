"""Workers of a Dask cluster: they see none of this machine's files, and any of them may vanish.

Jobs go there and rows come back as bytes, through the scheduler. A run whose worker vanishes is made again by another;
Dask does that. A worker that joins later, as in adaptive clusters, checks by itself that it has the sweep's simnet.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from simnet.core.errors import SimnetError
from simnet.sweep.identity import code_digest, different, versions
from simnet.sweep.job import Failed, Job, Outcome, attempt
from simnet.sweep.machine import machine_type

WAIT_S = 60.0
"""So long a scheduler may take to answer, and the first worker to join."""


class ClusterWorkers:
    """Workers behind a scheduler.

    Args:
        address: of the scheduler, such as ``tcp://10.0.0.1:8786``.
        device: cpu or cuda.
        resources: what a worker must have free for a run, such as {"GPU": 1}; none: any worker will do.
        mixed: workers may be of several kinds of processors.

    Raises:
        SimnetError: no Dask here, no scheduler or worker there, or workers that can't make these runs.
    """

    remote = True

    def __init__(
        self, address: str, *, device: str = "cpu", resources: Mapping[str, float] | None = None, mixed: bool = False
    ) -> None:
        try:
            import distributed
        except ModuleNotFoundError:
            raise SimnetError(
                "--cluster needs dask.distributed, which is not installed; pip install 'simnet[cluster]', here and on "
                "the workers"
            ) from None
        self._resources = dict(resources or {})
        try:
            self._client = distributed.Client(address, timeout=WAIT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise SimnetError(
                f"--cluster {address}: no scheduler answers there ({error}); start one with 'dask scheduler', and give "
                "the address that it prints"
            ) from None
        try:
            self.n = self._check(address, device, mixed)
        except BaseException:  # Ctrl-C too: the client's threads would go on
            self._client.close()
            raise
        self._completed = distributed.as_completed([], loop=self._client.loop)
        self._jobs: dict[Any, Job] = {}

    def _check(self, address: str, device: str, mixed: bool) -> int:
        try:
            self._client.wait_for_workers(1, timeout=WAIT_S)
        except TimeoutError:
            raise SimnetError(
                f"--cluster {address}: no worker has joined in {WAIT_S:.0f} s; start some with 'dask worker {address} "
                "--nthreads 1'"
            ) from None
        return refuse_misfits(self._client.run(_facts, device, on_error="return"), self._resources, mixed)

    def submit(self, job: Job) -> None:
        """Queue a run."""
        future = self._client.submit(
            attempt, job, key=f"simnet-{job.id}-{os.getpid()}", pure=False, resources=self._resources or None
        )
        self._jobs[future.key] = job
        self._completed.add(future)

    def next(self) -> tuple[Job, Outcome]:
        """The next outcome.

        Raises:
            SimnetError: the scheduler is lost.
        """
        future = next(self._completed)
        job = self._jobs.pop(future.key)
        if future.status == "cancelled":
            raise SimnetError("the cluster's scheduler is lost; what is finished is kept, the same command goes on")
        try:
            return job, future.result()
        except Exception as error:  # Dask's own: the run's are outcomes
            text = f"{type(error).__name__}: {error}".partition("\n")[0]
            return job, Failed(f"lost by the cluster, {text}", f"{text}\n")
        finally:
            future.release()

    def close(self) -> None:
        """Take back what is not finished, and leave the cluster as it is."""
        self._completed.clear()
        self._client.close()


def _facts(device: str, dask_worker: Any = None) -> dict[str, Any]:
    """What a worker is and has; runs there."""
    return {
        "code": code_digest(),
        "versions": versions(),
        "machine": machine_type(device),
        "threads": dask_worker.state.nthreads,
        "resources": dict(dask_worker.state.total_resources),
    }


def refuse_misfits(
    workers: Mapping[str, dict[str, Any] | BaseException], resources: Mapping[str, float], mixed: bool
) -> int:
    """See that workers can make a sweep's runs, all alike; returns how many can.

    Args:
        workers: address -> its facts, or what went wrong when it was asked.
        resources: what a worker must have.
        mixed: several kinds of processors are allowed.

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
            raise SimnetError(f"worker {address}: has another simnet than this machine; install the same on both")
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
