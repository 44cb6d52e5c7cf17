"""What a sweep will take, before it is run: points, runs, time and disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from simnet.core.errors import SimnetError
from simnet.sweep.folder import SweepFolder
from simnet.sweep.job import Failed
from simnet.sweep.plan import Plan
from simnet.sweep.progress import duration
from simnet.sweep.workers import Workers


@dataclass(frozen=True)
class Estimate:
    """Time and disk by runs that are finished.

    Args:
        least, most: runs in all, by the least and the most replications.
        finished: of them, those that the folder has.
        wall_s, n_byte: mean of the finished ones.
        probed: the one run on which this rests was made for it.
    """

    least: int
    most: int
    finished: int
    wall_s: float
    n_byte: float
    probed: bool


def estimate(plan: Plan, folder: SweepFolder, workers: Workers) -> Estimate:
    """Time and disk by the finished runs; where there is none, the first run is made, and kept.

    Raises:
        SimnetError: that run failed.
    """
    runs = dict.fromkeys(id_ for ids in plan.ids for id_ in ids[: plan.sweep.least])
    have = [id_ for id_ in plan.users if folder.run(id_).is_dir() and folder.finished(id_)]
    probed = not have
    if probed:
        have = [next(iter(runs))]
        _probe(plan, folder, workers, have[0])
    metas = [folder.meta(id_) for id_ in have]
    return Estimate(
        len(runs),
        len(plan.users),
        len(have),
        sum(float(meta["wall_s"]) for meta in metas) / len(have),
        sum(folder.n_byte(id_) for id_ in have) / len(have),
        probed,
    )


def _probe(plan: Plan, folder: SweepFolder, workers: Workers, id_: str) -> None:
    workers.submit(plan.job(id_, ship_files=workers.remote))
    _, outcome = workers.next()
    if isinstance(outcome, Failed):
        raise SimnetError(f"the first run fails, so nothing can be estimated: {outcome.error}")
    folder.keep(id_, outcome)


def lines(plan: Plan, found: Estimate, workers: int) -> Iterator[str]:
    """The estimate in words, with the axes and their values."""
    sweep = plan.sweep
    left_out = f", {sweep.left_out} left out by constraints" if sweep.left_out else ""
    yield f"{sweep.file.name}: {sweep.file.question}" if sweep.file.question else sweep.file.name
    yield f"points        {len(sweep.points)}{left_out}"
    for axis in sweep.axes:
        values = list(dict.fromkeys(point.columns[axis.column] for point in sweep.points))
        few = ", ".join("null" if v is None else f"{v:.4g}" if isinstance(v, float) else str(v) for v in values[:8])
        dots = ", …" if len(values) > 8 else ""
        yield f"  {axis.column:20} {len(values):>5} values: {few}{dots}"
    yield f"arms          {', '.join(sweep.arms())}"
    exact = sweep.least == sweep.most
    yield f"replications  {sweep.least if exact else f'{sweep.least} to {sweep.most}'}"
    runs = f"{found.least}" if exact else f"{found.least} to {found.most}"
    yield f"runs          {runs}, of which {found.finished} are finished"
    how = "the first, made just now" if found.probed else f"{found.finished} finished ones"
    times = [max(0, n - found.finished) * found.wall_s / workers for n in (found.least, found.most)]
    spans = dict.fromkeys(duration(each) for each in times)
    yield f"time left     {' to '.join(spans)} with {workers} workers at {found.wall_s:.3g} s a run ({how})"
    sizes = dict.fromkeys(f"{n * found.n_byte / 1e6:.3g} MB" for n in (found.least, found.most))
    yield f"disk          {' to '.join(sizes)}"
