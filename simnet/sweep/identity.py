"""Names of runs by content: the same name only for the same scenario, code, models, libraries, device and settings."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import simnet
from simnet.core.package_files import files_digest, package_digest
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
    """SHA-256 over simnet's code and data files, and over which packages add which plug-ins, and their Python files."""
    root = Path(simnet.__file__).parent
    own = files_digest([path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts], root)
    entries = sorted((folder, *entry) for folder, kind in KINDS.items() for entry in kind.entries.items())
    packages = sorted({module.partition(".")[0] for _, _, module in entries})
    content = json.dumps([own, entries, [package_digest(package) for package in packages]])
    return hashlib.sha256(content.encode()).hexdigest()


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
    return files_digest([path for path in folder.iterdir() if path.is_file()], folder)
