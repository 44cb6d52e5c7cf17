"""The Python files of an installed package: their content says with which version of a plug-in a run was made."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterable
from pathlib import Path


def package_digest(module: str) -> str:
    """SHA-256 over all Python files of the module's top-level package, its helpers too; over none if it isn't there.

    Nothing is imported.
    """
    spec = importlib.util.find_spec(module.partition(".")[0])
    total = hashlib.sha256()
    if spec is not None and spec.submodule_search_locations is not None:
        for folder in map(Path, spec.submodule_search_locations):
            total.update(files_digest([path for path in folder.rglob("*.py") if path.is_file()], folder).encode())
    elif spec is not None and spec.origin is not None and Path(spec.origin).is_file():
        total.update(files_digest([Path(spec.origin)], Path(spec.origin).parent).encode())
    return total.hexdigest()


def files_digest(paths: Iterable[Path], root: Path) -> str:
    """SHA-256 over names relative to the root, sizes and contents, in the order of paths."""
    total = hashlib.sha256()
    for path in sorted(paths):
        content = path.read_bytes()
        total.update(f"{path.relative_to(root).as_posix()} {len(content)}\n".encode())
        total.update(content)
    return total.hexdigest()
