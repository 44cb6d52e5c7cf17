"""Recipes of kind ``segmenter``: a network of :mod:`simnet.tasks.networks` that labels every pixel."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, JsonValue
from torch import Tensor
from torch.nn import functional as F

from simnet.core import streams
from simnet.core.plugins import KINDS
from simnet.data.base import ImageSet, Split
from simnet.tasks.flops import flop_per_image
from simnet.tasks.intersection import confusion, iou, mean_iou
from simnet.tasks.networks import build_segmenter, load_segmenter
from simnet.tasks.networks.segmenter import Segmenter
from simnet.training import cards, checkpoints, engine, measured_on
from simnet.training.classifier import Network
from simnet.training.crops import Cropper, Crops
from simnet.training.recipe import BaseRecipe
from simnet.training.run import TrainingRun

EVALUATION_BATCH = 16
N_RESAMPLES = 1000


class Recipe(BaseRecipe):
    """``kind: segmenter``."""

    kind: Literal["segmenter"] = "segmenter"
    network: Network
    data_set: str
    """Whose pictures the crops are cut from."""
    train_on: tuple[Split, ...] = ("train",)
    measure_on: tuple[str, ...] = Field(min_length=1)
    """Data sets on whose test pictures the card's figures are measured."""
    crops: Crops = Field(default_factory=Crops)
    balance: Annotated[float, Field(ge=0, le=1)] = 0.5
    """A class counts by its share of the pixels to the power of minus this: 0 as often as it is seen, 1 all alike."""


class PixelCrossEntropy:
    """The objective: cross-entropy of labelled pixels, rare classes weighted up."""

    def __init__(
        self, network: Segmenter, train: list[ImageSet], test: ImageSet, recipe: Recipe, device: torch.device
    ) -> None:
        network.to(device)
        self.module: Segmenter = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._cropper = Cropper(train, recipe.crops)
        self.n_items = len(self._cropper)
        self._test, self._device = test, device
        self._weights = class_weights(train, network.n_classes, recipe.balance).to(device)

    def loss(self, indices: NDArray[np.int64], rng: np.random.Generator, done: float) -> Tensor:
        images, labels = self._cropper.batch(indices, rng, self._device)
        logits = self.module(images.contiguous(memory_format=torch.channels_last))
        return F.cross_entropy(logits.float(), labels, weight=self._weights, ignore_index=self.module.n_classes)

    def evaluate(self) -> dict[str, float]:
        return {"test_miou": float(mean_iou(confusions(self.module, self._test, self._device).sum(0)))}


def class_weights(train: Sequence[ImageSet], n_classes: int, balance: float) -> Tensor:
    """[K] float32: each class's share of the labelled pixels to the power of −``balance``, of mean 1 over pixels.

    A class that is nowhere has 0.
    """
    counts = np.sum([np.bincount(s.labels.ravel(), minlength=n_classes + 1) for s in train], axis=0)
    shares: NDArray[np.float64] = counts[:n_classes] / counts[:n_classes].sum()
    weights = np.where(shares > 0, shares.clip(min=1e-12) ** -balance, 0.0)
    return torch.tensor(weights / (weights * shares).sum(), dtype=torch.float32)


def run(recipe: Recipe, run: TrainingRun) -> None:
    """Train, then write ``weights.safetensors`` and ``card.yaml``."""
    data = KINDS["data"].load(recipe.data_set)()
    train = [data.load(split, run.data_root) for split in recipe.train_on]
    test = measured_on.first_of(recipe.measure_on, run)
    description = recipe.network
    network = engine.initialised(
        lambda: build_segmenter(description.name, description.options), recipe.seed, description.name
    )
    objective = PixelCrossEntropy(network, train, test, recipe, engine.resolve_device(run.device))
    fitted = engine.fit(objective, recipe, run)
    header = {"network": description.name, "options": json.dumps(description.options, sort_keys=True)}
    checkpoints.save_weights(run.out / "weights.safetensors", network, header)
    parameters = {"task": cards.n_values(network.parameters())}
    cards.conclude(recipe, run, fitted, (*train, test), parameters)


def measure(recipe: Recipe, run: TrainingRun) -> dict[str, JsonValue]:
    """The card's figures, from the weights in the run's folder."""
    device = engine.resolve_device(run.device)
    network = load_segmenter(run.out / "weights.safetensors").to(device)
    figures: dict[str, JsonValue] = {}
    for name in recipe.measure_on:
        data = KINDS["data"].load(name)()
        figures[name] = {
            "flops_per_image": flop_per_image(network, data.image_shape),
            **{s: _figures(network, data.load(s, run.data_root), device) for s in measured_on.splits(data)},
        }
    return figures


def _figures(network: Segmenter, images: ImageSet, device: torch.device) -> dict[str, JsonValue]:
    """mIoU of the set with a bootstrap interval over its pictures, pixel accuracy, IoU per class."""
    matrices = confusions(network, images, device)
    whole = matrices.sum(0)
    draws = streams.generator(0, "bootstrap", images.sha256).integers(0, len(images), (N_RESAMPLES, len(images)))
    scores = torch.stack([mean_iou(matrices[torch.from_numpy(draw)].sum(0)) for draw in draws]).numpy()
    low, high = np.quantile(scores, [0.025, 0.975])
    return {
        "miou": round(float(mean_iou(whole)), 5),
        "interval_95": [round(float(low), 5), round(float(high), 5)],
        "n": len(images),
        "mean_miou_per_image": round(float(mean_iou(matrices).mean()), 5),
        "pixel_accuracy": round(float(whole.diagonal().sum() / whole.sum()), 5),
        "iou": {name: round(float(v), 4) for name, v in zip(images.class_names, iou(whole), strict=False)},
    }


@torch.no_grad()
def confusions(network: Segmenter, images: ImageSet, device: torch.device) -> Tensor:
    """[N, K, K] int64 of a set's pictures, on the CPU."""
    found = []
    for start in range(0, len(images), EVALUATION_BATCH):
        batch = torch.tensor(images.images[start : start + EVALUATION_BATCH], device=device).float() / 255
        truth = torch.tensor(images.labels[start : start + EVALUATION_BATCH], device=device)
        found.append(confusion(network(batch).argmax(1), truth, network.n_classes).cpu())
    return torch.cat(found)
