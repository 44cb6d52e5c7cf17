"""Rows of fact -> Parquet files whose bytes depend on the rows only."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

import numpy as np
from numpy.typing import NDArray

from simnet.core.tables import TABLES

if TYPE_CHECKING:
    import pyarrow

# pyarrow is imported inside the functions: it takes longer than all of simnet.core, and --help needs no tables.

R = TypeVar("R")
Row = Any
"""An instance of one of the dataclasses in ``TABLES``."""
Note = Callable[[tuple[Any, ...]], None]
Numbers = NDArray[Any]
"""[n], one of each row."""
Coded = tuple[Sequence[Any], NDArray[np.int64]]
"""What a fact can be, and [notes] which of these it is in each note."""
BLOCK_ROWS = 1 << 20
"""Rows that are written at once, as one row group: Parquet's strings hold 2 GiB at most, a column may hold more."""


class Notes:
    """What has been noted, fact by fact.

    Args:
        flat: all notes, one after another.
        width: facts of each note.
    """

    def __init__(self, flat: list[Any], width: int) -> None:
        self._flat = flat
        self._width = width
        self._coded: dict[int, Coded] = {}
        """By fact."""

    def __len__(self) -> int:
        return len(self._flat) // self._width

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return zip(*(self[fact] for fact in range(self._width)), strict=True)

    def __getitem__(self, fact: int) -> list[Any]:
        """This fact of all notes."""
        return self._flat[fact :: self._width]

    def floats(self, fact: int) -> Numbers:
        """This fact, a float, of all notes."""
        return np.array(self[fact], np.float64)

    def numbers(self, fact: int, value: Callable[[Any], float]) -> Numbers:
        """:meth:`each` of numbers, to compute with."""
        return np.asarray(self.each(fact, value))

    def always(self, value: object) -> pyarrow.Array:
        """The same in all notes."""
        import pyarrow

        return pyarrow.repeat(pyarrow.scalar(value), len(self))

    def each(self, fact: int, value: Callable[[Any], object]) -> pyarrow.Array:
        """What a fact that takes few values, again and again, means in all notes: asked once for each value."""
        import pyarrow

        if fact not in self._coded:
            facts = self[fact]
            place = {distinct: index for index, distinct in enumerate(dict.fromkeys(facts))}
            self._coded[fact] = list(place), np.fromiter(map(place.__getitem__, facts), np.int64, len(facts))
        distincts, codes = self._coded[fact]
        values = pyarrow.array([value(distinct) for distinct in distincts])
        if pyarrow.types.is_string(values.type):
            values = values.cast(pyarrow.large_string())
        return values.take(pyarrow.array(codes))


class NoteColumns(Notes):
    """Notes that come fact by fact.

    Args:
        columns: fact -> it, of all notes.
        coded: fact -> what it can be, and which of these it is in each note; of those not in ``columns``.
    """

    def __init__(self, columns: Mapping[int, Any], coded: Mapping[int, Coded]) -> None:
        super().__init__([], len(columns) + len(coded))
        self._columns = columns
        self._coded = dict(coded)

    def __len__(self) -> int:
        return len(next(iter(self._columns.values())))

    def __getitem__(self, fact: int) -> Any:
        return self._columns[fact]


ColumnsOf = Mapping[str, Callable[[Notes], Any]]
"""Column -> what makes it of all notes: a list, an array of numpy, or one of pyarrow."""


