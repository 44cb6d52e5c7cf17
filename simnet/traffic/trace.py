"""Wishes written out in the scenario or in a CSV file."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from pydantic import Field, ValidationError, model_validator

from simnet.core.errors import MOST_NAMES, among
from simnet.scenario.errors import KeyPath, Problem, ScenarioError
from simnet.scenario.explain import explain
from simnet.traffic.base import CatalogueItem, RequestPlan, Settings, Traffic, TrafficError

COLUMNS = ("time_s", "consumer", "item_id")


class TraceRow(Settings):
    """One wish."""

    time_s: float = Field(ge=0.0)
    consumer: str = Field(min_length=1)
    item_id: int = Field(ge=0)


class _Entry(NamedTuple):
    """A wish, and where messages say that it is: a key path of the scenario, or a line of a file."""

    row: TraceRow
    path: KeyPath = ()
    where: str = ""

    def problem(self, key: str, text: str) -> Problem:
        return Problem((*self.path, key), text, self.where)


class Trace(Traffic):
    """The wishes as given, sorted by time; those at or after the run's end are left out, and counted."""

    class Params(Settings):
        """Exactly one of ``requests`` and ``file``."""

        requests: tuple[TraceRow, ...] | None = Field(None, description="the wishes, in any order")
        file: Path | None = Field(
            None,
            description="UTF-8 CSV file with the header time_s,consumer,item_id. Item ids count from 0 through the "
            "sources in their order, then the surrogates",
        )

        @model_validator(mode="after")
        def _check(self) -> Trace.Params:
            if (self.requests is None) == (self.file is None):
                raise ValueError("give exactly one of 'requests' and 'file'")
            return self

    def __init__(self, params: Params) -> None:
        self.params = params

    def requests(
        self, *, consumers: Sequence[str], catalogue: Sequence[CatalogueItem], duration_s: float, seed: int
    ) -> Iterator[RequestPlan]:
        known, owners = dict.fromkeys(consumers), {item.item_id: item.owner for item in catalogue}
        problems: list[Problem] = []
        rows: list[TraceRow] = []
        for entry in self._entries():
            if isinstance(entry, Problem):
                problems.append(entry)
            else:
                problems += _misfits(entry, known, owners)
                rows.append(entry.row)
        if problems:
            raise ScenarioError(problems)
        indices: Counter[str] = Counter()
        for row in sorted(rows, key=lambda row: (row.time_s, row.consumer)):
            if row.time_s >= duration_s:
                return
            yield RequestPlan(row.time_s, row.consumer, row.item_id, indices[row.consumer])
            indices[row.consumer] += 1

    def left_out(self, duration_s: float) -> str | None:
        times_s = [entry.row.time_s for entry in self._entries() if isinstance(entry, _Entry)]
        late_s = [time_s for time_s in times_s if time_s >= duration_s]
        if not late_s:
            return None
        return (
            f"{len(late_s)} of {len(times_s)} wishes come at or after duration_s, which is {duration_s:g} s, and are "
            f"left out; the last one is at {max(late_s):g} s"
        )

    def _entries(self) -> Iterator[_Entry | Problem]:
        """The wishes, and in their places what is wrong with lines that are none."""
        if self.params.requests is None:
            assert self.params.file is not None
            yield from _read(self.params.file)
        for index, row in enumerate(self.params.requests or ()):
            yield _Entry(row, path=("traffic", "requests", index))


def _misfits(entry: _Entry, known: Mapping[str, object], owners: Mapping[int, str]) -> Iterator[Problem]:
    """Why the network can't fulfil the wish."""
    _, consumer, item_id = (getattr(entry.row, column) for column in COLUMNS)
    if consumer not in known:
        text = f"got {consumer!r}, which is no consumer; {among(consumer, known, MOST_NAMES)}"
        yield entry.problem("consumer", text)
    if item_id not in owners:
        yield entry.problem("item_id", f"got {item_id}; allowed: items of the catalogue{_range(owners)}")
    elif owners[item_id] == consumer:
        yield entry.problem("item_id", f"got {item_id}, which {consumer!r} owns; allowed: items of others")


def _read(path: Path) -> Iterator[_Entry | Problem]:
    line = 0
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, None)
            if header is None or tuple(header) != COLUMNS:
                raise TrafficError(f"{path}:1: header: got {header}; allowed: {','.join(COLUMNS)}")
            line = reader.line_num
            for values in reader:
                line = reader.line_num
                if values:  # not an empty line
                    yield from _parsed(values, f"{path}:{line}")
    except csv.Error as error:
        raise TrafficError(f"{path}:{line + 1}: not a readable CSV file of wishes: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise TrafficError(f"{path}: not a readable CSV file of wishes: {error}") from error


def _parsed(values: Sequence[str], where: str) -> Iterator[_Entry | Problem]:
    if len(values) != len(COLUMNS):
        yield Problem((), f"got {len(values)} columns; allowed: {len(COLUMNS)}: {','.join(COLUMNS)}", where)
        return
    data = dict(zip(COLUMNS, values, strict=True))
    try:
        yield _Entry(TraceRow.model_validate(data), where=where)
    except ValidationError as error:
        for problem in explain(error, TraceRow, data):
            yield replace(problem, where=where)


def _range(owners: Mapping[int, str]) -> str:
    return f", {min(owners)}..{max(owners)}" if owners else ", which is empty"
