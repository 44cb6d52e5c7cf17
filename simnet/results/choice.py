"""Which rows a question is about, and in which order its answers stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

import numpy as np
import pandas as pd

from simnet.core.errors import UnknownName
from simnet.report.metrics import ALL, ENERGY
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
    if where is not None and not isinstance(where, Mapping):
        raise ResultsError(
            f"where: got {where!r}; allowed a dict of axis column to a value or a list of values, as "
            "where={'ttl_s': [60, 600]}; None is null"
        )
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
            has = [_as_in_yaml(value) for value in table[column].unique()]
            more = f" and {len(has) - MAX_LISTED} more" if len(has) > MAX_LISTED else ""
            raise ResultsError(
                f"where: got {column} = {wanted!r}; no run has it. Allowed: {', '.join(has[:MAX_LISTED])}{more}"
            )
        table = table[matches]
    return table


def _as_in_yaml(value: Any) -> str:
    """A value as a sweep's file has it: a null in the column makes floats of its whole numbers."""
    if pd.isna(value):
        return "null"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def names_of(what: str, got: Names, allowed: list[str]) -> list[str]:
    """The names asked for; None: all.

    Raises:
        UnknownName: one that isn't there.
        ResultsError: none at all, or no names.
    """
    if got is not None and not isinstance(got, Iterable):
        raise ResultsError(f"{what}: got {got!r}; allowed None for all, or names of {', '.join(allowed)}")
    names = allowed if got is None else [got] if isinstance(got, str) else list(got)
    if not names:
        raise ResultsError(f"{what}: got an empty list; allowed None for all, or some of {', '.join(allowed)}")
    for name in names:
        if name not in allowed:
            raise UnknownName(what, name, allowed)
    return names


def axes_of(source: Source, by: Columns) -> list[str]:
    """The axis columns asked for; None: all. ``arm`` may be named and is left out, for it is a key anyway."""
    if by is not None and not isinstance(by, Iterable):
        raise ResultsError(
            f"by: got {by!r}; allowed None for all axes, or names of {', '.join(source.axes) or '(none)'}"
        )
    columns = list(source.axes) if by is None else [by] if isinstance(by, str) else list(by)
    for column in columns:
        if not isinstance(column, str) or (column not in source.axes and column != "arm"):
            raise UnknownName("axis", column, source.axes, "the property 'axes'")
    return [column for column in dict.fromkeys(columns) if column != "arm"]


def check_metric(source: Source, metric: str, source_type: Names = ALL) -> None:
    """See that the rows have this column of numbers, and that it is measured for these source types.

    Raises:
        UnknownName: they don't have it.
        ResultsError: no name, or a metric of all source types together.
    """
    if not isinstance(metric, str):
        raise ResultsError(
            f"metric: got {metric!r}; allowed the name of one metric (values() and table() also take a list of names)"
        )
    head = {*IDS, *source.axes, "arm", "source_type"}
    allowed = [column for column in source.runs.select_dtypes("number").columns if column not in head]
    if metric not in allowed:
        raise UnknownName("metric", metric, allowed)
    types = [source_type] if isinstance(source_type, str) else [ALL] if source_type is None else list(source_type)
    if metric in ENERGY and ALL not in types:
        raise ResultsError(
            f"{metric}: got source type {', '.join(map(str, types))}; allowed {ALL!r} only: the energy of nodes is "
            "not told apart by source type"
        )


def in_order(source: Source, table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Rows by these columns: numbers rising, null last; words in the order of the sweep."""
    order = {**source.axes, "arm": source.arms, "source_type": [ALL, *source.source_types]}

    def rank(column: pd.Series[Any]) -> pd.Series[Any]:
        if pd.api.types.is_numeric_dtype(column):
            return column
        places = {value: i for i, value in enumerate(order[str(column.name)])}
        return column.map(lambda value: places.get(value, len(places)))

    return table.sort_values(keys, key=rank, kind="stable", ignore_index=True, na_position="last")
