"""Recipes of kind ``source_id``: a tiny network that tells sources apart (AESC-I's source identification)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, JsonValue, field_validator

from simnet.core.plugins import KINDS
from simnet.data.base import ImageSet, Labels, Split, content_hash
from simnet.tasks.networks import load_network
from simnet.tasks.source_identification import SOURCES, to_source_input
from simnet.training import engine
from simnet.training.classifier import (
    ClassifierRecipe,
    accuracy_figures,
    network_figures,
    probabilities,
    train_classifier,
)
from simnet.training.recipe import Strict
from simnet.training.run import TrainingRun


class Source(Strict):
    """One kind of source: a data set, or some of its labels."""

    data_set: str
    labels: tuple[int, ...] | None = None
    """None: all."""


class Recipe(ClassifierRecipe):
    """``kind: source_id``; names each of :data:`simnet.tasks.source_identification.SOURCES`."""

    kind: Literal["source_id"] = "source_id"
    sources: dict[Literal[SOURCES], Source]  # type: ignore[valid-type]
    n_train_per_source: Annotated[int, Field(ge=1)]
    """The first so many training images of each, so that no source outweighs another by far."""

    @field_validator("sources")
    @classmethod
    def _all_named(cls, sources: dict[str, Source]) -> dict[str, Source]:
        if missing := [name for name in SOURCES if name not in sources]:
            raise ValueError(f"missing: {', '.join(missing)}")
        return sources


def run(recipe: Recipe, run: TrainingRun) -> None:
    """Train, then write ``weights.safetensors`` and ``card.yaml``."""
    train_classifier(recipe, run, _images(recipe, "train", run.data_root), _images(recipe, "test", run.data_root))


def measure(recipe: Recipe, run: TrainingRun) -> dict[str, JsonValue]:
    """The card's figures, from the weights in the run's folder."""
    test = _images(recipe, "test", run.data_root)
    device = engine.resolve_device(run.device)
    network = load_network(run.out / "weights.safetensors").to(device)
    return {
        **network_figures(run),
        "test": accuracy_figures(run, test),
        "sample": accuracy_figures(run, _images(recipe, "sample", None)),
        "test_confusion": confusion(test.labels, probabilities(network, test, device).argmax(axis=1)),
    }


def confusion(truth: Labels, answer: NDArray[np.int64]) -> dict[str, JsonValue]:
    """True source -> answered source -> number of images."""
    return {
        s: {a: int(((truth == i) & (answer == j)).sum()) for j, a in enumerate(SOURCES)} for i, s in enumerate(SOURCES)
    }


def _images(recipe: Recipe, split: Split, data_root: Path | None) -> ImageSet:
    """The images of all sources in one set, labelled by source."""
    parts = []
    for name in SOURCES:
        source = recipe.sources[name]
        whole = KINDS["data"].load(source.data_set)().load(split, data_root)
        images = whole.images if source.labels is None else whole.images[np.isin(whole.labels, source.labels)]
        parts.append(images[: recipe.n_train_per_source] if split == "train" else images)
    images = np.concatenate([to_source_input(torch.tensor(part)).numpy() for part in parts])
    labels = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return ImageSet("sources", split, images, labels, SOURCES, content_hash(images, labels))
