"""Recipes of kind ``detector``: objects as points (losses of Zhou et al., "Objects as points", 2019, (1) and (3))."""

from __future__ import annotations

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
from simnet.data.street_classes import STREET_CLASSES
from simnet.tasks.boxes import Boxes, average_precision, boxes_of_regions, mean_average_precision
from simnet.tasks.detection import boxes_of
from simnet.tasks.flops import flop_per_image
from simnet.tasks.networks.detector import DETECTED, STRIDE, Detector, load_detector
from simnet.training import cards, checkpoints, engine, measured_on
from simnet.training.crops import Cropper, Crops
from simnet.training.recipe import BaseRecipe
from simnet.training.run import TrainingRun

BATCH = 16
N_RESAMPLES = 500
LABELS = [STREET_CLASSES.index(name) for name in DETECTED]


class Recipe(BaseRecipe):
    """``kind: detector``."""

    kind: Literal["detector"] = "detector"
    width: Annotated[int, Field(ge=2, le=128)] = 24
    data_set: str
    train_on: tuple[Split, ...] = ("train",)
    measure_on: tuple[str, ...] = Field(min_length=1)
    crops: Crops = Field(default_factory=Crops)
    size_weight: Annotated[float, Field(ge=0)] = 1.0
    """Of the error in the logarithms of height and width, and in the middle's place."""


class PointsAndSizes:
    """The objective."""

    def __init__(
        self, network: Detector, train: list[ImageSet], test: ImageSet, recipe: Recipe, device: torch.device
    ) -> None:
        network.to(device)
        self.module: Detector = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._cropper = Cropper(train, recipe.crops)
        self.n_items = len(self._cropper)
        self._test, self._recipe, self._device = test, recipe, device

    def loss(self, indices: NDArray[np.int64], rng: np.random.Generator, done: float) -> Tensor:
        images, labels = self._cropper.batch(indices, rng, self._device)
        images = images.contiguous(memory_format=torch.channels_last)
        return detection_loss(self.module, images, labels, self._recipe.size_weight)

    def evaluate(self) -> dict[str, float]:
        found, truth = detections(self.module, self._test, self._device)
        return {"test_map": mean_average_precision(found, truth, len(DETECTED))}


def detection_loss(network: Detector, images: Tensor, labels: Tensor, size_weight: float) -> Tensor:
    """Focal loss of objects' middles and, ``size_weight`` of it, the error in place and logarithmic size.

    Args:
        images: [B, 3, H, W].
        labels: [B, H, W], of street scenes.
    """
    boxes = [boxes_of_regions(own, LABELS) for own in labels.cpu().numpy()]
    logits, geometry = network(images)
    size = (logits.shape[2], logits.shape[3])
    loss = focal_loss(logits.float(), heat_maps(boxes, size).to(logits.device))
    picture, place, wanted = middles(boxes, size)
    if len(place):
        got = geometry.float().flatten(2)[picture, :, place]
        loss = loss + size_weight * F.l1_loss(got, wanted.to(logits.device))
    return loss


def heat_maps(boxes: list[Boxes], size: tuple[int, int]) -> Tensor:
    """[B, 4, h, w]: 1 at objects' middles, a Gaussian around each with σ a sixth of the box, at least 0.7 places."""
    maps = np.zeros((len(boxes), len(DETECTED), *size), np.float32)
    rows, columns = np.arange(size[0])[:, None], np.arange(size[1])[None]
    for picture, own in zip(maps, boxes, strict=True):
        for left, top, right, bottom, label, _ in own:
            y, x = _place((top + bottom) / 2, size[0]), _place((left + right) / 2, size[1])
            sigma = [max(0.7, side / STRIDE / 6) for side in (bottom - top, right - left)]
            near = np.exp(-(((rows - y) / sigma[0]) ** 2 + ((columns - x) / sigma[1]) ** 2) / 2)
            np.maximum(picture[int(label)], near, out=picture[int(label)])
    return torch.from_numpy(maps)


