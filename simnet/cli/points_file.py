"""Files of a link's points, looked at line by line before they are drawn: a point lost or garbled would not show."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from simnet.scenario.errors import Problem, ScenarioError, shown

VALUES = ("goodput", "bler", "ber")
"""What is measured; the first of them that a file has, it has at every point."""
RATES = tuple(f"{rate}{end}" for rate in ("bler", "ber") for end in ("", "_low", "_high"))


def check_whole(path: Path) -> None:
    """Look for lines that are cut off, too long, or hold what can't be drawn.

    Raises:
        ScenarioError: every such line. That it is no such file at all, who reads it says.
    """
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return
    problems: list[Problem] = []
    line = 0
    try:
        reader = csv.reader(text.splitlines(keepends=True), strict=True)
        header = next(reader, [])
        line = reader.line_num
        for values in reader:
            line = reader.line_num
            problems += [
                Problem((key,) if key else (), words, f"{path}:{line}") for key, words in _wrong(header, values)
            ]
    except csv.Error as error:
        problems.append(
            Problem((), f"got broken CSV: {error}; allowed: lines of fields with commas", f"{path}:{line + 1}")
        )
    if not problems and text and not text.endswith(("\n", "\r")):
        words = "got a last line without its end; allowed: a whole file. If no digit is missing there, add a line end"
        problems.append(Problem((), words, f"{path}:{line}"))
    if problems:
        raise ScenarioError(problems)


def _wrong(header: Sequence[str], values: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Column, or "" of the line, and what is wrong with it."""
    if values and len(values) != len(header):
        yield (
            "",
            f"got {len(values)} fields; allowed: {len(header)}, as the header has. Was the file cut off, or edited?",
        )
        return
    row = dict(zip(header, values, strict=False))
    value = next((name for name in VALUES if name in row), None)
    for name in ("esno_db", "ebno_db", "goodput", *RATES):
        if name in row and (row[name] or name in ("esno_db", value)):
            low, high = (0.0, 1.0) if name in RATES else (0.0, math.inf) if name == "goodput" else (-math.inf, math.inf)
            number = _number(row, name)
            if not (math.isfinite(number) and low <= number <= high):
                allowed = "a number 0..1" if name in RATES else "a number" + (" ≥ 0" if name == "goodput" else "")
                yield name, f"got {shown(row[name])}; allowed: {allowed}"


def _number(row: Mapping[str, str], name: str) -> float:
    try:
        return float(row[name])
    except ValueError:
        return math.nan
