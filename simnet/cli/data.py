"""``simnet data fetch NAME``: download a data set, with checksum and resume."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from simnet.cli.characters import print_exactly
from simnet.cli.group import Quiet

app = typer.Typer(help="Data sets.", no_args_is_help=True)


@app.callback()
def data() -> None:
    """Data sets."""


@app.command("fetch")
def fetch(
    name: Annotated[str, typer.Argument(help="mnist or cifar10.")],
    dest: Annotated[Path | None, typer.Option(help="Where data sets lie.  [default: $SIMNET_DATA, else data]")] = None,
    quiet: Quiet = False,
) -> None:
    """Download a data set; files that are there and whole are kept."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    from simnet.data.fetch import fetch as fetch_files

    target = dest if dest is not None else Path(os.environ.get("SIMNET_DATA", "data"))
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as bar:
        tasks = {}

        def show(file: str, n_done: int, n_all: int) -> None:
            if file not in tasks:
                tasks[file] = bar.add_task(file, total=n_all)
            bar.update(tasks[file], completed=n_done)

        try:
            folder = fetch_files(name, target, progress=show)
        except KeyboardInterrupt:
            kept = f"what came so far is kept in {target / name}; the same command goes on from there"
            raise KeyboardInterrupt(f"stopped by Ctrl-C; {kept}") from None
    print_exactly(folder)
