"""Where output goes, asked before the work that makes it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from simnet.core.errors import SimnetError


def made_folder(path: Path) -> Path:
    """A folder that can be written into, made if it isn't there.

    Raises:
        SimnetError: it can't be made, or nothing can be written into it.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return path
    except OSError as error:
        raise SimnetError(
            f"{path}: nothing can be written there ({error.strerror or error}); choose another with --out"
        ) from error


def file_to_write(path: Path) -> Path:
    """A file's path whose folder can be written into, see :func:`made_folder`.

    Raises:
        SimnetError: that it can't be, or the path is a folder's.
    """
    if path.is_dir():
        raise SimnetError(f"{path}: is a folder; name a file with --out")
    made_folder(path.parent)
    return path
