"""Recipes of kind ``autoencoder``: AESC-I's encoder and decoder for one source type (Dong et al., eqs 8-10, 14-15)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, JsonValue, model_validator
from torch import Tensor
from torch.nn import functional as F

from simnet.codecs.aesc import quantise
from simnet.codecs.entropy.static import BIN_BIT, N_BINS, fit_table
from simnet.codecs.networks.aesc import AescShape, Autoencoder, load_autoencoder, pack_autoencoder
from simnet.core.errors import SimnetError
from simnet.core.plugins import KINDS
from simnet.core.zoo import model_dir
from simnet.data.base import ImageSet, Split, content_hash
from simnet.tasks.networks import load_network
from simnet.tasks.networks.base import Classifier
from simnet.training import autoencoder_card, cards, checkpoints, engine
from simnet.training.fitting import require_classes, require_images
from simnet.training.recipe import BaseRecipe, Strict
from simnet.training.run import TrainingRun
from simnet.training.source_id import Source

N_CURVE_IMAGES = 1000
BATCH = 500


class Loss(Strict):
    """L = gamma · L_SE + (1 − gamma) · L_pixel (eq. 10).

    L_SE is the mean squared difference of the classifier's penultimate features, divided by their mean square over
    the training images: undivided it starts 17 times larger than the BCE.
    """

    pixel: Literal["bce", "mse"]
    gamma: Annotated[float, Field(ge=0, le=1)]
    semantic: str
    """Zoo name of the frozen classifier M whose penultimate features count; never the judge."""
    semantic_shift_px: Annotated[int, Field(ge=0, le=8)] = 0
    """M sees both images moved alike by up to so many pixels, drawn per batch. Without it, the decoder learns to please
    M's own pixel grid, and other classifiers recognise less (vehicles at Z = 8: SS 0.66 against 0.74)."""
    semantic_mirror: bool = False
    """M sees both images mirrored in every other batch."""

    def view(self, rng: np.random.Generator) -> Callable[[Tensor], Tensor]:
        """How M sees the images of one batch."""
        pad = self.semantic_shift_px
        top, left = rng.integers(0, 2 * pad + 1, 2)
        mirrored = self.semantic_mirror and rng.random() < 0.5

        def seen(images: Tensor) -> Tensor:
            height, width = images.shape[2:]
            moved = F.pad(images, [pad] * 4)[:, :, top : top + height, left : left + width]
            return moved.flip(3) if mirrored else moved

        return seen


class Recipe(BaseRecipe):
    """``kind: autoencoder``."""

    kind: Literal["autoencoder"] = "autoencoder"
    source: Source
    autoencoder: AescShape
    loss: Loss
    code_noise_bits: Annotated[int, Field(ge=2, le=16)] | None = None
    """Train with the uniform noise of a code quantised to so many bits (tanh codes only); None: no noise."""
    start_from: str | None = None
    """Zoo name of a model of the same kind with a smaller z, whose networks are the starting point."""
    judge: str
    """Zoo name of the classifier that measures SS for the card."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.code_noise_bits is not None and self.autoencoder.code_activation != "tanh":
            raise ValueError(
                f"code_noise_bits: got {self.code_noise_bits} for codes of {self.autoencoder.code_activation}; "
                "allowed for 'tanh', whose codes are bounded"
            )
        return self


@dataclass
class Reconstruction:
    """The objective: pixel and semantic loss of decoded training images."""

    module: Autoencoder
    train: ImageSet
    test: ImageSet
    features: Classifier
    recipe: Recipe
    device: torch.device

    def __post_init__(self) -> None:
        self.module.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.features.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._images = torch.tensor(self.train.images)
        features = [self._features(batch.to(self.device) / 255) for batch in torch.split(self._images, BATCH)]
        self._mean_square = float(torch.cat(features).square().mean())

    @property
    def n_items(self) -> int:
        return len(self.train)

    def loss(self, indices: NDArray[np.int64], rng: np.random.Generator, done: float) -> Tensor:
        images = self._images[indices].to(self.device) / 255
        codes = self.module.encoder(images)
        if self.recipe.code_noise_bits is not None:
            half_step = 1 / 2**self.recipe.code_noise_bits  # of 2^b cells in [-1, 1]
            noise = rng.uniform(-half_step, half_step, codes.shape).astype(np.float32)
            codes = codes + torch.from_numpy(noise).to(self.device)
        recovered = self.module.decoder(codes)
        view = self.recipe.loss.view(rng)
        wanted, got = self._features(view(images)), self.features.features(view(recovered))
        semantic = F.mse_loss(got.float(), wanted.float()) / self._mean_square
        gamma = self.recipe.loss.gamma
        return gamma * semantic + (1 - gamma) * self._pixel_loss(recovered.float(), images)

    def _pixel_loss(self, recovered: Tensor, images: Tensor) -> Tensor:
        if self.recipe.loss.pixel == "mse":
            return F.mse_loss(recovered, images)
        with torch.autocast(self.device.type, enabled=False):  # CUDA's refuses this loss, of float32 numbers, too
            return F.binary_cross_entropy(recovered, images)

    def evaluate(self) -> dict[str, float]:
        """PSNR of the mean MSE and recognition rate (by M, not the judge) of test images, codes unquantised."""
        images = torch.tensor(self.test.images[:N_CURVE_IMAGES], device=self.device) / 255
        recovered = self.module.decoder(self.module.encoder(images))
        labels = torch.tensor(self.test.labels[:N_CURVE_IMAGES], device=self.device)
        hits = self.features(recovered).argmax(dim=1) == labels
        return {
            "test_psnr_db": float(-10 * torch.log10(F.mse_loss(recovered, images))),
            "test_recognised_by_features": float(hits.float().mean()),
        }

    @torch.no_grad()
    def _features(self, images: Tensor) -> Tensor:
        return self.features.features(images)


def source_images(recipe: Recipe, split: Split, run: TrainingRun) -> ImageSet:
    """The source's images of one split: a data set's, or those of some of its labels.

    Raises:
        SimnetError: the networks take others, or no image has these labels.
    """
    whole: ImageSet = KINDS["data"].load(recipe.source.data_set)().load(split, run.data_root)
    network = recipe.autoencoder
    require_images(run, whole, f"autoencoder.architecture {network.architecture}", network.image_shape)
    if recipe.source.labels is None:
        return whole
    chosen = np.isin(whole.labels, recipe.source.labels)
    absent = [label for label in recipe.source.labels if not 0 <= label < len(whole.class_names)]
    if absent or not chosen.any():
        raise SimnetError(
            f"{run.recipe_path}: source.labels: got {list(recipe.source.labels)}; no {split} image of {whole.name} has "
            f"{absent or 'any of them'}; allowed 0..{len(whole.class_names) - 1}"
        )
    images, labels = whole.images[chosen], whole.labels[chosen]
    indices = None if whole.test_indices is None else whole.test_indices[chosen]
    return ImageSet(whole.name, split, images, labels, whole.class_names, content_hash(images, labels), indices)


def run(recipe: Recipe, run: TrainingRun) -> None:
    """Train, fit the code's ranges and entropy table, write ``weights.safetensors`` and ``card.yaml``."""
    judge = autoencoder_card.load_judge(recipe.judge, run)  # a missing judge is said before the training, not after
    train, test = source_images(recipe, "train", run), source_images(recipe, "test", run)
    require_classes(run, train, f"judge {recipe.judge}", judge.network)
    fitted, parameters = train_weights(recipe, run, train, test)
    cards.conclude(recipe, run, fitted, (train, test), parameters)


