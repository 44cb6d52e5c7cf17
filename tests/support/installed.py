"""Packages as pip would have installed them, which add plug-ins by entry points."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def installed(site: Path, package: str, entry_points: Mapping[str, str], files: Mapping[str, str]) -> Path:
    """A package of version 1 below ``site``, which must lie on the path.

    Args:
        entry_points: ``simnet.store`` -> ``lru = mypackage.biggest``, a line each.
        files: name below the package -> text.
    """
    about = site / f"{package}-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n", encoding="utf-8")
    text = "".join(f"[{group}]\n{lines}\n" for group, lines in entry_points.items())
    (about / "entry_points.txt").write_text(text, encoding="utf-8")
    for name, content in {"__init__.py": "", **files}.items():
        file = site / package / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    return site / package
