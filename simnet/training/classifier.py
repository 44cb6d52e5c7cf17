"""Recipes of kind ``classifier``: a network of :mod:`simnet.tasks.networks`, one data set, cross-entropy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, JsonValue
from torch import Tensor
from torch.nn import functional as F

from simnet.core.plugins import KINDS
from simnet.data.base import ImageSet
from simnet.tasks.classification import Classification
from simnet.tasks.networks import build_network, load_network
from simnet.tasks.networks.base import Classifier
from simnet.tasks.similarity import recognition_rate
from simnet.training import cards, checkpoints, engine
from simnet.training.augmentation import Augmentation, Augmenter
from simnet.training.fitting import require_classes
from simnet.training.recipe import BaseRecipe, Strict
from simnet.training.run import TrainingRun

EVALUATION_BATCH = 500


class Network(Strict):
    """A network's name and the options that its class takes."""

    name: str
    options: dict[str, Any] = Field(default_factory=dict)


class ClassifierRecipe(BaseRecipe):
    """Keys of every recipe that trains a classifier network."""

    network: Network
    augmentation: Augmentation = Field(default_factory=Augmentation)
    label_smoothing: float = Field(default=0.0, ge=0.0, lt=1.0)


class Recipe(ClassifierRecipe):
    """``kind: classifier``."""

    kind: Literal["classifier"] = "classifier"
    data_set: str


class CrossEntropy:
    """The objective: mean cross-entropy of a network's logits over augmented training images."""

    def __init__(
        self,
        network: Classifier,
        train: ImageSet,
        test: ImageSet,
        recipe: ClassifierRecipe,
        device: torch.device,
    ) -> None:
        network.to(device)
        self.module: Classifier = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.n_items = len(train)
        self._test = test
        self._device = device
        self._labels = torch.tensor(train.labels, device=device)
        self._augmenter = Augmenter(train.images, recipe.augmentation)
        self._label_smoothing = recipe.label_smoothing

    def loss(self, indices: NDArray[np.int64], rng: np.random.Generator, done: float) -> Tensor:
        images = torch.from_numpy(self._augmenter.batch(indices, rng)).to(self._device) / 255
        logits = self.module(images)
        return F.cross_entropy(logits.float(), self._labels[indices], label_smoothing=self._label_smoothing)

    def evaluate(self) -> dict[str, float]:
        predicted = probabilities(self.module, self._test, self._device).argmax(axis=1)
        return {"test_accuracy": float((predicted == self._test.labels).mean())}


def run(recipe: Recipe, run: TrainingRun) -> None:
    """Train, then write ``weights.safetensors`` and ``card.yaml``."""
    data = KINDS["data"].load(recipe.data_set)()
    train_classifier(recipe, run, data.load("train", run.data_root), data.load("test", run.data_root))


def measure(recipe: Recipe, run: TrainingRun) -> dict[str, JsonValue]:
    """The card's figures, from the weights in the run's folder."""
    data = KINDS["data"].load(recipe.data_set)()
    return {
        **network_figures(run),
        "test": accuracy_figures(run, data.load("test", run.data_root)),
        "sample": accuracy_figures(run, data.load("sample")),
    }


def train_classifier(recipe: ClassifierRecipe, run: TrainingRun, train: ImageSet, test: ImageSet) -> None:
    """Fit a fresh network, save it, write its card."""
    network = engine.initialised(
        lambda: build_network(recipe.network.name, recipe.network.options), recipe.seed, recipe.network.name
    )
    require_classes(run, train, f"network {recipe.network.name}", network)
    fitted = engine.fit(CrossEntropy(network, train, test, recipe, engine.resolve_device(run.device)), recipe, run)
    save_classifier(run.out / "weights.safetensors", network, recipe.network)
    parameters = {"task": cards.n_values(network.parameters())}
    cards.conclude(recipe, run, fitted, (train, test), parameters)


def save_classifier(path: Path, network: Classifier, description: Network) -> None:
    """Write weights from which :func:`simnet.tasks.networks.load_network` rebuilds the network."""
    header = {"network": description.name, "options": json.dumps(description.options, sort_keys=True)}
    checkpoints.save_weights(path, network, header)


def probabilities(network: Classifier, images: ImageSet, device: torch.device) -> NDArray[np.float32]:
    """Class probabilities [N, K] of a set's images, float32 whatever the training's precision."""
    task = Classification(network)
    batches = (images.images[i : i + EVALUATION_BATCH] for i in range(0, len(images), EVALUATION_BATCH))
    with torch.no_grad():
        return torch.cat([task.infer(torch.tensor(b, device=device) / 255).cpu() for b in batches]).numpy()


def network_figures(run: TrainingRun) -> dict[str, JsonValue]:
    """What an inference costs and how long the feature vector is."""
    network = load_network(run.out / "weights.safetensors")
    return {
        "flops_per_image": Classification(network).flop_per_image,
        "n_features": network.head.in_features,
    }


def accuracy_figures(run: TrainingRun, images: ImageSet) -> dict[str, JsonValue]:
    """Accuracy with counts and 95 % interval, recall per class, how sure the network is of the truth."""
    device = engine.resolve_device(run.device)
    inferred = probabilities(load_network(run.out / "weights.safetensors").to(device), images, device)
    st = inferred[np.arange(len(images)), images.labels]
    hit = inferred.argmax(axis=1) == images.labels
    rate = recognition_rate(hit)
    return {
        "accuracy": round(rate.value, 5),
        "interval_95": [round(bound, 5) for bound in rate.interval],
        "n_correct": rate.n_hits,
        "n": rate.n,
        "mean_st": round(float(st.mean()), 5),
        "n_judge_sure": int((st >= Classification.sure_st).sum()),
        "recall": {c: round(float(hit[images.labels == k].mean()), 4) for k, c in enumerate(images.class_names)},
    }
