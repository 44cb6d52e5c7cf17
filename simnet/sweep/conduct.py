"""Runs a plan to its end: hands out what is missing, keeps what comes back, asks for more where a mean is not sharp."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from simnet.core.errors import SimnetError
from simnet.scenario.dump import dump_scenario
from simnet.sweep.folder import SweepFolder
from simnet.sweep.job import Failed, Finished
from simnet.sweep.plan import Plan
from simnet.sweep.workers import Workers


@dataclass
class Progress:
    """How far a sweep is.

    Args:
        total: runs that are wanted, as far as is known; grows where means are not precise enough.
        found: runs that an earlier call has left.
        made: runs finished by this call.
        failed: run -> its error, in one line.
        damaged: runs that an earlier call has left, of which something is missing now.
    """

    total: int = 0
    found: int = 0
    made: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Made:
    """A sweep that has come to its end.

    Args:
        replications: [points] of each, failed ones included.
        failed: run -> its error, in one line.
        damaged: runs that had been finished, but were no longer whole, and so were made again.
    """

    replications: tuple[int, ...]
    failed: Mapping[str, str]
    damaged: Sequence[str] = ()

    def places(self, plan: Plan) -> Iterator[tuple[int, int, str]]:
        """Point, replication and run, in the order of the results."""
        for point, n in enumerate(self.replications):
            for replication, id_ in enumerate(plan.ids[point][:n]):
                yield point, replication, id_


def conduct(
    plan: Plan, folder: SweepFolder, workers: Workers, tell: Callable[[Progress], None] = lambda progress: None
) -> Made:
    """Make every run that the plan wants and the folder lacks.

    Args:
        tell: called at the start and after each outcome.

    Raises:
        SimnetError: a run came from another kind of processor, and they may not be mixed; or a worker can't make runs.
    """
    finished = {id_ for id_ in plan.users if folder.run(id_).is_dir() and folder.finished(id_)}
    kinds = Kinds(plan.mixed)
    progress = Progress()
    submitted: set[str] = set()
    counted: set[str] = set()

    @cache
    def value(id_: str) -> float | None:
        return plan.judged(folder.rows(id_))

    replications = {point: plan.wanted(point, value, finished) for point in range(len(plan.sweep.points))}

    def hand_out(points: Mapping[int, int]) -> None:
        for id_ in plan.order(points):
            if id_ not in finished and id_ not in submitted:
                submitted.add(id_)
                if folder.run(id_).is_dir():
                    progress.damaged.append(id_)
                workers.submit(plan.job(id_, ship_files=workers.remote))

    def count() -> int:
        return len(dict.fromkeys(plan.order(replications)))

    def count_found(points: Mapping[int, int]) -> None:
        for id_ in plan.order(points):
            if id_ in finished and id_ not in submitted and id_ not in counted:
                counted.add(id_)
                kinds.add(folder.meta(id_)["cpu"], f"a finished run ({folder.run(id_)})")
                progress.found += 1

    count_found(replications)
    hand_out(replications)
    progress.total = count()
    tell(progress)
    while submitted - finished - progress.failed.keys():
        job, outcome = workers.next()
        if isinstance(outcome, Finished):
            kinds.add(outcome.meta["cpu"], "a worker")
            folder.keep(job.id, outcome)
            finished.add(job.id)
            progress.made += 1
        else:
            assert isinstance(outcome, Failed)
            if outcome.misfit:  # it would take one run after the other, and fail them all
                raise SimnetError(f"run {job.id}: {outcome.error}. What is finished is kept, the same command goes on")
            folder.fail(job.id, dump_scenario(plan.scenario(job.id)), outcome)
            progress.failed[job.id] = outcome.error
        now = {point: plan.wanted(point, value, finished, replications[point]) for point in plan.users[job.id]}
        more = {point: n for point, n in now.items() if n > replications[point]}
        if more:
            replications |= more
            count_found(more)
            hand_out(more)
            progress.total = count()
        tell(progress)
    return Made(tuple(replications[point] for point in range(len(replications))), progress.failed, progress.damaged)


class Kinds:
    """Kinds of processors that runs come from: one, unless they may be mixed."""

    def __init__(self, mixed: bool) -> None:
        self.mixed = mixed
        self.first: tuple[str, str] | None = None

    def add(self, kind: str, whose: str) -> None:
        """Take note of a run's processor.

        Raises:
            SimnetError: it is another kind than before, and they may not be mixed.
        """
        if self.first is None:
            self.first = kind, whose
        if kind != self.first[0] and not self.mixed:
            raise SimnetError(
                f"runs come from several kinds of processors: {whose} is {kind!r}, {self.first[1]} is "
                f"{self.first[0]!r}; floats differ in their last digits between them. Use one kind, another --out, or "
                "--mixed, which marks it in the results"
            )
