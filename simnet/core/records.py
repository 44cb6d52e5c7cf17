"""Rows of fact -> Parquet files whose bytes depend on the rows only."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from simnet.core.tables import TABLES

if TYPE_CHECKING:
    import pyarrow

R = TypeVar("R")
Row = Any
"""An instance of one of the dataclasses in ``TABLES``."""


class Recorder:
    """Collects rows in memory, per table, in the order of the simulation.

    What happens most often is noted as a bare tuple, a fraction of a row in time and memory, and made into a row when
    the rows are asked for.
    """

    def __init__(self) -> None:
        self._rows: dict[str, list[Row]] = {name: [] for name in TABLES}
        self._noted: dict[str, int] = {}
        """Table -> from which row on there may be notes."""
        self._table_of = {row_type: name for name, row_type in TABLES.items()}

    @property
    def rows(self) -> dict[str, list[Row]]:
        """Every table's rows."""
        for name, first in self._noted.items():
            rows = self._rows[name]
            for index in range(first, len(rows)):
                if type(rows[index]) is tuple:
                    make, *facts = rows[index]
                    rows[index] = make(*facts)
            self._noted[name] = len(rows)
        return self._rows

    def add(self, row: Row) -> Row:
        """Append a row; it may still be filled in until the run ends. Returns it."""
        self._rows[self._table_of[type(row)]].append(row)
        return row

    def notes(self, row_type: type) -> Callable[[tuple[Any, ...]], None]:
        """Where to put tuples (make, fact, …) of which ``make(fact, …)`` will be a row."""
        name = self._table_of[row_type]
        self._noted.setdefault(name, 0)
        return self._rows[name].append

    def rows_of(self, row_type: type[R], arm: str) -> list[R]:
        """An arm's rows of one table."""
        return [row for row in self.rows[self._table_of[row_type]] if row.arm == arm]

    def write(self, folder: Path) -> dict[str, int]:
        """Write ``<table>.parquet`` for every table; returns the row counts."""
        import pyarrow.parquet

        for name, rows in self.rows.items():
            target = folder / f"{name}.parquet"
            pyarrow.parquet.write_table(_table(name, rows), target, compression="zstd")
            with open(target, "rb") as file:
                os.fsync(file.fileno())
        return {name: len(rows) for name, rows in self.rows.items()}


def _table(name: str, rows: list[Row]) -> pyarrow.Table:
    import pyarrow

    schema = _schema(name)
    return pyarrow.table({f.name: [getattr(row, f.name) for row in rows] for f in schema}, schema=schema)


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
