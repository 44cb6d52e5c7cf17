"""Where the zoo of trained slices lies: ``models/<family>/<name>/``."""

from __future__ import annotations

import os
from pathlib import Path

from simnet.core.errors import SimnetError, UnknownName


def zoo_root() -> Path:
    """The zoo's folder: $SIMNET_ZOO if set, else ``models/`` beside the package.

    Raises:
        SimnetError: there is no such folder.
    """
    override = os.environ.get("SIMNET_ZOO")
    root = Path(override) if override else Path(__file__).resolve().parents[2] / "models"
    if not root.is_dir():
        raise SimnetError(f"model zoo: no folder {root}; set SIMNET_ZOO to the 'models' folder of a simnet checkout")
    return root


def version_name(name: str, version: int) -> str:
    """Name in the zoo of a version of a model: the first bears the model's own, the others end in ``.v2``, ``.v3`` …"""
    return name if version == 1 else f"{name}.v{version}"


def model_dir(name: str) -> Path:
    """Folder of the model ``<family>/<name>``, e.g. ``aesc/digits_z40``.

    Raises:
        UnknownName: no such model; the message lists those of the zoo.
    """
    root = zoo_root()
    known = sorted(str(p.parent.relative_to(root)) for p in root.glob("*/*/train.yaml"))
    if name not in known:
        raise UnknownName("model", name, known, hint="simnet models")
    return root / name