@dataclass(frozen=True)
class Spread:
    """Of notes that stand for several rows each.

    Args:
        spread: makes of them notes that stand for one row each, in the order of the rows.
        n_row: the fact that says for how many rows a note stands.
    """

    spread: Callable[[Notes], Notes]
    n_row: int


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
        part = self._parts[type(row)][-1]
        part.rows.append(row)
        part.places.append(len(part.notes))
        return row

    def notes(self, row_type: type, width: int, columns_of: ColumnsOf, spread: Spread | None = None) -> Note:
        """Where to put tuples of ``width`` facts, each of which stands for a row.

        Args:
            columns_of: of the columns that don't have their row type's default.
            spread: where each stands for several rows.
        """
        part = _Part(row_type, width, columns_of, spread)
        self._parts[row_type].append(part)
        return part.notes.extend

    def rows_of(self, row_type: type[R], arm: str) -> list[R]:
        """An arm's rows of one table."""
        return [row for row in self._rows(row_type) if row.arm == arm]  # type: ignore[attr-defined]

    def columns_of(self, row_type: type, arm: str, names: Sequence[str]) -> list[pyarrow.ChunkedArray]:
        """These columns of an arm's rows of one table; no rows are made."""
        import pyarrow.compute as pc

        arms, *columns = self._columns(row_type, ("arm", *names))
        mine = pc.equal(arms, arm)
        return columns if pc.all(mine).as_py() else [column.filter(mine) for column in columns]

    def _columns(self, row_type: type, names: Sequence[str]) -> list[pyarrow.ChunkedArray]:
        import pyarrow

        types = _column_types(row_type)
        each = [part.columns(names) for part in self._parts[row_type]]
        return [
            pyarrow.chunked_array([chunk for chunks in column for chunk in chunks if len(chunk)], types[name])
            for name, column in zip(names, zip(*each, strict=True), strict=True)
        ]

    def write(self, folder: Path) -> dict[str, int]:
        """Write ``<table>.parquet`` for every table; returns the row counts."""
        import pyarrow.parquet

        for name, row_type in TABLES.items():
            target, schema = folder / f"{name}.parquet", _schema(name)
            table = pyarrow.table(self._columns(row_type, schema.names), schema.names)
            with pyarrow.parquet.ParquetWriter(target, schema, compression="zstd", **_encodings(schema)) as writer:
                for begin in range(0, max(1, len(table)), BLOCK_ROWS):
                    writer.write_table(table.slice(begin, BLOCK_ROWS).combine_chunks().cast(schema))
            with open(target, "rb") as file:
                os.fsync(file.fileno())
        return {name: sum(map(len, self._parts[row_type])) for name, row_type in TABLES.items()}