def measure(recipe: Recipe, run: TrainingRun) -> dict[str, JsonValue]:
    """The card's figures, from the weights in the run's folder, measured on test images by the judge."""
    test, sample = source_images(recipe, "test", run), source_images(recipe, "sample", run)
    return autoencoder_card.figures(run, recipe.judge, test, sample)


def train_weights(
    recipe: Recipe, run: TrainingRun, train: ImageSet, test: ImageSet
) -> tuple[engine.Fitted, dict[str, int]]:
    """Train and write ``weights.safetensors``; also the number of parameters by slice role."""
    device = engine.resolve_device(run.device)
    module = engine.initialised(lambda: Autoencoder(recipe.autoencoder), recipe.seed, "autoencoder")
    if recipe.start_from is not None:
        smaller, _ = load_autoencoder(model_dir(recipe.start_from) / "weights.safetensors")
        module.start_as(smaller)
    features = load_network(model_dir(recipe.loss.semantic) / "weights.safetensors")
    require_classes(run, train, f"loss.semantic {recipe.loss.semantic}", features)
    objective = Reconstruction(module, train, test, features, recipe, device)
    fitted = engine.fit(objective, recipe, run)
    module, table = fit_code(module.cpu(), torch.tensor(train.images))
    checkpoints.write_atomically(run.out / "weights.safetensors", pack_autoencoder(module, table))
    return fitted, {
        "encoder": cards.n_values(module.encoder.parameters()),
        "decoder": cards.n_values(module.decoder.parameters()),
    }


@torch.no_grad()
def fit_code(module: Autoencoder, images: Tensor) -> tuple[Autoencoder, NDArray[np.uint8]]:
    """Drop dead code dimensions, scale the rest to their range, count their values.

    Args:
        images: [N, C, H, W] uint8, the training images.

    Returns:
        The networks, and the entropy table [z, 16] of their codes.

    Raises:
        SimnetError: the encoder gives 0 for every image.
    """
    codes = torch.cat([module.encoder(batch / 255) for batch in torch.split(images, BATCH)])
    largest = codes.abs().amax(dim=(0, 2))
    if not bool((largest > 0).any()):
        raise SimnetError("autoencoder: every code dimension is dead; train with code_activation: tanh or another seed")
    module = module.prune_dead(largest)
    codes, largest = codes[:, largest > 0], largest[largest > 0]
    module.fold_ranges(largest)
    if module.shape.code_activation == "relu":
        codes = codes / largest.view(-1, 1)
    bins = quantise(codes, module.shape.code_low, BIN_BIT)
    return module, fit_table(np.stack([np.bincount(d.ravel(), minlength=N_BINS) for d in bins.swapaxes(0, 1)]))
