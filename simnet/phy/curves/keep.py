"""Keeping points in a file as they come."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from simnet.core.errors import SimnetError
from simnet.core.folders import file_to_write

Row = dict[str, object]


class CurveFile:
    """A CSV file with one line per point, whole after each of them.

    Args:
        path: of the file; its folder is made.
        again: an earlier file of this name is replaced by the first points.

    Raises:
        SimnetError: the file's name has another ending, it can't be written, or is there already.
    """

    def __init__(self, path: Path, *, again: bool = False) -> None:
        if path.suffix.lower() != ".csv":
            raise SimnetError(f"file of points: got {str(path)!r}; allowed a name that ends with .csv")
        self.path = file_to_write(path)
        if path.exists() and not again:
            raise SimnetError(f"{path}: is there already, with points of before; give another name, or --again")
        self._rows: list[Row] = []

    def add(self, rows: Sequence[Row]) -> None:
        """Adds lines; None is an empty field. Those of one file have the same keys."""
        self._rows += rows
        partial = self.path.with_suffix(".partial")
        with partial.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(self._rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(self._rows)
        partial.replace(self.path)


def keep(
    points: Iterable[tuple[Sequence[Row], str]], out: Path | None, *, again: bool = False, quiet: bool = False
) -> list[Row]:
    """The rows of all points; what comes is written to ``out`` at once, and its words to the standard error.

    Args:
        points: rows that come together, and what to say of them.
        out: CSV file; None keeps nothing.
        again: ``out`` may be there already, and is made anew.
        quiet: say nothing.

    Raises:
        SimnetError: before the first point: see :class:`CurveFile`.
        KeyboardInterrupt: after Ctrl-C, with what was kept.
    """
    file = None if out is None else CurveFile(out, again=again)
    rows: list[Row] = []
    try:
        for new, words in points:
            rows += new
            if file is not None:
                file.add(new)
            if not quiet:
                print(words, file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        kept = f"{len(rows)} points are kept in {out}" if file is not None and rows else "nothing was kept"
        hint = "" if file is not None else "; --out FILE.csv keeps every point as it comes"
        raise KeyboardInterrupt(f"stopped by Ctrl-C; {kept}{hint}") from None
    return rows
