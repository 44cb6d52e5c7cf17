"""Recipes of kind ``sesc_importance``: what tells how much a feature matters to one task (paper 002, Table I).

The codec stays as it is: a node with another task needs this model only. ``network`` learns from what the task's own
network loses on pictures of which features below a random μ weren't sent: each counts by 0 or 1 forwards, by a steep
sigmoid backwards, and costs a price. ``entropy`` learns the density of the features, and no task.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, JsonValue, model_validator
from torch import Tensor

from simnet.codecs.networks.sesc import Importance, Sesc, load_sesc, most_important
from simnet.codecs.networks.sesc_importance import (
    By,
    EntropyModel,
    ImportanceHead,
    ImportanceModel,
    load_importance,
    pack_importance,
    weights_by,
)
from simnet.core import streams
from simnet.core.errors import SimnetError
from simnet.core.plugins import KINDS
from simnet.core.zoo import model_dir
from simnet.data.base import ImageSet, Split
from simnet.phy.learned.esno import EsnoRange
from simnet.tasks.networks.task_network import TaskNetwork, load_task_network
from simnet.training import cards, checkpoints, engine
from simnet.training.crops import Cropper, Crops
from simnet.training.esno import Esno
from simnet.training.recipe import BaseRecipe
from simnet.training.run import TrainingRun
from simnet.training.sesc import recovery, soft_above
from simnet.training.task_losses import TaskLoss, judged_by, loss_of

CURVE_DB = 10.0
N_CURVE_IMAGES = 40
OF_NETWORKS = ("task", "threshold", "price", "size_weight", "balance", "esno")
Share = Annotated[float, Field(ge=0, le=1)]


class Recipe(BaseRecipe):
    """``kind: sesc_importance``."""

    kind: Literal["sesc_importance"] = "sesc_importance"
    codec: str
    """Zoo name of the SE-SC model, which stays as it is."""
    importance: By = "network"
    width: Annotated[int, Field(ge=2, le=256)] = 32
    task: str | None = None
    """Of importance ``network``, as are the next five. Zoo name of a detector or a segmentation network: its features
    are what the network reads, its loss what it learns from. Never the judge."""
    threshold: tuple[Share, Share] = (0.1, 0.7)
    """Lowest and highest μ in training."""
    price: Annotated[float, Field(ge=0)] = 1.0
    """Of sending all features of an image, beside the task's loss."""
    size_weight: Annotated[float, Field(ge=0)] = 1.0
    """Of a detector's errors in place and size, beside those of where objects are."""
    balance: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Of segmentation: as in the recipes of its networks."""
    esno: Esno | None = None
    data_set: str
    train_on: tuple[Split, ...] = ("train", "val")
    measure_on: str
    crops: Crops = Field(default_factory=Crops)
    judge: str
    """Zoo name of the detector or segmentation network that measures."""
    measure_at_db: tuple[float, ...] = (0.0, 5.0, 10.0, 20.0)
    shares: tuple[Annotated[float, Field(gt=0, le=1)], ...] = (0.25, 0.5, 0.75, 1.0)
    """Of the features, sent by importance, that the card is measured at."""

    @model_validator(mode="after")
    def _of_networks(self) -> Self:
        if self.importance == "network":
            if missing := [key for key in ("task", "esno") if getattr(self, key) is None]:
                raise ValueError(f"{missing[0]}: missing; importance 'network' needs task and esno")
            if self.task == self.judge:
                raise ValueError(f"judge: got {self.judge}, the task's own network; allowed another one")
        elif said := [key for key in OF_NETWORKS if key in self.model_fields_set]:
            raise ValueError(f"{said[0]}: importance 'entropy' knows no task; allowed with 'network' only")
        return self


class Needed:
    """The objective of ``network``: what the task's own network loses, and a price per feature."""

    def __init__(
        self, network: Importance, codec: Sesc, task: TaskLoss, cropper: Cropper, test: ImageSet, recipe: Recipe,
        device: torch.device,
    ) -> None:  # fmt: skip
        assert recipe.esno is not None
        self.module = network.to(device)
        self.n_items = len(cropper)
        self._codec, self._task = codec.to(device), task
        self._cropper, self._recipe, self._device = cropper, recipe, device
        self._esno = EsnoRange(recipe.esno.low_db, recipe.esno.high_db)
        self._judged = judged_by(task.network, test)

    def loss(self, indices: NDArray[np.int64], rng: np.random.Generator, done: float) -> Tensor:
        recipe = self._recipe
        images, labels = self._cropper.batch(indices, rng, self._device)
        generator = torch.Generator(self._device).manual_seed(int(rng.integers(2**62)))
        with torch.no_grad():
            stacks = self._task.network.features(images)
        soft = soft_above(self.module(stacks).float(), rng.uniform(*recipe.threshold))
        esno = self._esno.sample(len(images), generator)
        made = as_if_all_were_sent(self._codec, images, soft, esno, generator)
        return self._task(made, labels) + recipe.price * soft.mean()

    def evaluate(self) -> dict[str, float]:
        """What the task's own network says of the most important half of the features: mAP, or mIoU."""
        choose = partial(most_important, n=self._codec.shape.n_features // 2)
        weigh = weigh_by(self.module, self._codec, self._task.network)
        found = self._judged(recovery(self._codec, weigh, choose, CURVE_DB, seed=0))
        return {f"{key}_half": found[key] for key in ("map_50", "miou") if key in found}


class Density:
    """The objective of ``entropy``: bits per value of the features, by the model."""

    def __init__(
        self, network: EntropyModel, codec: Sesc, cropper: Cropper, test: Tensor, device: torch.device
    ) -> None:
        self.module = network.to(device)
        self.n_items = len(cropper)
        self._codec, self._cropper, self._device = codec.to(device), cropper, device
        self._test = codec.sender(test.to(device))

    def loss(self, indices: NDArray[np.int64], rng: np.random.Generator, done: float) -> Tensor:
        images, _ = self._cropper.batch(indices, rng, self._device)
        with torch.no_grad():
            symbols = self._codec.sender(images)
        return self._bits_per_value(symbols)

    def evaluate(self) -> dict[str, float]:
        return {"test_bits_per_value": float(self._bits_per_value(self._test))}

    def _bits_per_value(self, symbols: Tensor) -> Tensor:
        return self.module.bits(symbols).mean() / (2 * symbols.shape[2])


def as_if_all_were_sent(codec: Sesc, images: Tensor, sent: Tensor, esno: Tensor, generator: torch.Generator) -> Tensor:
    """The pictures of :func:`transmitted`, with the gradient by ``sent`` of what the features left out would tell.

    They cross the channel at the others' scale, and the receiver puts the shared feature in their place all the same;
    were they noise to it, nothing could be learned of what sending them is worth.
    """
    with torch.no_grad():
        symbols = codec.sender(images)
        flat, each = symbols.flatten(1), sent.repeat_interleave(symbols.shape[2], dim=1) > 0.5
        energy = (flat.abs().square() * each).sum(1, keepdim=True)
        flat = flat * (each.sum(1, keepdim=True) / energy).sqrt()
        channel = codec.shape.channel()
        received = channel(flat, esno, channel.draw(len(images), flat.shape[1], generator)).symbols
    made: Tensor = codec.receiver(received.view_as(symbols), sent)
    return made


def weigh_by(network: Importance | EntropyModel, codec: Sesc, task: TaskNetwork | None) -> Callable[[Tensor], Tensor]:
    """From pictures [B, 3, H, W] to the weights of their features, [B, L_tot]."""
    return lambda images: weights_by(network, images, codec.sender(images), task)


def run(recipe: Recipe, run: TrainingRun) -> None:
    """Train, then write ``weights.safetensors`` and ``card.yaml``."""
    load_task_network(model_dir(recipe.judge) / "weights.safetensors")  # a missing judge is said before the training
    data = KINDS["data"].load(recipe.data_set)()
    train = [data.load(split, run.data_root) for split in recipe.train_on]
    sample = KINDS["data"].load(recipe.measure_on)().load("sample")
    device = engine.resolve_device(run.device)
    codec = load_sesc(model_dir(recipe.codec) / "weights.safetensors")
    if recipe.crops.size != codec.shape.size:
        raise SimnetError(f"crops.size: got {list(recipe.crops.size)}; {recipe.codec} allows {list(codec.shape.size)}")
    task = _loaded(recipe.task, device)
    head = head_of(recipe, codec, task)
    network = engine.initialised(head.build, recipe.seed, "sesc importance")
    cropper = Cropper(train, recipe.crops)
    objective: Needed | Density
    if isinstance(network, EntropyModel):
        test = torch.tensor(sample.images[:N_CURVE_IMAGES]).float() / 255
        objective = Density(network, codec, cropper, test, device)
    else:
        assert task is not None
        loss = loss_of(task, train, size_weight=recipe.size_weight, balance=recipe.balance)
        objective = Needed(network, codec, loss, cropper, sample, recipe, device)
    fitted = engine.fit(objective, recipe, run)
    checkpoints.write_atomically(run.out / "weights.safetensors", pack_importance(ImportanceModel(head, network)))
    cards.conclude(recipe, run, fitted, train, {"importance": cards.n_values(network.parameters())})


def _loaded(task: str | None, device: torch.device) -> TaskNetwork | None:
    return None if task is None else load_task_network(model_dir(task) / "weights.safetensors").to(device)


def head_of(recipe: Recipe, codec: Sesc, task: TaskNetwork | None) -> ImportanceHead:
    """What the recipe's model is for, with the channels of the task's features."""
    changes: dict[str, object] = {"importance_width": recipe.width}
    if task is not None:
        stacks = task.features(torch.zeros(1, 3, *codec.shape.size, device=next(task.parameters()).device))
        changes["task_channels"] = tuple(stack.shape[1] for stack in stacks)
    networks = codec.shape.model_copy(update=changes)
    return ImportanceHead(importance=recipe.importance, codec=recipe.codec, task=recipe.task, networks=networks)


def measure(recipe: Recipe, run: TrainingRun) -> dict[str, JsonValue]:
    """Over mean Es/N0 and the share of the features that is sent: what the judge says of test pictures."""
    device = engine.resolve_device(run.device)
    model = load_importance(run.out / "weights.safetensors")
    codec = load_sesc(model_dir(recipe.codec) / "weights.safetensors").to(device)
    weigh = weigh_by(model.network.to(device), codec, _loaded(recipe.task, device))
    test = KINDS["data"].load(recipe.measure_on)().load("test", run.data_root)
    judged = judged_by(load_task_network(model_dir(recipe.judge) / "weights.safetensors").to(device), test)
    rows: list[JsonValue] = []
    for share in recipe.shares:
        n_sent = max(1, round(share * codec.shape.n_features))
        for esno_db in recipe.measure_at_db:
            seed = int(streams.generator(recipe.seed, "evaluation", n_sent, str(esno_db)).integers(2**62))
            recover = recovery(codec, weigh, partial(most_important, n=n_sent), esno_db, seed)
            symbols = n_sent * codec.shape.symbols
            where = {"features": n_sent, "symbols": symbols, "esno_db": esno_db}
            rows.append({**where, **judged(recover), "n": len(test)})
    return {"over_esno": rows, "n_features": codec.shape.n_features}
