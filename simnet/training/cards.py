"""Model cards: what a model was made from, and what was measured of it (``card.yaml``)."""

from __future__ import annotations

import importlib.metadata
import math
import platform
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
import yaml
from pydantic import JsonValue, ValidationError

from simnet.core.errors import SimnetError
from simnet.data.base import ImageSet
from simnet.training import engine
from simnet.training.checkpoints import write_atomically
from simnet.training.engine import Fitted
from simnet.training.recipe import BaseRecipe, Strict, kind_module
from simnet.training.run import TrainingRun

LIBRARIES = ("torch", "numpy", "safetensors", "pillow")


class DataUsed(Strict):
    """One split of one data set that training or measuring saw."""

    n: int
    sha256: str
    """Over shape, pixels and labels (:func:`simnet.data.base.content_hash`)."""


class Training(Strict):
    """How the weights came about."""

    recipe_sha256: str
    commit: str | None
    """``git describe --always --dirty`` of the checkout; None outside one."""
    epochs: int
    device: str
    threads: int
    wall_s: float
    libraries: dict[str, str]


class Card(Strict):
    """The content of a ``card.yaml``.

    ``measured`` is rewritten by :func:`simnet.training.measure`; figures in it carry their counts.
    """

    model: str
    kind: str
    training: Training
    data: dict[str, DataUsed]
    """``<set>/<split>`` -> what it was."""
    parameters: dict[str, int]
    """Slice role (``encoder``, ``decoder``, ``task`` …) -> number of trained parameters."""
    measured: dict[str, JsonValue]
    notes: tuple[str, ...] = ()


def training_facts(recipe: BaseRecipe, run: TrainingRun, fitted: Fitted) -> Training:
    """What is to be said of a training that has just ended in this process."""
    return Training(
        recipe_sha256=recipe.digest(),
        commit=_commit(run.recipe_path.resolve().parent),
        epochs=fitted.epochs,
        device=_device_words(run.device),
        threads=torch.get_num_threads(),
        wall_s=round(fitted.wall_s, 1),
        libraries={"python": platform.python_version()} | {k: importlib.metadata.version(k) for k in LIBRARIES},
    )


def data_used(*sets: ImageSet) -> dict[str, DataUsed]:
    """Number of images and content hash per ``<set>/<split>``."""
    return {f"{s.name}/{s.split}": DataUsed(n=len(s), sha256=s.sha256) for s in sets}


def model_name(run: TrainingRun) -> str:
    """``<family>/<name>`` of the recipe's folder."""
    folder = run.recipe_path.resolve().parent
    return f"{folder.parent.name}/{folder.name}"


def measure(recipe: BaseRecipe, run: TrainingRun) -> dict[str, JsonValue]:
    """The figures of a trained model, measured anew from the files in the run's folder; None for what its pictures
    don't have, such as the AP of a class without boxes."""
    measured: dict[str, JsonValue] = kind_module(recipe.kind).measure(recipe, run)
    return {key: _known(value) for key, value in measured.items()}


def _known(value: Any) -> JsonValue:
    """The value with None in place of every NaN, which JSON doesn't know."""
    if isinstance(value, dict):
        return {key: _known(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_known(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def conclude(
    recipe: BaseRecipe, run: TrainingRun, fitted: Fitted, data: Iterable[ImageSet], parameters: dict[str, int]
) -> None:
    """Measure what a training has left in its folder, write its card, and delete its checkpoints.

    Args:
        data: what training and measuring saw.
        parameters: slice role -> number of trained parameters.
    """
    write_card(
        run.out,
        Card(
            model=model_name(run),
            kind=recipe.kind,
            training=training_facts(recipe, run, fitted),
            data=data_used(*data),
            parameters=parameters,
            measured=measure(recipe, run),
            notes=recipe.notes,
        ),
    )
    engine.finish(run)


def write_card(folder: Path, card: Card) -> None:
    """Write ``card.yaml``."""
    text = yaml.safe_dump(card.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=110)
    write_atomically(folder / "card.yaml", text.encode())


def read_card(folder: Path) -> Card:
    """The card of a model's folder.

    Raises:
        SimnetError: there is none, or it isn't a card.
    """
    path = folder / "card.yaml"
    try:
        return Card.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        raise SimnetError(f"{path}: not a readable card ({error}); train the model with 'simnet train'") from error


def n_values(tensors: Iterable[torch.Tensor]) -> int:
    """Number of values in all."""
    return sum(t.numel() for t in tensors)


def _commit(folder: Path) -> str | None:
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _device_words(device: str) -> str:
    if device == "cuda":
        return f"cuda ({torch.cuda.get_device_name()})"
    return f"cpu ({platform.machine()}, {torch.backends.cpu.get_cpu_capability()})"
