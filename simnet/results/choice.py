"""Which rows a question is about, and in which order its answers stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import numpy as np
import pandas as pd

from simnet.core.errors import UnknownName
from simnet.report.metrics import ALL
from simnet.results.errors import ResultsError
from simnet.results.estimates import SEED
from simnet.results.source import IDS, Source

Columns = str | Sequence[str] | None
Names = str | Sequence[str] | None
Where = Mapping[str, Any] | None
MAX_LISTED = 20


class Choice(TypedDict, total=False):
    """Keyword arguments that choose rows, as for the methods of :class:`simnet.results.Results`."""

    arm: Names
    source_type: str
    where: Where


def chosen(source: Source, arm: Names, source_type: Names, where: Where) -> pd.DataFrame:
    """The rows of these arms, source types and points.

    Raises:
        UnknownName: an arm, source type or column that isn't there.
        ResultsError: no row is left, or a value that an axis doesn't have.
    """
    arms = names_of("arm", arm, source.arms)
    types = names_of("source type", source_type, [ALL, *source.source_types])
    table = source.runs[source.runs["arm"].isin(arms) & source.runs["source_type"].isin(types)]
    for column, wanted in (where or {}).items():
        allowed = [*source.axes, "point", "replication", SEED]
        if column not in allowed:
            raise UnknownName("column in where", column, allowed)
        values = list(wanted) if isinstance(wanted, list | tuple | set | range | np.ndarray) else [wanted]
        matches = table[column].isin([value for value in values if not pd.isna(value)])
        if any(pd.isna(value) for value in values):
            matches |= table[column].isna()
        known = {*source.axes.get(column, values), *source.runs[column].dropna()}
        strange = [value for value in values if (None if pd.isna(value) else value) not in known]
        if strange or not matches.any():
            wanted = strange[0] if strange else wanted
            has = ["null" if pd.isna(value) else str(value) for value in table[column].unique()]
            more = f" and {len(has) - MAX_LISTED} more" if len(has) > MAX_LISTED else ""
            raise ResultsError(
                f"where: got {column} = {wanted!r}; no run has it. Allowed: {', '.join(has[:MAX_LISTED])}{more}"
            )
        table = table[matches]
    return table


def names_of(what: str, got: Names, allowed: list[str]) -> list[str]:
    """The names asked for; None: all."""
    names = allowed if got is None else [got] if isinstance(got, str) else list(got)
    for name in names:
        if name not in allowed:
            raise UnknownName(what, name, allowed)
    return names


def axes_of(source: Source, by: Columns) -> list[str]:
    """The axis columns asked for; None: all. ``arm`` may be named and is left out, for it is a key anyway."""
    columns = list(source.axes) if by is None else [by] if isinstance(by, str) else list(by)
    for column in columns:
        if column not in source.axes and column != "arm":
            raise UnknownName("axis", column, source.axes, "the property 'axes'")
    return [column for column in dict.fromkeys(columns) if column != "arm"]


def check_metric(source: Source, metric: str) -> None:
    """Raise UnknownName unless the rows have this column of numbers."""
    head = {*IDS, *source.axes, "arm", "source_type"}
    allowed = [column for column in source.runs.select_dtypes("number").columns if column not in head]
    if metric not in allowed:
        raise UnknownName("metric", metric, allowed)


def in_order(source: Source, table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Rows by these columns: numbers rising, null last; words in the order of the sweep."""
    order = {**source.axes, "arm": source.arms, "source_type": [ALL, *source.source_types]}

    def rank(column: pd.Series[Any]) -> pd.Series[Any]:
        if pd.api.types.is_numeric_dtype(column):
            return column
        places = {value: i for i, value in enumerate(order[str(column.name)])}
        return column.map(lambda value: places.get(value, len(places)))

    return table.sort_values(keys, key=rank, kind="stable", ignore_index=True, na_position="last")
