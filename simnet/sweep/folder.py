"""The folder of a sweep: finished runs by name, failed ones, results; nothing half-written ever looks whole."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
import pyarrow.parquet

from simnet.core.errors import SimnetError
from simnet.core.folders import made_folder
from simnet.sweep.job import Failed, Finished

PARTIAL = ".partial-"
RECORDS = "records"
META = {"wall_s", "cpu", "device", "settled", RECORDS}
"""What a finished run's ``meta.json`` has; ``records``: the size of each of its files there, in bytes."""


class SweepFolder:
    """``<out>/<name>/`` with ``runs/<id>/``, ``failed/<id>/``, ``results.parquet``, ``sweep.json``.

    Args:
        path: the folder; made when something is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rows: dict[str, pd.DataFrame] = {}

    @contextmanager
    def locked(self) -> Iterator[None]:
        """No other process writes into the folder meanwhile; what one that died has left half-written is removed.

        Raises:
            SimnetError: another sweep is at work in the folder, or nothing can be written there.
        """
        import fcntl

        made_folder(self.path)
        with open(self.path / ".lock", "w", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise SimnetError(
                    f"{self.path}: another 'simnet sweep' is writing there; wait for it, or give another --out"
                ) from None
            self._clear()
            self.scratch.mkdir()
            try:
                yield
            finally:
                self._clear()

    @property
    def scratch(self) -> Path:
        """A place for what nobody misses; only while the folder is locked."""
        return self.path / f"{PARTIAL}scratch"

    def _clear(self) -> None:
        for each in [*self.path.glob(f"{PARTIAL}*"), *self.path.glob(f"*/{PARTIAL}*")]:
            _remove(each)

    def run(self, id_: str) -> Path:
        """Folder of a run, finished or not."""
        return self.path / "runs" / id_

    def finished(self, id_: str) -> bool:
        """Whether a run's rows are there, and whole, and what is known of them; of its records, whether each is there
        and as long as it was."""
        try:
            meta = self.meta(id_)
            return not self.rows(id_).empty and meta.keys() >= META and self._has_records(id_, meta[RECORDS])
        except (OSError, ValueError, AttributeError, pyarrow.ArrowException):
            return False

    def _has_records(self, id_: str, n_byte: Mapping[str, int]) -> bool:
        folder = self.run(id_) / RECORDS
        return all((folder / name).stat().st_size == n for name, n in n_byte.items())

    def rows(self, id_: str) -> pd.DataFrame:
        """Metrics of a finished run, one row per arm and source type."""
        if id_ not in self._rows:
            table = pyarrow.parquet.read_table(self.run(id_) / "rows.parquet", partitioning=None)
            self._rows[id_] = table.to_pandas()
        return self._rows[id_]

    def meta(self, id_: str) -> dict[str, Any]:
        """What a finished run's ``meta.json`` says."""
        content: dict[str, Any] = json.loads((self.run(id_) / "meta.json").read_text(encoding="utf-8"))
        return content

    def n_byte(self, id_: str) -> int:
        """Bytes that a finished run takes on disk."""
        return sum(path.stat().st_size for path in self.run(id_).rglob("*") if path.is_file())

    def keep(self, id_: str, run: Finished) -> None:
        """Write a finished run; it is there whole or not at all."""
        files = {f"{RECORDS}/{name}": content for name, content in run.records.items()}
        sizes = {name: len(content) for name, content in run.records.items()}
        files |= {"meta.json": _json({**run.meta, RECORDS: sizes}), "rows.parquet": run.rows}
        self._appear(self.run(id_), files)
        self.forgive(id_)

    def fail(self, id_: str, scenario: str, failed: Failed) -> None:
        """Write what a failed run was to do, and why it did not."""
        files = {"scenario.yaml": scenario.encode(), "traceback.txt": failed.traceback.encode()}
        self._appear(self.path / "failed" / id_, files)

    def forgive(self, id_: str) -> None:
        """Forget an earlier failure."""
        _remove(self.path / "failed" / id_)

    def write(self, name: str, content: bytes) -> None:
        """Replace one of the sweep's own files at once."""
        partial = self.path / f"{PARTIAL}{name}"
        _write(partial, content)
        partial.replace(self.path / name)

    def _appear(self, target: Path, files: Mapping[str, bytes]) -> None:
        partial = target.with_name(f"{PARTIAL}{target.name}")
        _remove(partial)
        for name, content in files.items():
            path = partial / name
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, content)
        _remove(target)
        partial.rename(target)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=1) + "\n").encode()
