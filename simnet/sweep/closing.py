"""The closing table of a sweep for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from simnet.report.metrics import ALL
from simnet.report.name_cell import NameCell
from simnet.statistics.interval import Interval
from simnet.statistics.replications import student_t

SHOWN = ("ss_mean", "byte_per_request")
MOST_ROWS = 60


def closing_table(title: str, results: pd.DataFrame, axes: Sequence[str]) -> Table:
    """Mean ± half width of the 95 % Student-t interval over replications, one row per point and arm.

    Args:
        results: a sweep's, one row per point, replication, arm and source type.
        axes: columns that tell points apart.
    """
    table = Table(
        title=Text(title, style="bold"), title_justify="left", box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False
    )
    for heading in ("point", *axes, "arm"):
        table.add_column(Text(heading), overflow="fold")
    for heading in SHOWN:
        table.add_column(Text(heading), justify="right")
    groups = results[results["source_type"] == ALL].groupby(["point", "arm"], sort=False)
    for index, ((point, arm), rows) in enumerate(groups):
        if index == MOST_ROWS:
            table.add_row("…", *[""] * len(axes), f"{len(groups) - MOST_ROWS} more", *[""] * len(SHOWN))
            break
        settings = [_shown(rows[axis].iloc[0]) for axis in axes]
        means = [str(_mean(rows[metric])) for metric in SHOWN]
        table.add_row(str(point), *map(NameCell, settings), NameCell(str(arm)), *means)
    return table


def _mean(values: pd.Series) -> Interval:
    return student_t(values.dropna().to_numpy(float))


def _shown(value: object) -> str:
    return "null" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
