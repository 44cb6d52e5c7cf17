"""Tables for Markdown files, written by a command: between markers, so that running it again changes nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from simnet.report.wording import NONE, number
from simnet.results.errors import ResultsError
from simnet.results.estimates import ESTIMATE, interval_of


def markdown(frame: pd.DataFrame) -> str:
    """A frame as a Markdown table, numbers to the right.

    The columns of an estimate (``n``, ``mean``, ``low``, ``high``, ``half_width``) become one, ``mean``, which reads
    ``0.912 ± 0.004 (n = 5)``; other numbers get four significant digits; null is "–", no bound "∞".

    Returns:
        The table's lines, without a line break at the end.
    """
    table = _joined(frame)
    heading = "| " + " | ".join(_safe(str(column)) for column in table.columns) + " |"
    rule = "|" + "|".join("---:" if right else "---" for right in map(_is_number, table.dtypes)) + "|"
    rows = ("| " + " | ".join(_safe(_cell(value)) for value in row) + " |" for row in table.itertuples(index=False))
    return "\n".join([heading, rule, *rows])


def write_table(file: str | Path, name: str, text: str) -> None:
    """Replace what stands between ``<!-- table: NAME -->`` and ``<!-- /table -->`` in a Markdown file.

    Args:
        file: the Markdown file.
        name: of the table; stands once in the file.
        text: the new content, e.g. from :func:`markdown`.

    Raises:
        ResultsError: no such file, or not exactly one such pair of markers in it.
    """
    path = Path(file)
    opening, closing = f"<!-- table: {name} -->", "<!-- /table -->"
    try:
        page = path.read_bytes().decode()  # as it is: reading text would change the ends of all lines
    except (OSError, UnicodeDecodeError) as error:
        raise ResultsError(f"{path}: cannot be read ({error}); it must exist and hold the line {opening}") from None
    starts = [found.end() for found in re.finditer(re.escape(opening), page)]
    end = page.find(closing, starts[0]) if len(starts) == 1 else -1
    if end < 0 or "<!-- table:" in page[starts[0] : end]:
        raise ResultsError(
            f"{path}: got {len(starts)} markers {opening!r}{'' if end < 0 else ', and another one before its end'}; "
            f"allowed exactly one, followed by {closing!r}: add both lines where the table shall stand"
        )
    if "<!-- table:" in text or closing in text:
        raise ResultsError(f"{path}: got markers inside the text of table {name!r}; allowed the table's lines only")
    line_end = "\r\n" if page.startswith("\r\n", starts[0]) else "\n"
    lines = ["", *text.strip().split("\n"), ""]
    path.write_bytes(f"{page[: starts[0]]}{line_end.join(lines)}{page[end:]}".encode())


def _joined(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns of an estimate in one."""
    if not set(ESTIMATE) <= set(frame.columns):
        return frame
    texts = [str(interval_of(row)) for _, row in frame[list(ESTIMATE)].iterrows()]
    return frame.assign(mean=texts).drop(columns=[column for column in ESTIMATE if column != "mean"])


def _is_number(kind: Any) -> bool:
    return pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind)


def _cell(value: Any) -> str:
    if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)) or value is pd.NA:
        return NONE
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{value:,}".replace("-", "−")
    if isinstance(value, float | np.floating):
        if np.isinf(value):
            return "∞" if value > 0 else "−∞"
        return number(float(value), 4)
    return str(value)


def _safe(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
