"""``simnet sweep FILE``: a scenario over axes and replications, in parallel, resumed where it was stopped."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simnet.cli.group import Device, Quiet
from simnet.cli.report import WIDTH_OF_FILES

if TYPE_CHECKING:
    from simnet.sweep.folder import SweepFolder
    from simnet.sweep.plan import Plan

SOME_FAILED = 3
"""Exit code: the sweep is done, but some of its runs, or its page, failed."""


def sweep(
    file: Annotated[Path, typer.Argument(help="Sweep, a YAML file.")],
    out: Annotated[Path, typer.Option(help="Folder that receives the sweep's own folder.")] = Path("sweeps"),
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes, one thread each.  [default: as many as cores]")
    ] = None,
    device: Device = "cpu",
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
    from simnet.sweep.folder import SweepFolder
    from simnet.sweep.plan import Plan
    from simnet.sweep.sweep import load_sweep

    plan = Plan(load_sweep(file, overrides=set_ or []), device)
    folder = SweepFolder(out / plan.sweep.file.name)
    n_workers = workers or len(os.sched_getaffinity(0))
    if dry_run:
        from simnet.sweep.estimate import estimate, lines

        print("\n".join(lines(plan, estimate(plan, folder), n_workers)))
        return
    with folder.locked():
        failed = _conducted(plan, folder, n_workers, mixed=mixed, quiet=quiet)
    if failed:
        sys.exit(SOME_FAILED)


def _conducted(plan: Plan, folder: SweepFolder, n_workers: int, *, mixed: bool, quiet: bool) -> bool:
    """Whether anything failed."""
    from simnet.sweep.collect import RESULTS, collect
    from simnet.sweep.conduct import conduct
    from simnet.sweep.local import LocalWorkers
    from simnet.sweep.page import draw_page
    from simnet.sweep.progress import shown

    pool = LocalWorkers(n_workers, folder.scratch)
    try:
        with shown(quiet) as tell:
            replications, failed = conduct(plan, folder, pool, mixed=mixed, tell=tell)
    except KeyboardInterrupt:
        kept = f"finished runs are kept in {folder.path}; the same command goes on from there"
        raise KeyboardInterrupt(f"stopped by Ctrl-C; {kept}") from None
    finally:
        pool.close()
    results = collect(plan, folder, replications, failed, mixed=mixed)
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
        _say(f"in {unsettled} of {results['run'].nunique()} runs MSER-5 saw no end of the warm-up; raise duration_s")
    for id_, error in failed.items():
        _say(f"failed: point {', '.join(map(str, dict.fromkeys(plan.users[id_])))}: {error}")
        _say(f"  scenario and traceback: {folder.path / 'failed' / id_}")
    if page_error is not None:
        _say(page_error)
    print(folder.path / RESULTS)
    return bool(failed) or page_error is not None


def _say(message: str) -> None:
    print(f"simnet: {message}", file=sys.stderr)
