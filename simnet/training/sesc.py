"""Recipes of kind ``sesc``: features by their importance to a task, over a noisy channel (paper 002).

The paper says what is trained, not how. Half of the batches send a random share of the features, so that the receiver
learns to do without the others; the other half send those above a random μ by the importance network, which learns from
what is lost without them: a feature counts by 0 or 1 forwards, by a steep sigmoid backwards. A price per feature keeps
weights from all becoming 1.
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
from torch.nn import functional as F

from simnet.codecs.networks.sesc import Sesc, SescShape, above, load_sesc, most_important, pack_sesc
from simnet.codecs.quality import mean_squared_errors, psnr_db
from simnet.core import streams
from simnet.core.errors import SimnetError
from simnet.core.plugins import KINDS
from simnet.core.units import db_to_linear
from simnet.core.zoo import model_dir
from simnet.data.base import Split
from simnet.phy.learned.esno import EsnoRange
from simnet.phy.learned.power import normalise_power
from simnet.signal.originals import Originals
from simnet.tasks.feature_distance import feature_distance
from simnet.tasks.networks import load_segmenter
from simnet.tasks.networks.segmenter import Segmenter
from simnet.training import cards, checkpoints, engine
from simnet.training.crops import Cropper, Crops
from simnet.training.esno import Esno
from simnet.training.recipe import BaseRecipe
from simnet.training.run import TrainingRun

SHARPNESS = 10.0
"""Of the sigmoid that gradients of the mask pass."""


class Recipe(BaseRecipe):
    """``kind: sesc``."""

    kind: Literal["sesc"] = "sesc"
    networks: SescShape
    task: str = "segmenter/street_parser"
    """Zoo name of the task's network: its features tell the importance and measure the loss. Never the judge."""
    masked: Annotated[float, Field(ge=0, lt=1)] = 0.75
    """Largest share of features that is left out, by chance, in half of the batches."""
    threshold: tuple[Annotated[float, Field(ge=0, le=1)], Annotated[float, Field(ge=0, le=1)]] = (0.1, 0.7)
    """Lowest and highest μ of the other half."""
    feature_loss: Annotated[float, Field(ge=0)] = 0.05
    """Weight of the feature distance beside the squared error."""
    price: Annotated[float, Field(ge=0)] = 0.005
    """Of sending all features of an image, in the loss of the batches with μ."""
    esno: Esno
    data_set: str
    train_on: tuple[Split, ...] = ("train", "val")
    measure_on: str
    crops: Crops = Field(default_factory=Crops)
    judge: str
    measure_at_db: tuple[float, ...] = (0.0, 5.0, 10.0, 20.0)
    shares: tuple[Annotated[float, Field(gt=0, le=1)], ...] = (0.25, 0.5, 0.75, 1.0)
    """Of the features, sent by importance, that the card is measured at."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.crops.size != self.networks.size:
            allowed = list(self.networks.size)
            raise ValueError(f"crops.size: got {list(self.crops.size)}; networks.size allows {allowed}")
        return self


class Extraction:
    """The objective."""

    def __init__(
        self, networks: Sesc, task: Segmenter, cropper: Cropper, test: Tensor, recipe: Recipe, device: torch.device
    ) -> None:
        self.module = networks.to(device)
        self.n_items = len(cropper)
        self._task, self._cropper, self._test = task.to(device), cropper, test
        self._recipe, self._device = recipe, device
        self._esno = EsnoRange(recipe.esno.low_db, recipe.esno.high_db)

    def loss(self, indices: NDArray[np.int64], rng: np.random.Generator, done: float) -> Tensor:
        images, _ = self._cropper.batch(indices, rng, self._device)
        generator = torch.Generator(self._device).manual_seed(int(rng.integers(2**62)))
        price = torch.zeros((), device=self._device)
        with torch.no_grad():
            stacks = self._task.features(images)
        if rng.random() < 0.5:
            n_features = self.module.shape.n_features
            n_sent = max(1, round(n_features * (1 - rng.uniform(0, self._recipe.masked))))
            chance = torch.rand(len(images), n_features, generator=generator, device=self._device)
            soft = most_important(chance, n_sent).float()
        else:
            weights, threshold = self.module.importance(stacks).float(), rng.uniform(*self._recipe.threshold)
            soft = soft_above(weights, threshold)
            price = self._recipe.price * soft.mean()
        esno = self._esno.sample(len(images), generator)
        made = transmitted(self.module, images, soft, esno, generator)
        loss = F.mse_loss(made, images) + price
        if self._recipe.feature_loss:
            loss = loss + self._recipe.feature_loss * feature_distance(stacks, self._task.features(made)).mean()
        return loss

    def evaluate(self) -> dict[str, float]:
        """PSNR at 10 dB of test pictures, of half of the features: the most important ones, and any."""
        networks, figures = self.module, {}
        weights = networks.weights(self._test, self._task)
        chance = torch.rand(weights.shape, generator=torch.Generator().manual_seed(0)).to(weights.device)
        for name, order in (("important", weights), ("any", chance)):
            sent = most_important(order, weights.shape[1] // 2).float()
            esno = torch.full((len(self._test),), 10.0, device=self._device)
            made = transmitted(networks, self._test, sent, esno, torch.Generator(self._device).manual_seed(0))
            figures[f"psnr_db_{name}_half"] = float(psnr_db(mean_squared_errors(self._test, made)).mean())
        return figures


def soft_above(weights: Tensor, threshold: float) -> Tensor:
    """1 or 0 for each feature, with the gradient of a steep sigmoid."""
    slope = torch.sigmoid(SHARPNESS * (weights - threshold))
    return above(weights, threshold).float() + (slope - slope.detach())


def transmitted(networks: Sesc, images: Tensor, sent: Tensor, esno: Tensor, generator: torch.Generator) -> Tensor:
    """x̂ [B, 3, H, W] of which the features ``sent`` [B, L_tot] (1, or 0) crossed the channel.

    Power is normalised over the symbols that are sent; the channel sees nothing of the others.
    """
    channel, symbols = networks.shape.channel(), networks.sender(images)
    flat, each = symbols.flatten(1), sent.repeat_interleave(symbols.shape[2], dim=1)
    power_1 = normalise_power(flat * each, sent=each.detach() > 0.5)
    draws = channel.draw(len(images), flat.shape[1], generator)
    received = channel(power_1, esno, draws).symbols
    made: Tensor = networks.receiver(received.view_as(symbols), sent)
    return made


def run(recipe: Recipe, run: TrainingRun) -> None:
    """Train, then write ``weights.safetensors`` and ``card.yaml``."""
    load_segmenter(model_dir(recipe.judge) / "weights.safetensors")  # a missing judge is said before the training
    measured_on = KINDS["data"].load(recipe.measure_on)()
    if measured_on.image_shape[1:] != recipe.networks.size:
        raise SimnetError(
            f"{run.recipe_path}: measure_on: got {recipe.measure_on}, pictures of {list(measured_on.image_shape[1:])}; "
            f"networks.size allows {list(recipe.networks.size)}"
        )
    data = KINDS["data"].load(recipe.data_set)()
    train = [data.load(split, run.data_root) for split in recipe.train_on]
    networks = engine.initialised(lambda: Sesc(recipe.networks), recipe.seed, "sesc")
    device = engine.resolve_device(run.device)
    task = load_segmenter(model_dir(recipe.task) / "weights.safetensors")
    _check_task(task, recipe)
    sample = measured_on.load("sample")
    test = torch.tensor(sample.images[:40], device=device).float() / 255
    fitted = engine.fit(Extraction(networks, task, Cropper(train, recipe.crops), test, recipe, device), recipe, run)
    checkpoints.write_atomically(run.out / "weights.safetensors", pack_sesc(networks))
    parts = {"encoder": networks.sender, "importance": networks.importance, "decoder": networks.receiver}
    parameters = {role: cards.n_values(part.parameters()) for role, part in parts.items()}
    cards.conclude(recipe, run, fitted, train, parameters)


@torch.no_grad()
def _check_task(task: Segmenter, recipe: Recipe) -> None:
    """The importance network takes the stacks that this task network gives."""
    has = tuple(stack.shape[1] for stack in task.features(torch.zeros(1, 3, *recipe.networks.size)))
    if has != recipe.networks.task_channels:
        raise SimnetError(
            f"networks.task_channels: got {list(recipe.networks.task_channels)}; {recipe.task} allows {list(has)}"
        )


@torch.no_grad()
def measure(recipe: Recipe, run: TrainingRun) -> dict[str, JsonValue]:
    """Over mean Es/N0 and the share of the features that is sent: what :class:`Originals` says of test pictures."""
    device = engine.resolve_device(run.device)
    networks = load_sesc(run.out / "weights.safetensors").to(device)
    judge, task = (
        load_segmenter(model_dir(name) / "weights.safetensors").to(device) for name in (recipe.judge, recipe.task)
    )
    originals = Originals.of(KINDS["data"].load(recipe.measure_on)().load("test", run.data_root), judge, task)
    weigh = partial(networks.weights, task=task)
    rows: list[JsonValue] = []
    for share in recipe.shares:
        n_sent = max(1, round(share * networks.shape.n_features))
        for esno_db in recipe.measure_at_db:
            seed = int(streams.generator(recipe.seed, "evaluation", n_sent, str(esno_db)).integers(2**62))
            choose = partial(most_important, n=n_sent)
            quality = originals.held_against(recovery(networks, weigh, choose, esno_db, seed))
            symbols = n_sent * networks.shape.symbols
            rows.append({"features": n_sent, "symbols": symbols, "esno_db": esno_db, **quality})
    return {"over_esno": rows, "n_features": networks.shape.n_features}


def recovery(
    networks: Sesc,
    weigh: Callable[[Tensor], Tensor],
    choose: Callable[[Tensor], Tensor],
    esno_db: float,
    seed: int,
) -> Callable[[Tensor], Tensor]:
    """What arrives of pictures [B, 3, H, W] at one mean Es/N0.

    Args:
        weigh: pictures -> weights of their features, [B, L_tot].
        choose: weights -> the features that are sent, [B, L_tot] bool.
    """
    device = next(networks.parameters()).device
    generator = torch.Generator(device).manual_seed(seed)

    @torch.no_grad()
    def recover(images: Tensor) -> Tensor:
        sent = choose(weigh(images)).float()
        esno = torch.full((len(images),), db_to_linear(esno_db), device=device)
        return transmitted(networks, images, sent, esno, generator)

    return recover
