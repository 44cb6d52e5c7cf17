"""Names of runs by content: the same name only for the same scenario, code, models, libraries, device and settings."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import simnet
from simnet.core.plugins import KINDS
from simnet.core.versions import library_versions
from simnet.core.zoo import zoo_root
from simnet.scenario.checks import models
from simnet.scenario.load import FilePlace
from simnet.scenario.schema import Scenario

LENGTH = 20
"""Hexadecimal digits of a name: 80 bits."""
BLER_TABLES = "bler"


@dataclass(frozen=True)
class Settings:
    """What decides a run's rows besides its scenario.

    Args:
        warm_up: none, mser5 or seconds.
        keep: rows or records.
    """

    device: str
    warm_up: str | float
    keep: str


def run_ids(
    scenario: Scenario, seeds: tuple[int, ...], settings: Settings, named: Mapping[FilePlace, str]
) -> tuple[str, ...]:
    """The name of the run of each seed; ``named``: digests of the files that the scenario names."""
    data = scenario.model_dump(mode="json", exclude={"seed"})
    for (part, key), digest in named.items():
        data[part][key] = digest
    document = {
        "scenario": data,
        "code": code_digest(),
        "models": model_digests(scenario),
        "versions": versions(),
        "settings": [settings.device, settings.warm_up, settings.keep],
    }
    content = json.dumps(document).encode()  # in the scenario's order: that of arms and codecs shows in the rows
    return tuple(hashlib.sha256(b"%d\n%s" % (seed, content)).hexdigest()[:LENGTH] for seed in seeds)


@cache
def code_digest() -> str:
    """SHA-256 over simnet's code and data files, and those of plug-ins of other packages."""
    root = Path(simnet.__file__).parent
    own = _digest_of([path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts], root)
    groups = [f"simnet.{folder}" for folder in KINDS]
    modules = {entry.module for group in groups for entry in importlib.metadata.entry_points(group=group)}
    origins = {module: importlib.util.find_spec(module) for module in modules}
    found = {name: Path(spec.origin) for name, spec in origins.items() if spec is not None and spec.origin is not None}
    for name in sorted(found):
        own = hashlib.sha256(f"{own} {name} {_digest_of([found[name]], found[name].parent)}".encode()).hexdigest()
    return own


def versions() -> dict[str, str | None]:
    """Of Python and the libraries that results depend on."""
    return {"python": platform.python_version(), **library_versions()}


def model_digests(scenario: Scenario) -> dict[str, str]:
    """Model, or family of BLER tables, that the scenario needs -> SHA-256 over its files in the zoo; empty: none."""
    tables = {f"{BLER_TABLES}/{radio.code}" for radio in scenario.radios.values()}
    return zoo_digests([*models(scenario), *tables])


def zoo_digests(names: Iterable[str]) -> dict[str, str]:
    """Folder of the zoo -> SHA-256 over its files; empty where there is none."""
    folders = {name: zoo_root() / name for name in names}
    return {name: _folder_digest(folder) if folder.is_dir() else "" for name, folder in sorted(folders.items())}


def different(ours: Mapping[str, object], theirs: Mapping[str, object]) -> list[str]:
    """``torch 2.4 (here 2.5)`` for every name of which the other side has something else."""
    return [
        f"{name} {theirs.get(name)} (here {ours.get(name)})"
        for name in sorted({*ours, *theirs})
        if ours.get(name) != theirs.get(name)
    ]


@cache
def _folder_digest(folder: Path) -> str:
    return _digest_of([path for path in folder.iterdir() if path.is_file()], folder)


def _digest_of(paths: list[Path], root: Path) -> str:
    """Over names relative to the root, sizes and contents."""
    total = hashlib.sha256()
    for path in sorted(paths):
        content = path.read_bytes()
        total.update(f"{path.relative_to(root).as_posix()} {len(content)}\n".encode())
        total.update(content)
    return total.hexdigest()
