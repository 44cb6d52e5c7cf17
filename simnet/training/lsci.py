"""Recipes of kind ``lsci``: the base model of LSCI (paper 000, equations 2-14)."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, JsonValue
from torch import Tensor, nn

from simnet.codecs.networks.lsci import N_STAGES, LsciBase, LsciShape, load_base, pack_base, pad_to_stride
from simnet.core.plugins import KINDS
from simnet.core.zoo import model_dir
from simnet.data.base import ImageSet, Split
from simnet.tasks.networks import load_segmenter
from simnet.tasks.networks.segmenter import Segmenter
from simnet.training import cards, checkpoints, engine, lsci_card, measured_on
from simnet.training.compressed import Compressed, compress, settle
from simnet.training.critic import MultiScaleCritic, critic_loss, generator_loss
from simnet.training.crops import Cropper, Crops
from simnet.training.distance import Distance, distance
from simnet.training.recipe import BaseRecipe
from simnet.training.run import TrainingRun

BATCH = 16
N_CURVE_IMAGES = 64


class Recipe(BaseRecipe):
    """``kind: lsci``."""

    kind: Literal["lsci"] = "lsci"
    base: LsciShape
    data_set: str
    train_on: tuple[Split, ...] = ("train", "val")
    measure_on: tuple[str, ...] = Field(min_length=1)
    """Data sets on whose test pictures the card's figures are measured."""
    crops: Crops = Field(default_factory=Crops)
    distance: Distance = Field(default_factory=Distance)
    distance_weight: Annotated[float, Field(gt=0)] = 10.0
    """λ of (14)."""
    adversarial: Annotated[float, Field(ge=0, le=1)] = 0.2
    """The last share of the steps, in which the critic plays too."""
    adversarial_weight: Annotated[float, Field(ge=0)] = 0.002
    """Of the critic's judgement in the generator's loss. The paper's distance is a norm, whose slope λ = 10 outweighs
    the critic's slope of 1; that of a mean square is near 0.015, and the critic at weight 1 took 4.5 dB of PSNR."""
    shallow: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Share of the batches in which the generator's last residual stages are left out, drawn how many."""
    start_from: str | None = None
    """Zoo name of a model whose weights are the starting point, where shapes agree."""
    compressed: Compressed | None = None
    """The generator is trained for slices of this variant, and all else stays as it is, so that codes fit it."""
    judge: str
    """Zoo name of the segmentation network that measures SS for the card."""


class Adversaries(nn.Module):
    """Everything that is trained."""

    def __init__(self, shape: LsciShape) -> None:
        super().__init__()
        self.base = LsciBase(shape)
        self.critic = MultiScaleCritic(shape.width)


class BaseObjective:
    """The objective (14). Both sides step at once: neither's loss reaches the other's weights."""

    def __init__(
        self, module: Adversaries, train: list[ImageSet], test: ImageSet, features: Segmenter, recipe: Recipe,
        device: torch.device,
    ) -> None:  # fmt: skip
        self.module = module.to(device)
        self._features = features.to(device)
        self._cropper = Cropper(train, recipe.crops)
        self.n_items = len(self._cropper)
        self._recipe, self._device = recipe, device
        chosen = np.linspace(0, len(test) - 1, N_CURVE_IMAGES).round().astype(int)
        self._test = torch.tensor(test.images[chosen], device=device).float() / 255

    def loss(self, indices: NDArray[np.int64], rng: np.random.Generator, done: float) -> Tensor:
        recipe, base, critic = self._recipe, self.module.base, self.module.critic
        images, _ = self._cropper.batch(indices, rng, self._device)
        n_stages = int(rng.integers(N_STAGES)) if rng.random() < recipe.shallow else N_STAGES
        made = base(images, n_stages).float()
        loss = recipe.distance_weight * distance(recipe.distance, images, made, self._features)
        if done < 1 - recipe.adversarial:
            return loss
        with torch.autocast(self._device.type, enabled=False):
            pleasing = recipe.adversarial_weight * generator_loss(critic, made)
            return loss + pleasing + critic_loss(critic, images, made, rng)

    def evaluate(self) -> dict[str, float]:
        """PSNR of the mean MSE and d of test pictures, for the whole and the shallowest generator."""
        figures = {}
        for n_stages in (N_STAGES, 0):
            made = self.module.base(self._test, n_stages)
            figures[f"test_psnr_db_{n_stages}"] = float(-10 * (made - self._test).square().mean().log10())
            figures[f"test_distance_{n_stages}"] = float(
                distance(self._recipe.distance, self._test, made, self._features)
            )
        return figures


def run(recipe: Recipe, run: TrainingRun) -> None:
    """Train, count the code's symbols, write ``weights.safetensors`` and ``card.yaml``."""
    load_segmenter(model_dir(recipe.judge) / "weights.safetensors")  # a missing judge is said before the training
    data = KINDS["data"].load(recipe.data_set)()
    train = [data.load(split, run.data_root) for split in recipe.train_on]
    test = measured_on.first_of(recipe.measure_on, run)
    device = engine.resolve_device(run.device)
    module = engine.initialised(lambda: Adversaries(recipe.base), recipe.seed, "lsci")
    if recipe.start_from is not None:
        _start_as(module.base, load_base(model_dir(recipe.start_from) / "weights.safetensors")[0])
    if recipe.compressed is not None:
        for kept in (module.base.encoder, module.base.quantiser):
            kept.requires_grad_(False)
        compress(module.base.generator, recipe.compressed)
    features = load_segmenter(model_dir(recipe.distance.features) / "weights.safetensors")
    fitted = engine.fit(BaseObjective(module, train, test, features, recipe, device), recipe, run)
    base = module.base.cpu()
    settle(base.generator)
    counts = sum((count_symbols(base, s) for s in train), torch.zeros((), dtype=torch.int64))
    variant = {} if recipe.compressed is None else recipe.compressed.model_dump()
    checkpoints.write_atomically(run.out / "weights.safetensors", pack_base(base, counts, **variant))
    parameters = {
        "encoder": cards.n_values(base.encoder.parameters()),
        "generator": cards.n_values(base.generator.parameters()),
        "critic": cards.n_values(module.critic.parameters()),
    }
    cards.conclude(recipe, run, fitted, (*train, test), parameters)


def measure(recipe: Recipe, run: TrainingRun) -> dict[str, JsonValue]:
    """The card's figures, from the weights in the run's folder, measured on test pictures by the judge."""
    return lsci_card.figures(run, recipe.judge, recipe.distance.features, recipe.measure_on)


@torch.no_grad()
def count_symbols(base: LsciBase, images: ImageSet) -> Tensor:
    """How often each channel's symbols are in a set's codes, [C, n_centres] int64."""
    counts = torch.zeros(base.shape.code_channels, base.shape.n_centres, dtype=torch.int64)
    for batch in torch.split(torch.tensor(images.images), BATCH):
        symbols = base.quantiser.symbols(base.encoder(pad_to_stride(batch.float() / 255)))
        counts += nn.functional.one_hot(symbols, base.shape.n_centres).sum((0, 2, 3))
    return counts


@torch.no_grad()
def _start_as(base: LsciBase, trained: LsciBase) -> None:
    """Take over every tensor whose shape agrees: of models that differ in their code's channels, all but two layers."""
    own = base.state_dict()
    base.load_state_dict({k: v if own[k].shape == v.shape else own[k] for k, v in trained.state_dict().items()})
