"""``simnet sweep FILE``: a scenario over axes and replications, in parallel, resumed where it was stopped."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simnet.cli.characters import print_exactly
from simnet.cli.group import Device, Quiet, say
from simnet.cli.report import WIDTH_OF_FILES
from simnet.core.errors import SimnetError

if TYPE_CHECKING:
    from simnet.sweep.conduct import Made
    from simnet.sweep.folder import SweepFolder
    from simnet.sweep.plan import Plan
    from simnet.sweep.workers import Workers

MOST_NAMED = 5
"""Of more runs that were made again their number is said."""
SOME_FAILED = 3
"""Exit code: the sweep is done, but some of its runs, or its page, failed."""


def sweep(
    file: Annotated[Path, typer.Argument(help="Sweep, a YAML file.")],
    out: Annotated[Path, typer.Option(help="Folder that receives the sweep's own folder.")] = Path("sweeps"),
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes, one thread each.  [default: as many as cores]")
    ] = None,
    device: Device = "cpu",
    cluster: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Dask scheduler whose workers make the runs.")
    ] = None,
    resources: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=NUMBER", help="What a cluster's worker must have free for a run, as GPU=1."),
    ] = None,
    mixed: Annotated[
        bool, typer.Option("--mixed", help="Allow several kinds of processors; column cpu says which.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would take, and make at most one run.")
    ] = False,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY.PATH=VALUE", help="Change the sweep file, as replications=3; may be repeated."
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Run a scenario over axes and replications; rerun to resume."""
    place = out
    try:
        from simnet.sweep.cluster import parsed_resources
        from simnet.sweep.conduct import conduct
        from simnet.sweep.estimate import estimate, lines
        from simnet.sweep.folder import SweepFolder
        from simnet.sweep.plan import Plan
        from simnet.sweep.progress import shown
        from simnet.sweep.sweep import load_sweep, wishes_left_out

        plan = Plan(load_sweep(file, overrides=set_ or []), device, mixed)
        for words in wishes_left_out(plan.sweep):
            say(words)
        folder = SweepFolder(out / plan.sweep.file.name)
        place = folder.path
        with folder.locked():
            pool = _pool(plan, folder, workers, cluster, parsed_resources(resources or []))
            try:
                if dry_run:
                    print("\n".join(lines(plan, estimate(plan, folder, pool), pool.n)))
                    return
                with shown(quiet) as tell:
                    made = conduct(plan, folder, pool, tell)
            finally:
                pool.close()
            if not _closed(plan, folder, made, quiet=quiet):
                sys.exit(SOME_FAILED)
    except KeyboardInterrupt:
        kept = f"finished runs are kept in {place}; the same command goes on from there"
        raise KeyboardInterrupt(f"stopped by Ctrl-C; {kept}") from None


def _pool(plan: Plan, folder: SweepFolder, n: int | None, cluster: str | None, resources: dict[str, float]) -> Workers:
    """Where the runs are made."""
    from simnet.sweep.local import LocalWorkers

    if cluster is not None:
        if n is not None:
            raise SimnetError("--workers: the cluster has its own; allowed: --workers or --cluster")
        from simnet.sweep.cluster import ClusterWorkers

        return ClusterWorkers(cluster, device=plan.device, resources=resources, mixed=plan.mixed, models=plan.models)
    if resources:
        raise SimnetError("--resources: they are a cluster's; allowed: with --cluster ADDRESS")
    if plan.device != "cpu":  # else every run would fail, and the table of those that had succeeded be lost
        from simnet.build import check_device

        check_device(plan.device)
    return LocalWorkers(n or _cores(), folder.scratch)


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _closed(plan: Plan, folder: SweepFolder, made: Made, *, quiet: bool) -> bool:
    """Write the results, say what they are; whether nothing failed."""
    from simnet.sweep.collect import RESULTS, collect
    from simnet.sweep.page import draw_page

    results = collect(plan, folder, made)
    page = plan.sweep.page
    page_error = None if page is None else draw_page(page, folder.path)
    if not quiet:
        from rich.console import Console

        from simnet.sweep.closing import closing_table

        console = Console()
        if not console.is_terminal and "COLUMNS" not in os.environ:
            console = Console(width=WIDTH_OF_FILES)
        title = f"{plan.sweep.file.name}: mean ± half width of the 95 % interval (n replications), all source types"
        console.print(closing_table(title, results, [axis.column for axis in plan.sweep.axes]))
    unsettled = sum(not folder.meta(id_)["settled"] for id_ in results["run"].unique())
    if unsettled:
        say(f"in {unsettled} of {results['run'].nunique()} runs MSER-5 saw no end of the warm-up; raise duration_s")
    for id_ in made.damaged[:MOST_NAMED]:
        say(f"{folder.run(id_)}: files were missing or damaged; the run was made again")
    if len(made.damaged) > MOST_NAMED:
        say(f"… and {len(made.damaged) - MOST_NAMED} more")
    for id_, error in made.failed.items():
        say(f"failed: point {', '.join(map(str, dict.fromkeys(plan.users[id_])))}: {error}")
        say(f"  scenario and traceback: {folder.path / 'failed' / id_}")
    if page_error is not None:
        say(page_error)
    print_exactly(folder.path / RESULTS)
    return not made.failed and page_error is None