@dataclass
class _Part:
    """Rows of one table in their order, of which some are but notes.

    Args:
        width: facts of each note.
        rows, places: the others, and how many facts had been noted before each.
        made, made_of: columns of the first so many facts; the accounts ask for some that are written later.
        singles: of these facts, the notes that stand for one row each.
    """

    row_type: type
    width: int = 1
    columns_of: ColumnsOf = field(default_factory=dict)
    spread: Spread | None = None
    notes: list[Any] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    made: dict[str, pyarrow.Array] = field(default_factory=dict)
    made_of: int = 0
    singles: Notes | None = None

    def __len__(self) -> int:
        return self._rows_before(len(self.notes)) + len(self.rows)

    def _rows_before(self, place: int) -> int:
        """How many rows the first so many facts stand for."""
        if self.spread is None:
            return place // self.width
        return sum(self.notes[self.spread.n_row : place : self.width])

    def columns(self, names: Sequence[str]) -> list[list[pyarrow.Array]]:
        """Columns in the table's order, each in one or more pieces."""
        import pyarrow

        types = _column_types(self.row_type)
        of_rows = [pyarrow.array(list(map(attrgetter(name), self.rows)), types[name]) for name in names]
        if not self.notes:
            return [[values] for values in of_rows]
        pieces = [list(pair) for pair in zip(self._noted(names), of_rows, strict=True)]
        if all(place == len(self.notes) for place in self.places):
            return pieces
        order = self._order()
        return [[pyarrow.concat_arrays(pair).take(order)] for pair in pieces]

    def _noted(self, names: Sequence[str]) -> list[pyarrow.Array]:
        """Columns of the notes alone."""
        import pyarrow

        types, notes = _column_types(self.row_type), self._singles()
        for name in names:
            if name in self.made:
                continue
            if name not in self.columns_of:
                default = pyarrow.scalar(_default(self.row_type, name), types[name])
                self.made[name] = pyarrow.repeat(default, len(notes))
                continue
            values = self.columns_of[name](notes)
            is_typed = isinstance(values, pyarrow.Array)
            self.made[name] = values.cast(types[name]) if is_typed else pyarrow.array(values, types[name])
        return [self.made[name] for name in names]

    def _singles(self) -> Notes:
        if self.singles is None or self.made_of != len(self.notes):
            self.made.clear()
            self.made_of = len(self.notes)
            notes = Notes(self.notes, self.width)
            self.singles = notes if self.spread is None else self.spread.spread(notes)
        return self.singles

    def _order(self) -> NDArray[np.int64]:
        """Position in the table -> index in (noted rows, other rows)."""
        n_noted, n_row = self._rows_before(len(self.notes)), len(self.rows)
        order: NDArray[np.int64] = np.insert(np.arange(n_noted), self._noted_before(), n_noted + np.arange(n_row))
        return order

    def _noted_before(self) -> NDArray[np.int64]:
        """[rows] noted rows before each of the others."""
        notes_before = np.array(self.places, np.int64) // self.width
        if self.spread is None:
            return notes_before
        return np.cumsum([0, *self.notes[self.spread.n_row :: self.width]])[notes_before]

    def written_out(self) -> list[Row]:
        """All as rows; from now on these are what counts."""
        if self.notes:
            columns = [column.to_pylist() for column in self._noted([f.name for f in fields(self.row_type)])]
            every = [*(self.row_type(*values) for values in zip(*columns, strict=True)), *self.rows]
            self.rows = [every[index] for index in self._order()]
            self.notes.clear()
            self.made.clear()
            self.singles = None
            self.places = [0] * len(self.rows)
        return self.rows


def _default(row_type: type, name: str) -> Any:
    (default,) = (f.default for f in fields(row_type) if f.name == name)
    assert default is not MISSING, f"notes of {row_type.__name__} say nothing of {name}"
    return default


def _column_types(row_type: type) -> dict[str, pyarrow.DataType]:
    """Of columns in memory; see ``BLOCK_ROWS`` for why their strings are large ones."""
    import pyarrow

    types = {int: pyarrow.int64(), float: pyarrow.float64(), bool: pyarrow.bool_(), str: pyarrow.large_string()}
    hints = get_type_hints(row_type)
    return {f.name: types[_plain(hints[f.name])] for f in fields(row_type)}


def _schema(name: str) -> pyarrow.Schema:
    """Column types of a table; each column carries its description, so that readers need no simnet."""
    import pyarrow

    types = _column_types(TABLES[name])
    return pyarrow.schema(
        pyarrow.field(
            f.name,
            pyarrow.string() if types[f.name] == pyarrow.large_string() else types[f.name],
            metadata={"description": f.metadata["description"]} if "description" in f.metadata else None,
        )
        for f in fields(TABLES[name])
    )


def _encodings(schema: pyarrow.Schema) -> dict[str, Any]:
    """How a table's columns are encoded: floats seldom repeat, but their upper bytes are alike, so that transfers take
    40 % less room than with dictionaries of their values."""
    import pyarrow

    floats = {field.name for field in schema if pyarrow.types.is_floating(field.type)}
    return {
        "use_dictionary": [name for name in schema.names if name not in floats],
        "column_encoding": dict.fromkeys(floats, "BYTE_STREAM_SPLIT"),
    }


def _plain(hint: Any) -> type:
    """``float`` of ``float | None``, ``str`` of a Literal of strings."""
    options = [a for a in getattr(hint, "__args__", (hint,)) if a is not type(None)]
    return options[0] if isinstance(options[0], type) else type(options[0])
