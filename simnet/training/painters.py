"""What recipes share whose networks paint street scenes from label maps: data, losses, discriminator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import AfterValidator, Field
from torch import Tensor
from torch.nn import functional as F

from simnet.codecs.networks.rlasc import STRIDE, one_hot, shrunk
from simnet.core.errors import SimnetError
from simnet.core.plugins import KINDS
from simnet.core.zoo import model_dir
from simnet.data.base import ImageSet, Split
from simnet.signal.originals import Originals
from simnet.tasks.networks import load_segmenter
from simnet.tasks.networks.segmenter import Segmenter
from simnet.training import engine
from simnet.training.critic import MultiScaleCritic, generator_loss, hinge_loss
from simnet.training.crops import Cropper, Crops
from simnet.training.distance import Distance, distance
from simnet.training.recipe import BaseRecipe
from simnet.training.run import TrainingRun

BATCH = 16
N_CURVE_IMAGES = 48


def _in_whole_places(crops: Crops) -> Crops:
    if any(side % STRIDE for side in crops.size):
        raise ValueError(f"size: got {list(crops.size)}; allowed multiples of {STRIDE}")
    return crops


PlacedCrops: TypeAlias = Annotated[Crops, AfterValidator(_in_whole_places)]
"""Of whole places of the label map."""


class PaintersRecipe(BaseRecipe):
    """The objective is λ₁ d(x, x̂), later with the hinge loss.

    Paper 004 has λ₁ L_P there, features alone: so does a ``distance`` of ``pixels: 0, ssim: 0``. By default d is that
    of paper 000, which has pixels and structure too.
    """

    segmenter: str = "segmenter/street_parser"
    """Zoo name of F, which makes the label map."""
    data_set: str
    train_on: tuple[Split, ...] = ("train", "val")
    measure_on: str
    crops: PlacedCrops = Field(default_factory=Crops)
    distance: Distance = Field(default_factory=Distance)
    distance_weight: Annotated[float, Field(gt=0)] = 10.0
    """λ₁ of (33)."""
    adversarial: Annotated[float, Field(ge=0, le=1)] = 0.2
    """The last share of the steps, in which the discriminator plays too."""
    adversarial_weight: Annotated[float, Field(ge=0)] = 0.002
    judge: str
    """Zoo name of the segmentation network that measures SS for the card."""


@dataclass(frozen=True)
class Studio:
    """What a painter is trained with.

    Args:
        features: network whose features d compares.
        test: pictures of the curve, [N, 3, H, W].
    """

    recipe: PaintersRecipe
    segmenter: Segmenter
    features: Segmenter
    cropper: Cropper
    test: Tensor
    device: torch.device

    @classmethod
    def of(cls, recipe: PaintersRecipe, sets: list[ImageSet], n_classes: int, device: torch.device) -> Studio:
        """With the networks and pictures that a recipe names.

        Raises:
            SimnetError: the label maps have other classes than the networks; the judge is missing.
        """
        load_segmenter(model_dir(recipe.judge) / "weights.safetensors")  # a missing judge is said before the training
        segmenter, features = (
            load_segmenter(model_dir(name) / "weights.safetensors").to(device)
            for name in (recipe.segmenter, recipe.distance.features)
        )
        if segmenter.n_classes != n_classes:
            raise SimnetError(f"networks.n_classes: got {n_classes}; {recipe.segmenter} allows {segmenter.n_classes}")
        sample = KINDS["data"].load(recipe.measure_on)().load("sample")
        test = torch.tensor(sample.images[:N_CURVE_IMAGES], device=device).float() / 255
        return cls(recipe, segmenter, features, Cropper(sets, recipe.crops), test, device)

    def batch(self, indices: NDArray[np.int64], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Images [B, 3, H, W], and their label maps [B, H/8, W/8]."""
        images, _ = self.cropper.batch(indices, rng, self.device)
        return images, concepts_of(images, self.segmenter)

    def loss(self, images: Tensor, made: Tensor, label_map: Tensor, critic: MultiScaleCritic, done: float) -> Tensor:
        """λ₁ d(x, x̂); from ``adversarial`` on with the hinge loss. Neither side's loss reaches the other's weights.

        Args:
            done: share of the steps that are done.
        """
        recipe, made = self.recipe, made.float()
        loss = recipe.distance_weight * distance(recipe.distance, images, made, self.features)
        if done < 1 - recipe.adversarial:
            return loss
        with torch.autocast(self.device.type, enabled=False):
            n_classes = self.segmenter.n_classes
            real, fake = conditioned(images, label_map, n_classes), conditioned(made, label_map, n_classes)
            return loss + recipe.adversarial_weight * generator_loss(critic, fake) + hinge_loss(critic, real, fake)


@torch.no_grad()
def concepts_of(images: Tensor, segmenter: Segmenter) -> Tensor:
    """s_d [B, H/8, W/8] of images, by F."""
    return shrunk(segmenter(images).argmax(1), segmenter.n_classes)


def conditioned(images: Tensor, label_map: Tensor, n_classes: int) -> Tensor:
    """What D(x, s) sees: the image and the label map of its size, [B, 3 + M, H, W]."""
    there = one_hot(label_map, n_classes).to(images.dtype)
    return torch.cat((images, F.interpolate(there, scale_factor=STRIDE, mode="nearest")), dim=1)


def loaded_sets(recipe: PaintersRecipe, run: TrainingRun) -> list[ImageSet]:
    """The splits that a recipe trains on."""
    data = KINDS["data"].load(recipe.data_set)()
    return [data.load(split, run.data_root) for split in recipe.train_on]


def scaled(sets: list[ImageSet], size: tuple[int, int]) -> Iterator[Tensor]:
    """Pictures [B, 3, H, W] in [0, 1] of sets at this size, some at a time."""
    for images in sets:
        for batch in torch.split(torch.tensor(images.images), BATCH):
            yield F.interpolate(batch.float() / 255, size=size, mode="bilinear", antialias=True).clamp(0, 1)


def held_out(recipe: PaintersRecipe, run: TrainingRun) -> tuple[Originals, Segmenter]:
    """What a card is measured on, and F."""
    device = engine.resolve_device(run.device)
    judge, segmenter = (
        load_segmenter(model_dir(name) / "weights.safetensors").to(device) for name in (recipe.judge, recipe.segmenter)
    )
    pictures = KINDS["data"].load(recipe.measure_on)().load("test", run.data_root)
    return Originals.of(pictures, judge, segmenter), segmenter
