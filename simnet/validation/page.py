"""Rows as a table for a terminal, and what a page shows of them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from simnet.validation.checks import FAMILY_ERROR, Row, confidence

HEADS = ("check", "simulated quantity", "simulated", "theory", "verdict", "source of the theory")


def cells(row: Row) -> tuple[str, ...]:
    """One of each of :data:`HEADS`."""
    return row.check, row.quantity, row.interval, row.theory, row.verdict, row.source


def table(rows: Sequence[Row]) -> Table:
    """One line per comparison."""
    result = Table(*HEADS)
    for row in rows:
        judged = Text(row.verdict, style={"pass": "green", "fail": "bold red"}[row.verdict])
        *texts, _, source = cells(row)
        result.add_row(*map(Text, texts), judged, Text(source))
    return result


def verdict(rows: Sequence[Row]) -> str:
    """The outcome in one line, with the level."""
    n_failed = sum(row.verdict == "fail" for row in rows)
    outcome = f"{n_failed} of {len(rows)} comparisons fail" if n_failed else f"all {len(rows)} comparisons pass"
    level = f"each interval at {100 * confidence():.5g} %"
    return f"{outcome}; {level}, so that by chance one of all fails once in {1 / FAMILY_ERROR:,.0f} runs"
