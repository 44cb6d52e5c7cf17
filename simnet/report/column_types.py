"""Whether a table's columns hold what ``simnet.core.tables`` says of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pyarrow
from pyarrow import types

from simnet.core.tables import TABLES
from simnet.report.errors import RunError

_FITS: dict[type, Callable[[pyarrow.DataType], bool]] = {
    int: types.is_integer,
    float: lambda got: types.is_floating(got) or types.is_integer(got),
    bool: types.is_boolean,
    str: lambda got: types.is_string(got) or types.is_large_string(got),
}
"""Other programs may have written the file anew, as pandas does with its own types."""


def check_columns(path: Path, name: str, table: pyarrow.Table) -> None:
    """Check the columns that were read of a table.

    Args:
        path: of the file.
        name: of the table, such as ``requests``.
        table: columns in it that the table doesn't have are not looked at.

    Raises:
        RunError: a column of another type, or with nulls that it may not have.
    """
    hints = get_type_hints(TABLES[name])
    for field in fields(TABLES[name]):
        if field.name not in table.column_names:
            continue
        type_, nullable = _plain(hints[field.name])
        column = table.column(field.name)
        got = column.type.value_type if types.is_dictionary(column.type) else column.type
        if not (types.is_null(got) or _FITS[type_](got)):
            raise RunError(f"{path}: column {field.name}: got {got}; allowed {type_.__name__}; run the scenario again")
        if column.null_count and not nullable:
            raise RunError(
                f"{path}: column {field.name}: got {column.null_count} nulls; allowed none; run the scenario again"
            )


def _plain(hint: Any) -> tuple[type, bool]:
    """``float | None`` -> (float, True); words of a Literal are strings."""
    if get_origin(hint) is Literal:
        return str, False
    options = get_args(hint) or (hint,)
    return next(option for option in options if option is not NoneType), NoneType in options
