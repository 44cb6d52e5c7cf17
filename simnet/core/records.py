"""Rows of fact -> Parquet files whose bytes depend on the rows only."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from itertools import chain, compress
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from simnet.core.tables import TABLES

if TYPE_CHECKING:
    import pyarrow

R = TypeVar("R")
Row = Any
"""An instance of one of the dataclasses in ``TABLES``."""
Note = Callable[[tuple[Any, ...]], None]
ColumnsOf = Mapping[str, Callable[[list[Any]], Sequence[Any]]]
"""Column -> what makes it of all notes, which stand one after another in one flat list."""


class Recorder:
    """Collects rows in memory, per table, in the order of the simulation.

    What happens most often is noted as a few facts in one flat list, a fraction of a row in time and memory. Whole
    columns are made of such notes, or rows where somebody asks for rows.
    """

    def __init__(self) -> None:
        self._parts = {row_type: [_Part(row_type)] for row_type in TABLES.values()}

    @property
    def rows(self) -> dict[str, list[Row]]:
        """Every table's rows."""
        return {name: self._rows(row_type) for name, row_type in TABLES.items()}

    def _rows(self, row_type: type[R]) -> list[R]:
        return [row for part in self._parts[row_type] for row in part.written_out()]

    def add(self, row: Row) -> Row:
        """Append a row; it may still be filled in until the run ends. Returns it."""
        self._parts[type(row)][-1].add(row)
        return row

    def notes(self, row_type: type, width: int, columns_of: ColumnsOf) -> Note:
        """Where to put tuples of ``width`` facts, each of which stands for a row.

        Args:
            columns_of: of the columns that don't have their row type's default.
        """
        part = _Part(row_type, width, columns_of)
        self._parts[row_type].append(part)
        return part.notes.extend

    def rows_of(self, row_type: type[R], arm: str) -> list[R]:
        """An arm's rows of one table."""
        return [row for row in self._rows(row_type) if row.arm == arm]  # type: ignore[attr-defined]

    def columns_of(self, row_type: type, arm: str, names: Sequence[str]) -> list[Sequence[Any]]:
        """These columns of an arm's rows of one table; no rows are made."""
        arms, *columns = self._columns(row_type, ("arm", *names))
        mine = [each == arm for each in arms]
        return [column if all(mine) else list(compress(column, mine)) for column in columns]

    def _columns(self, row_type: type, names: Sequence[str]) -> list[Sequence[Any]]:
        parts = [part for part in self._parts[row_type] if len(part)]
        if len(parts) == 1:
            return list(parts[0].columns(names))
        each = [part.columns(names) for part in parts]
        return [list(chain.from_iterable(columns)) for columns in zip(*each, strict=True)] or [[] for _ in names]

    def write(self, folder: Path) -> dict[str, int]:
        """Write ``<table>.parquet`` for every table; returns the row counts."""
        import pyarrow.parquet

        for name, row_type in TABLES.items():
            target, schema = folder / f"{name}.parquet", _schema(name)
            table = pyarrow.table(dict(zip(schema.names, self._columns(row_type, schema.names), strict=True)), schema)
            pyarrow.parquet.write_table(table, target, compression="zstd")
            with open(target, "rb") as file:
                os.fsync(file.fileno())
        return {name: sum(map(len, self._parts[row_type])) for name, row_type in TABLES.items()}


@dataclass
class _Part:
    """Rows of one table in their order, of which some are but notes.

    Args:
        width: facts of each note.
        rows, places: the others, and how many facts had been noted before each.
    """

    row_type: type
    width: int = 1
    columns_of: ColumnsOf = field(default_factory=dict)
    notes: list[Any] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    places: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.notes) // self.width + len(self.rows)

    def add(self, row: Row) -> None:
        self.rows.append(row)
        self.places.append(len(self.notes))

    def columns(self, names: Sequence[str]) -> Iterator[Sequence[Any]]:
        of_rows = list(zip(*map(attrgetter(*names, names[0]), self.rows), strict=True)) or [()] * len(names)
        if not self.notes:
            yield from of_rows[: len(names)]
            return
        order = self._order() if self.rows else None
        for name, values in zip(names, of_rows, strict=False):
            noted = self._noted(name)
            yield noted if order is None else list(map((*noted, *values).__getitem__, order))

    def _noted(self, name: str) -> Sequence[Any]:
        """A column of the notes alone."""
        if name in self.columns_of:
            return self.columns_of[name](self.notes)
        return [_default(self.row_type, name)] * (len(self.notes) // self.width)

    def _order(self) -> list[int]:
        """Position in the table -> index in (noted rows, other rows)."""
        n_note = len(self.notes) // self.width
        order: list[int] = []
        noted = 0
        for index, place in enumerate(self.places, start=n_note):
            order += range(noted, place // self.width)
            order.append(index)
            noted = place // self.width
        return [*order, *range(noted, n_note)]

    def written_out(self) -> list[Row]:
        """All as rows; from now on these are what counts."""
        if self.notes:
            names = [f.name for f in fields(self.row_type)]
            noted = [self.row_type(*values) for values in zip(*map(self._noted, names), strict=True)]
            every = (*noted, *self.rows)
            self.rows = [every[index] for index in self._order()]
            self.notes.clear()
            self.places = [0] * len(self.rows)
        return self.rows


def _default(row_type: type, name: str) -> Any:
    (default,) = (f.default for f in fields(row_type) if f.name == name)
    assert default is not MISSING, f"notes of {row_type.__name__} say nothing of {name}"
    return default


def _schema(name: str) -> pyarrow.Schema:
    """Column types of a table; each column carries its description, so that readers need no simnet."""
    import pyarrow

    types = {int: pyarrow.int64(), float: pyarrow.float64(), bool: pyarrow.bool_(), str: pyarrow.string()}
    hints = get_type_hints(TABLES[name])
    return pyarrow.schema(
        pyarrow.field(
            f.name,
            types[_plain(hints[f.name])],
            metadata={"description": f.metadata["description"]} if "description" in f.metadata else None,
        )
        for f in fields(TABLES[name])
    )


def _plain(hint: Any) -> type:
    """``float`` of ``float | None``, ``str`` of a Literal of strings."""
    options = [a for a in getattr(hint, "__args__", (hint,)) if a is not type(None)]
    return options[0] if isinstance(options[0], type) else type(options[0])
