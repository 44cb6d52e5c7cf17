"""Parity-check matrices as alist files (D. MacKay, "Alist format", inference.org.uk/mackay/codes/alist.html).

A file holds, in lines of numbers: columns and rows; the largest weight of a column and of a row; each column's weight;
each row's weight; then for each column the rows of its ones, and for each row the columns of its ones, counted from 1.
Lists shorter than the largest weight are filled up with zeros, or, as many programs write them, are not.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from simnet.core.errors import SimnetError


def read_alist(path: str | Path) -> sparse.csr_array:
    """The matrix of an alist file, [checks, n] uint8; lists may be filled up with zeros or not.

    Raises:
        SimnetError: the file is not an alist, or contradicts itself; the message names the line.
    """
    lines = _Lines(Path(path))
    n, n_checks = lines.numbers(2, "columns, rows")
    if n < 1 or n_checks < 1:
        raise lines.error(f"got {n} columns and {n_checks} rows; allowed 1 or more")
    column_limit, row_limit = lines.numbers(2, "largest weight of a column, of a row")
    column_weights = lines.weights(n, column_limit, "column", n_checks)
    row_weights = lines.weights(n_checks, row_limit, "row", n)
    rows = np.concatenate([lines.places(weight, column_limit, "row", n_checks) for weight in column_weights])
    starts = np.concatenate(([0], np.cumsum(column_weights)))
    matrix = sparse.csc_array((np.ones(len(rows), dtype=np.uint8), rows, starts), shape=(n_checks, n)).tocsr()
    for row, weight in enumerate(row_weights):
        got = np.sort(lines.places(weight, row_limit, "column", n))
        expected = matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]
        if not np.array_equal(got, expected):
            raise lines.error(f"got ones in columns {_listed(got)}; the columns' own lists say {_listed(expected)}")
    lines.end()
    return matrix


def write_alist(
    path: str | Path, matrix: NDArray[np.generic] | sparse.spmatrix | sparse.sparray, *, padded: bool = True
) -> None:
    """Write a binary matrix [checks, n], dense or sparse; ``padded`` fills short lists up with zeros.

    Raises:
        SimnetError: an entry is neither 0 nor 1.
    """
    by_row = sparse.csr_array(matrix, copy=True)
    by_row.sum_duplicates()
    by_row.eliminate_zeros()
    if not np.all(by_row.data == 1):
        raise SimnetError("alist file: got a matrix with entries other than 0 and 1; pass a binary one")
    if 0 in by_row.shape:
        raise SimnetError(f"alist file: got a matrix of shape {by_row.shape}; need one row and one column or more")
    n_checks, n = by_row.shape
    lists = [_ones(by_row.tocsc()), _ones(by_row)]
    weights = [[len(places) for places in each] for each in lists]
    largest = [max(each) for each in weights]
    lines = [[n, n_checks], largest, *weights]
    for each, limit in zip(lists, largest, strict=True):
        lines += [places + [0] * (limit - len(places) if padded else 0) for places in each]
    Path(path).write_text("".join(" ".join(map(str, line)) + "\n" for line in lines), encoding="ascii")


def _ones(matrix: sparse.csr_array | sparse.csc_array) -> list[list[int]]:
    """Places of the ones of each row (of each column, if compressed by columns), counted from 1, ascending."""
    matrix.sort_indices()
    return [(places + 1).tolist() for places in np.split(matrix.indices, matrix.indptr[1:-1])]


def _spelled(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers)) or "nothing"


def _listed(places: NDArray[np.int64]) -> str:
    return _spelled((places + 1).tolist())


class _Lines:
    """Lines of whole numbers, read one after the other."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._lines = path.read_text(encoding="ascii").splitlines()
        except OSError as error:
            raise SimnetError(f"alist file {path}: cannot be read ({error.strerror})") from error
        except UnicodeDecodeError as error:
            raise SimnetError(f"alist file {path}: got bytes that are no text; pass an alist file") from error
        self._number = 0

    def error(self, what: str) -> SimnetError:
        return SimnetError(f"{self._path}:{self._number}: {what}")

    def _next(self, what: str) -> list[int]:
        self._number += 1
        if self._number > len(self._lines):
            raise self.error(f"the file ends before the {what}; it may be cut short")
        words = self._lines[self._number - 1].split()
        for word in words:
            if not word.removeprefix("-").isdecimal():
                raise self.error(f"got {word!r} among the {what}; allowed whole numbers")
        return [int(word) for word in words]

    def numbers(self, count: int, what: str) -> list[int]:
        numbers = self._next(what)
        if len(numbers) != count:
            raise self.error(f"got {len(numbers)} numbers; need {count}: {what}")
        return numbers

    def weights(self, count: int, limit: int, of: str, n_places: int) -> list[int]:
        """The weights of ``count`` columns or rows, which have ``n_places`` places each."""
        weights = self.numbers(count, f"weights of the {of}s")
        if min(weights) < 0 or max(weights) > n_places:
            raise self.error(f"got {of} weights {min(weights)} ... {max(weights)}; allowed 0 ... {n_places}")
        if max(weights) != limit:
            raise self.error(f"got {of} weights up to {max(weights)}; line 2 says {limit}")
        return weights

    def places(self, weight: int, limit: int, of: str, n_places: int) -> NDArray[np.int64]:
        """Places of ``weight`` ones, counted from 0, in a list that may be filled up to ``limit``."""
        numbers = self._next(f"lists of {of}s")
        places, filling = numbers[:weight], numbers[weight:]
        if len(places) < weight or any(filling) or len(numbers) > limit:
            raise self.error(
                f"got {_spelled(numbers)}; need {weight} {of}s, then zeros up to {limit} numbers or nothing"
            )
        for place in places:
            if not 1 <= place <= n_places:
                raise self.error(f"got {of} {place}; allowed 1 ... {n_places}")
        if len(set(places)) < weight:
            raise self.error(f"got {_spelled(places)}; allowed each {of} once")
        return np.array(places, dtype=np.int64) - 1

    def end(self) -> None:
        for line in self._lines[self._number :]:
            self._number += 1
            if line.strip():
                raise self.error("got more lines than the matrix has lists; allowed nothing after the last row's")
