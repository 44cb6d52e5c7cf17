"""``simnet validate``: simulated figures beside what theory says they must be."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simnet.cli.group import Quiet
from simnet.core.errors import SimnetError
from simnet.core.folders import file_to_write

if TYPE_CHECKING:
    from simnet.validation.checks import Row

TABLE = "validate"
"""Its name in the page."""
DISAGREES = 3
"""Exit code: the simulator contradicts theory."""


def validate(
    only: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A check, such as lru; may be repeated.  [all]")
    ] = None,
    long: Annotated[
        bool, typer.Option("--long/--short", help="Minutes instead of seconds: smaller faults show.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Every draw is a function of it.")] = 1,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the rows here as well.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Rewrite the table in this page, such as docs/validation.md.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Run stores, links, radio and traffic where theory knows the answer. Exit code 3: they contradict it."""
    from rich.console import Console

    from simnet.validation.checks import validate as run
    from simnet.validation.page import table, verdict

    def tell(name: str) -> None:
        if not quiet:
            print(f"{name} …", file=sys.stderr)

    if json_file is not None:
        file_to_write(json_file, "--json")
    if markdown is not None:
        _check_page(markdown)
    rows = list(run(only or (), seed=seed, long=long, tell=tell))
    if not quiet:
        console = Console()
        if not console.is_terminal:  # a file has room for every column
            console = Console(width=Console(width=1000).measure(table(rows)).maximum)
        console.print(table(rows))
    print(verdict(rows))
    if json_file is not None:
        _write_json(
            {"mode": "long" if long else "short", "seed": seed, "rows": [asdict(row) for row in rows]}, json_file
        )
    if markdown is not None:
        made = f"Made by `simnet validate{' --long' if long else ''} --seed {seed} --markdown {markdown.name}`."
        _write_page(rows, made, markdown)
    if any(row.verdict == "fail" for row in rows):
        raise typer.Exit(DISAGREES)


def _check_page(path: Path) -> None:
    """Before minutes of simulation: the page has a place for the table, and can be written."""
    from simnet.results import write_table

    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        if path.is_file():
            copy.write_bytes(path.read_bytes())
        try:
            write_table(copy, TABLE, "")
        except SimnetError as error:
            raise SimnetError(str(error).replace(str(copy), str(path))) from None
    if not os.access(path, os.W_OK):
        raise SimnetError(f"{path}: may not be written; choose another with --markdown")


def _write_page(rows: list[Row], made: str, path: Path) -> None:
    import pandas as pd

    from simnet.results import markdown, write_table
    from simnet.validation.page import HEADS, cells, verdict

    table = markdown(pd.DataFrame([cells(row) for row in rows], columns=list(HEADS)))
    write_table(path, TABLE, f"{made}\n\n{table}\n\n{verdict(rows)}.")


def _write_json(document: dict[str, Any], path: Path) -> None:
    try:
        path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise SimnetError(f"--json {path}: {error.strerror or error}; give a file in a folder that exists") from None
