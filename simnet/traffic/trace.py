"""Wishes written out in the scenario or in a CSV file."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import Field, ValidationError, model_validator

from simnet.core.errors import UnknownName
from simnet.traffic.base import CatalogueItem, RequestPlan, Settings, Traffic, TrafficError

COLUMNS = ("time_s", "consumer", "item_id")


class TraceRow(Settings):
    """One wish."""

    time_s: float = Field(ge=0.0)
    consumer: str = Field(min_length=1)
    item_id: int = Field(ge=0)


class Trace(Traffic):
    """The wishes as given, sorted by time; those at or after the run's end are left out."""

    class Params(Settings):
        """Exactly one of ``requests`` and ``file``."""

        requests: tuple[TraceRow, ...] | None = None
        file: Path | None = None
        """UTF-8 CSV file with the header ``time_s,consumer,item_id``."""

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
        known, owners = set(consumers), {item.item_id: item.owner for item in catalogue}
        rows = self._rows()
        for where, row in rows:
            if row.consumer not in known:
                raise UnknownName(f"consumer in {where}", row.consumer, known)
            if row.item_id not in owners:
                raise TrafficError(f"{where}: no item {row.item_id} in the catalogue{_range(owners)}")
            if owners[row.item_id] == row.consumer:
                raise TrafficError(f"{where}: {row.consumer!r} owns item {row.item_id}; wish for others")
        indices: Counter[str] = Counter()
        for _, row in sorted(rows, key=lambda pair: (pair[1].time_s, pair[1].consumer)):
            if row.time_s >= duration_s:
                return
            yield RequestPlan(row.time_s, row.consumer, row.item_id, indices[row.consumer])
            indices[row.consumer] += 1

    def _rows(self) -> list[tuple[str, TraceRow]]:
        """Each wish with the place that messages name."""
        if self.params.requests is not None:
            return [(f"traffic.requests[{i}]", row) for i, row in enumerate(self.params.requests)]
        assert self.params.file is not None
        return list(_read(self.params.file))


def _read(path: Path) -> Iterator[tuple[str, TraceRow]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restkey="more", strict=True)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise TrafficError(f"{path}:1: header: got {reader.fieldnames}; allowed: {','.join(COLUMNS)}")
            for row in reader:
                where = f"{path}:{reader.line_num}"
                try:
                    yield where, TraceRow.model_validate(row)
                except ValidationError as error:
                    first = error.errors()[0]
                    key = ".".join(map(str, first["loc"]))
                    raise TrafficError(f"{where} {key}: got {first['input']!r}; {first['msg']}") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TrafficError(f"{path}: not a readable CSV file of wishes: {error}") from error


def _range(owners: dict[int, str]) -> str:
    return f"; its ids go from {min(owners)} to {max(owners)}" if owners else ", which is empty"
