"""Where output goes: asked before the work that makes it, whole or not at all after it."""

from __future__ import annotations

import os
import platform
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from simnet.core.errors import SimnetError

PARTIAL = ".partial"
OWNER = f"{PARTIAL}.owner"
"""How the file ends that lies beside a partial folder, and is locked as long as the process lives that writes it."""


def made_folder(path: Path, option: str = "--out") -> Path:
    """A folder that can be written into, made if it isn't there.

    Args:
        option: by which the user names it.

    Raises:
        SimnetError: it can't be made, or nothing can be written into it.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return path
    except OSError as error:
        raise SimnetError(
            f"{path}: nothing can be written there ({error.strerror or error}); choose another with {option}"
        ) from error


def file_to_write(path: Path, option: str = "--out") -> Path:
    """A file's path whose folder can be written into, see :func:`made_folder`.

    Raises:
        SimnetError: that it can't be, or the path is a folder's, or a file's that may not be changed.
    """
    if path.is_dir():
        raise SimnetError(f"{path}: is a folder; name a file with {option}")
    made_folder(path.parent, option)
    if path.exists() and not os.access(path, os.W_OK):
        raise SimnetError(f"{path}: may not be written; choose another with {option}")
    return path


@contextmanager
def partial_folder(path: Path) -> Iterator[Path]:
    """A new folder beside ``path``, to be renamed when it is whole; what is left of it is removed at the end."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}{PARTIAL}")  # another run may be writing the same
    owner = partial.with_name(partial.name.removesuffix(PARTIAL) + OWNER)
    with owner.open("w", encoding="utf-8") as file:
        try:
            if _locked(file, waits=True):  # else it names no host, and nobody takes it for abandoned
                file.write(_host())
                file.flush()
            partial.mkdir()
            yield partial
        finally:
            _remove(partial, owner)


def remove_abandoned(folder: Path) -> None:
    """Remove the partial folders of processes of this machine that have died, and of no other."""
    for owner in folder.glob(f".*{OWNER}"):
        try:
            with owner.open("r+", encoding="utf-8") as file:
                if _locked(file, waits=False) and file.read() == _host():
                    _remove(owner.with_name(owner.name.removesuffix(OWNER) + PARTIAL), owner)
        except OSError:  # it has just gone, or it is somebody else's
            continue


def _locked(file: TextIO, *, waits: bool) -> bool:
    """Lock a file until it is closed or the process dies; whether that could be done."""
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
    except OSError:
        return False
    return True


def _host() -> str:
    """Names this machine: on a shared file system a lock may be seen by its own machine only."""
    try:
        id_ = Path("/etc/machine-id").read_text(encoding="utf-8").strip()
    except OSError:
        id_ = ""
    return f"{platform.node()} {id_}"


def _remove(partial: Path, owner: Path) -> None:
    shutil.rmtree(partial, ignore_errors=True)
    if not os.path.lexists(partial):
        owner.unlink(missing_ok=True)
