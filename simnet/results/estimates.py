"""Intervals as rows of a frame: a mean never stands without its interval and the number of replications behind it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simnet.core.errors import UnknownName
from simnet.report.metrics import METRICS
from simnet.results.errors import ResultsError
from simnet.statistics.interval import Interval

SEED = "seed"
"""The independent unit: what has the same seed shares its random numbers, whatever its point and arm."""
ESTIMATE = ("n", "mean", "low", "high", "half_width")
"""Columns of an estimate: replications, mean, ends of the 95 % Student-t interval. NaN: there is none (n < 2)."""


def estimate(found: Interval) -> dict[str, float]:
    """The columns ``ESTIMATE`` of one interval, with NaN for None."""
    return {
        "n": found.n,
        "mean": _number(found.value),
        "low": _number(found.low),
        "high": _number(found.high),
        "half_width": _number(found.half_width),
    }


def interval_of(row: Mapping[str, Any] | pd.Series[Any]) -> Interval:
    """The interval of a row with the columns ``ESTIMATE``."""
    mean, half_width = float(row["mean"]), float(row["half_width"])
    return Interval(None if math.isnan(mean) else mean, None if math.isnan(half_width) else half_width, int(row["n"]))


def groups(frame: pd.DataFrame, keys: Sequence[str]) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """Each group's key columns and its rows, in order of first appearance; null is a value like any other."""
    if not keys:
        yield {}, frame
        return
    for values, part in frame.groupby(list(keys), dropna=False, sort=False, observed=True):
        yield dict(zip(keys, values if isinstance(values, tuple) else (values,), strict=True)), part


def keys_of(frame: pd.DataFrame, *used: str) -> list[str]:
    """Columns that make groups: axes, ``arm`` and the like; no metric, which no axis may be called."""
    return [column for column in frame.columns if column not in (SEED, *used, *METRICS)]


def refuse_columns(what: str, frame: pd.DataFrame, added: Sequence[str]) -> None:
    """See that a frame's columns are not overwritten by those of an answer.

    Raises:
        ResultsError: some would be.
    """
    if taken := [column for column in frame.columns if column in added]:
        raise ResultsError(
            f"{what}: got columns called {', '.join(taken)}, as its answer's are; allowed other names: rename them "
            "with frame.rename(columns={…})"
        )


def check_values(what: str, frame: pd.DataFrame, x: str, y: str) -> None:
    """See that a frame is one of values, one row per replication, with these two columns.

    Raises:
        ResultsError: it isn't.
    """
    if not isinstance(frame, pd.DataFrame):
        raise ResultsError(
            f"{what}: got {type(frame).__name__}; allowed a frame, as of results.values({y!r}, by={x!r})"
        )
    if x == y:
        raise ResultsError(f"{what}: got {x!r} as x and as y; allowed two columns")
    if SEED not in frame:
        raise ResultsError(
            f"{what}: got a frame without the column {SEED!r}, so not one row per replication (of means, perhaps); "
            f"give results.values({y!r}, by={x!r})"
        )
    for column in (x, y):
        if column not in frame:
            raise UnknownName(f"column in {what}", column, [name for name in frame.columns if name != SEED])


def known(values: pd.Series[Any]) -> NDArray[np.float64]:
    """[n] the values that are not null."""
    return values.dropna().to_numpy(np.float64)


def over_seeds(frame: pd.DataFrame, column: str, value: str) -> pd.DataFrame:
    """Seeds that have a value at every level of a column: one row per seed, one column per level.

    Args:
        frame: one row per seed and level.
        column: whose levels are compared; null is a level.
        value: column of the numbers.
    """
    codes, levels = pd.factorize(frame[column], use_na_sentinel=False)
    table = frame.assign(level=codes).pivot(index=SEED, columns="level", values=value).dropna()
    table.columns = pd.Index(list(levels), dtype=object)
    return table


def _number(value: float | None) -> float:
    return math.nan if value is None else value
