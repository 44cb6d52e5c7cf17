"""``simnet report RUN``: tables and figures anew, from the run's files alone."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from simnet.cli.characters import print_exactly
from simnet.cli.group import Quiet

WIDTH_OF_FILES = 100
"""Characters per line of a table that goes into a file or a pipe; a terminal's own width else."""


def report(
    run: Annotated[Path, typer.Argument(help="Run folder, such as runs/hello-1a2b3c.")], quiet: Quiet = False
) -> None:
    """Draw a run's figures, tables and page anew, from its files alone."""
    try:
        draw(run, quiet=quiet)
    except KeyboardInterrupt:
        kept = f"the records in {run} are as they were; 'simnet report {run}' draws what is missing"
        raise KeyboardInterrupt(f"stopped by Ctrl-C; {kept}") from None


def draw(run: Path, *, quiet: bool) -> None:
    """Draw a run's report, print its closing table and where the page is."""
    from simnet.report import redraw
    from simnet.report.run_folder import RunFolder
    from simnet.report.table import closing_table

    redraw(run)
    if (misfit := RunFolder.open(run).misfit) is not None:
        print(f"simnet: {misfit}", file=sys.stderr)
    if not quiet:
        from rich.console import Console

        console = Console()
        if not console.is_terminal and "COLUMNS" not in os.environ:
            console = Console(width=WIDTH_OF_FILES)
        console.print(closing_table(run))
    print_exactly(run / "report.html")
