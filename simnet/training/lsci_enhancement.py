"""Recipes of kind ``lsci_enhancement``: the super-resolution slice for one pooling factor (paper 000, equation 19)."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, JsonValue
from torch import Tensor

from simnet.codecs.networks.enhancement import Enhancement, region_mask
from simnet.codecs.networks.lsci import N_STAGES, LsciBase, load_base
from simnet.codecs.networks.super_resolution import SuperResolution, load_super_resolution
from simnet.core import streams
from simnet.core.plugins import KINDS
from simnet.core.zoo import model_dir
from simnet.data.base import Split
from simnet.tasks.networks import load_segmenter
from simnet.tasks.networks.segmenter import Segmenter
from simnet.training import cards, checkpoints, engine
from simnet.training.crops import Cropper, Crops
from simnet.training.recipe import BaseRecipe
from simnet.training.run import TrainingRun

N_MEASURED = 64


Bpp = Annotated[float, Field(gt=0, le=24)]


class Recipe(BaseRecipe):
    """``kind: lsci_enhancement``."""

    kind: Literal["lsci_enhancement"] = "lsci_enhancement"
    base: str
    """Zoo name of the base model, which stays as it is."""
    width: Annotated[int, Field(ge=2, le=32)] = 32
    """Of the slice; 32 is the paper's."""
    pooling: Literal[2, 4, 8]
    bpp: tuple[Bpp, Bpp] = (0.03, 1.0)
    """Lowest and highest rate of the residual, drawn per batch, evenly in its logarithm."""
    masked: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Share of the batches whose residual is masked, with foreground or background."""
    segmenter: str = "segmenter/street_parser"
    data_set: str
    train_on: tuple[Split, ...] = ("train", "val")
    measure_on: str
    crops: Crops = Field(default_factory=Crops)


class Restoration:
    """The objective: the squared error of restored residuals, inside the mask."""

    def __init__(
        self, module: SuperResolution, base: LsciBase, segmenter: Segmenter, cropper: Cropper, test: Tensor,
        recipe: Recipe, device: torch.device,
    ) -> None:  # fmt: skip
        self.module = module.to(device)
        self._base, self._segmenter = base.to(device), segmenter.to(device)
        self._cropper, self._test = cropper, test
        self.n_items = len(cropper)
        self._recipe, self._device = recipe, device

    def loss(self, indices: NDArray[np.int64], rng: np.random.Generator, done: float) -> Tensor:
        images, _ = self._cropper.batch(indices, rng, self._device)
        low, high = map(math.log, self._recipe.bpp)
        regions = ("foreground", "background") if rng.random() < self._recipe.masked else ("all",)
        bpp, region = math.exp(rng.uniform(low, high)), regions[rng.integers(len(regions))]
        how = Enhancement(pooling=self._recipe.pooling, bpp=bpp, region=region)
        wanted, coded, mask = self._coded(images, how, int(rng.integers(N_STAGES + 1)))
        error: Tensor = self.module(coded).float() * mask - wanted
        return error.square().mean()

    def evaluate(self) -> dict[str, float]:
        """Mean squared error of test residuals at 0.1 bit per pixel, as scaled up and as restored."""
        wanted, coded, mask = self._coded(self._test, Enhancement(pooling=self._recipe.pooling), N_STAGES)
        return {
            "test_error_scaled": float((coded * mask - wanted).square().mean()),
            "test_error_restored": float((self.module(coded) * mask - wanted).square().mean()),
        }

    @torch.no_grad()
    def _coded(self, images: Tensor, how: Enhancement, n_stages: int) -> tuple[Tensor, Tensor, Tensor]:
        """M·r, what is left of it after pooling, JPEG2000 and scaling up, and M."""
        base_images = self._base(images, n_stages)
        mask = region_mask(base_images, how.classes, self._segmenter if how.region != "all" else None)
        wanted = (images - base_images) * mask
        height, width = images.shape[2:]
        streams = how.streams((3, height, width))
        coded = how.uncode(how.code(wanted, streams), streams, (height, width))
        return wanted, coded.to(self._device), mask


def run(recipe: Recipe, run: TrainingRun) -> None:
    """Train, then write ``weights.safetensors`` and ``card.yaml``."""
    data = KINDS["data"].load(recipe.data_set)()
    train = [data.load(split, run.data_root) for split in recipe.train_on]
    module = engine.initialised(lambda: SuperResolution(recipe.width), recipe.seed, "super-resolution")
    objective = _objective(module, Cropper(train, recipe.crops), recipe, run)
    fitted = engine.fit(objective, recipe, run)
    checkpoints.save_weights(run.out / "weights.safetensors", module.half(), {"width": str(recipe.width)})
    parameters = {"enhancement": cards.n_values(module.parameters())}
    cards.conclude(recipe, run, fitted, train, parameters)


def measure(recipe: Recipe, run: TrainingRun) -> dict[str, JsonValue]:
    """Mean squared errors of test residuals, scaled up and restored, and their ratio."""
    module = load_super_resolution(run.out / "weights.safetensors")
    sample = KINDS["data"].load(recipe.measure_on)().load("sample")
    objective = _objective(module, Cropper([sample], recipe.crops), recipe, run)
    with torch.no_grad():
        errors = objective.evaluate()
    return {
        **{name: float(f"{value:.6g}") for name, value in errors.items()},
        "error_ratio": round(errors["test_error_restored"] / errors["test_error_scaled"], 4),
        "n": len(objective._test),
    }


def _objective(module: SuperResolution, cropper: Cropper, recipe: Recipe, run: TrainingRun) -> Restoration:
    device = engine.resolve_device(run.device)
    base, _ = load_base(model_dir(recipe.base) / "weights.safetensors")
    sample = KINDS["data"].load(recipe.measure_on)().load("sample")
    chosen = streams.generator(0, "measured", sample.sha256).permutation(len(sample))[:N_MEASURED]
    test = torch.tensor(sample.images[chosen], device=device).float() / 255
    segmenter = load_segmenter(model_dir(recipe.segmenter) / "weights.safetensors")
    return Restoration(module, base, segmenter, cropper, test, recipe, device)
