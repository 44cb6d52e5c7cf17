"""The closing table of a run for the terminal, readable at 100 columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from simnet.report.errors import RunError
from simnet.report.name_cell import NameCell
from simnet.report.run_folder import RunFolder
from simnet.report.wording import NONE, closed_form, kilobyte, number, percent, short_verdict

NOTES = (
    "SS: population SS of what was delivered. {columns}: per request; bytes end to end, all classes; {symbols}energy "
    "of radio, wires and compute, without idle power."
)
SYMBOLS = "thousand complex symbols on the air, with retries and overhead; "
BREAK_EVEN_NOTES = (
    " Pays off: number of requests from which the arm's traffic stays below the rival's, headers counted or "
    "stripped (>n: expected at n, beyond this run); an arm that fetched nothing is charged with the decoders that "
    "its consumers were given. n* = M/(J − c): uses per holder and fetch, with its 95 % interval."
)


def closing_table(run: Path) -> Table:
    """One row per arm, then break-even by source type; from ``summary.json``.

    Args:
        run: folder of a run that has been summarised.

    Raises:
        RunError: the folder is incomplete, or its summary is missing or damaged.
    """
    folder = RunFolder.open(run)
    path = folder.path / "summary.json"
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be read ({error}); 'simnet report {run}' writes it anew") from None
    page = Table.grid(padding=(0, 0, 1, 0))
    page.add_row(_arms(summary))
    if summary["break_even"]:
        page.add_row(_break_even(summary))
    page.add_row(Text(_notes(summary), style="dim"))
    return page


def _notes(summary: dict[str, Any]) -> str:
    """What the columns that are there mean."""
    on_air = any(_channel_uses(summary).values())
    columns = ("kB", *(["ksym"] if on_air else []), "mJ")
    notes = NOTES.format(columns=", ".join(columns), symbols=SYMBOLS if on_air else "")
    return notes + (BREAK_EVEN_NOTES if summary["break_even"] else "")


def _arms(summary: dict[str, Any]) -> Table:
    table = _table(f"{summary['scenario']}, seed {summary['seed']}")
    table.add_column("arm")
    rival = summary["baseline"]
    uses = _channel_uses(summary)
    on_air = any(uses.values())
    symbols = ("ksym",) if on_air else ()
    for heading in ("requests", "satisfied", "SS", "kB", *symbols, "models", "p95 (s)", "mJ"):
        table.add_column(heading, justify="right", no_wrap=True, min_width=len(heading))
    if summary["break_even"]:
        table.add_column(Text(f"pays off against {rival} at"), justify="right")
    found = {
        row["arm"]: row
        for row in summary["break_even"]
        if (row["rival"], row["source_type"], row["basis"]) == (rival, "all", "counted")
    }
    for name, arm in summary["arms"].items():
        cell = arm["all"]
        n = cell["requests"]
        ss, active_j = cell["ss_population"]["value"], arm["energy"]["active_j_per_request"]
        table.add_row(
            NameCell(name),
            f"{n:,}",
            percent(cell["satisfied"]["value"]),
            NONE if ss is None else f"{ss:.3f}",
            kilobyte(cell["end_to_end_byte"]["total"] / n if n else None),
            *([number(uses[name] / n / 1000 if n else None)] if on_air else []),
            percent(cell["model_share"]),
            number(cell["latency"]["p95_s"]),
            number(None if active_j is None else 1000 * active_j),
            *([short_verdict(found[name]) if name in found else NONE] if summary["break_even"] else []),
        )
    return table


def _channel_uses(summary: dict[str, Any]) -> dict[str, int]:
    """By arm."""
    return {name: _channel_use(arm["all"]) for name, arm in summary["arms"].items()}


def _channel_use(cell: dict[str, Any]) -> int:
    """Complex symbols on the air, all classes, with retries and overhead."""
    use = cell["channel_use"]
    return int(use["overhead"]) + sum(int(v) for part in use.values() if isinstance(part, dict) for v in part.values())


def _break_even(summary: dict[str, Any]) -> Table:
    """Every arm with models against the baseline, headers counted and stripped."""
    table = _table(f"Break-even against {summary['baseline']}, by source type")
    table.add_column("source type")
    table.add_column("arm")
    for heading in ("J (B)", "c (B)", "M (B)", "p_miss", "n*", "counted", "stripped"):
        table.add_column(heading, justify="right", no_wrap=True)
    rows = [row for row in summary["break_even"] if row["rival"] == summary["baseline"]]
    stripped = {(row["arm"], row["source_type"]): row for row in rows if row["basis"] == "stripped"}
    counted = [row for row in rows if row["basis"] == "counted" and row["source_type"] != "all"]
    order = list(dict.fromkeys(row["source_type"] for row in counted))
    for row in sorted(counted, key=lambda row: order.index(row["source_type"])):
        table.add_row(
            NameCell(row["source_type"]),
            NameCell(row["arm"]),
            number(row["rival_mean"]),
            number(row["use_mean"]),
            number(row["model_mean"]),
            number(row["p_miss"], 2),
            closed_form(row),
            short_verdict(row),
            short_verdict(stripped[row["arm"], row["source_type"]]),
        )
    return table


def _table(title: str) -> Table:
    return Table(title=Text(title, style="bold"), title_justify="left", box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