def middles(boxes: list[Boxes], size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Of all objects: the picture [N], the place in its map [N], and what :class:`Detector` says there [N, 4]."""
    picture, place, wanted = [], [], []
    for index, own in enumerate(boxes):
        for left, top, right, bottom, *_ in own:
            y, x = (top + bottom) / 2, (left + right) / 2
            row, column = _place(y, size[0]), _place(x, size[1])
            picture.append(index)
            place.append(row * size[1] + column)
            wanted.append((y / STRIDE - row, x / STRIDE - column, np.log(bottom - top), np.log(right - left)))
    targets = torch.tensor(np.array(wanted, np.float32).reshape(-1, 4))
    return torch.tensor(picture, dtype=torch.int64), torch.tensor(place, dtype=torch.int64), targets


def _place(position: float, n: int) -> int:
    """Index of the map's place in which a pixel position lies."""
    return min(n - 1, int(position / STRIDE))


def focal_loss(logits: Tensor, heat: Tensor) -> Tensor:
    """(1) with α = 2, β = 4, per object: middles are to be sure, places near them are blamed less."""
    log_p, log_q = F.logsigmoid(logits), F.logsigmoid(-logits)
    is_middle = heat == 1
    at_middles = (1 - logits.sigmoid()).square() * log_p
    elsewhere = (1 - heat) ** 4 * logits.sigmoid().square() * log_q
    return -torch.where(is_middle, at_middles, elsewhere).sum() / is_middle.sum().clamp(min=1)


@torch.no_grad()
def detections(network: Detector, images: ImageSet, device: torch.device) -> tuple[list[Boxes], list[Boxes]]:
    """What is found in a set's pictures, and what is there."""
    found: list[Boxes] = []
    for batch in torch.split(torch.tensor(images.images), BATCH):
        found += boxes_of(network.detect(batch.to(device).float() / 255))
    return found, [boxes_of_regions(labels, LABELS) for labels in images.labels]


def run(recipe: Recipe, run: TrainingRun) -> None:
    """Train, then write ``weights.safetensors`` and ``card.yaml``."""
    data = KINDS["data"].load(recipe.data_set)()
    train = [data.load(split, run.data_root) for split in recipe.train_on]
    test = measured_on.first_of(recipe.measure_on, run)
    network = engine.initialised(lambda: Detector(width=recipe.width), recipe.seed, "detector")
    objective = PointsAndSizes(network, train, test, recipe, engine.resolve_device(run.device))
    fitted = engine.fit(objective, recipe, run)
    checkpoints.save_weights(run.out / "weights.safetensors", network.half(), {"width": str(recipe.width)})
    cards.conclude(recipe, run, fitted, (*train, test), {"task": cards.n_values(network.parameters())})


def measure(recipe: Recipe, run: TrainingRun) -> dict[str, JsonValue]:
    """The card's figures, from the weights in the run's folder."""
    device = engine.resolve_device(run.device)
    network = load_detector(run.out / "weights.safetensors").to(device)
    figures: dict[str, JsonValue] = {}
    for name in recipe.measure_on:
        data = KINDS["data"].load(name)()
        figures[name] = {
            "flops_per_image": flop_per_image(network, data.image_shape),
            **{
                s: _figures(*detections(network, data.load(s, run.data_root), device)) for s in measured_on.splits(data)
            },
        }
    return figures


def _figures(found: list[Boxes], truth: list[Boxes]) -> dict[str, JsonValue]:
    """mAP at an overlap of one half with a bootstrap interval over the pictures, and AP per class."""
    rng, n = streams.generator(0, "bootstrap", "detector", len(truth)), len(truth)
    scores = []
    for _ in range(N_RESAMPLES):
        drawn = rng.integers(0, n, n)
        scores.append(mean_average_precision([found[i] for i in drawn], [truth[i] for i in drawn], len(DETECTED)))
    low, high = np.quantile(scores, [0.025, 0.975])
    return {
        "map_50": round(mean_average_precision(found, truth, len(DETECTED)), 5),
        "interval_95": [round(float(low), 5), round(float(high), 5)],
        "n": n,
        "boxes": sum(map(len, truth)),
        "ap_50": {name: round(average_precision(found, truth, i), 4) for i, name in enumerate(DETECTED)},
    }
