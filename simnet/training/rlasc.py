"""Recipes of kind ``rlasc``: encoder and decoder of semantic concepts (paper 004, Algorithm 1 and (33)).

The paper trains with every concept at the finest level and lets the agent meet the others; its third stage then tunes
all together. Here a share ``mixed`` of the batches already draws a level for each concept, so that one decoder serves
every choice of the agent.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, JsonValue
from torch import Tensor, nn
from torch.nn import functional as F

from simnet.codecs.entropy.huffman import code_lengths
from simnet.codecs.entropy.label_map import fit_map_table
from simnet.codecs.networks.rlasc import LEVELS, Rlasc, RlascShape, load_rlasc, one_hot, pack_rlasc
from simnet.codecs.quality import mean_squared_errors, psnr_db
from simnet.data.base import ImageSet
from simnet.tasks.networks.segmenter import Segmenter
from simnet.training import cards, checkpoints, engine
from simnet.training.critic import MultiScaleCritic
from simnet.training.distance import distance
from simnet.training.painters import PaintersRecipe, Studio, concepts_of, held_out, loaded_sets, scaled
from simnet.training.run import TrainingRun

FINEST = len(LEVELS) - 1
Levels: TypeAlias = Callable[[Rlasc, Tensor, Tensor, np.random.Generator], Tensor]
"""Of networks, features [B, n, h, w] and label maps [B, h, w]: each concept's level, [B, M]."""


class ConceptsRecipe(PaintersRecipe):
    """What recipes share whose objective is (33)."""

    classification_weight: Annotated[float, Field(ge=0)] = 0.01
    """λ₂ of (33)."""


class Recipe(ConceptsRecipe):
    """``kind: rlasc``."""

    kind: Literal["rlasc"] = "rlasc"
    networks: RlascShape
    mixed: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Share of the batches in which each concept's level is drawn; the paper's is 0."""


class Players(nn.Module):
    """Everything that is trained."""

    def __init__(self, shape: RlascShape) -> None:
        super().__init__()
        self.networks = Rlasc(shape)
        self.critic = MultiScaleCritic(shape.width, n_in=3 + shape.n_classes)


class ConceptCoding:
    """The objective (33), at levels that a stage chooses. Both sides step at once."""

    def __init__(self, module: Players, studio: Studio, classification_weight: float, levels: Levels) -> None:
        self.module = module.to(studio.device)
        self.n_items = len(studio.cropper)
        self._studio, self._classification_weight, self._levels = studio, classification_weight, levels

    def loss(self, indices: NDArray[np.int64], rng: np.random.Generator, done: float) -> Tensor:
        networks = self.module.networks
        images, label_map = self._studio.batch(indices, rng)
        features = networks.encoder(images)
        levels = self._levels(networks, features.detach(), label_map, rng)
        made = networks.made_of(features, label_map, levels)
        painting = self._studio.loss(images, made, label_map, self.module.critic, done)
        return painting + self._classification_weight * classification_loss(networks, features, label_map)

    def evaluate(self) -> dict[str, float]:
        """PSNR and d of test pictures with every concept at the finest and at the coarsest level."""
        figures, networks, studio = {}, self.module.networks, self._studio
        label_map = concepts_of(studio.test, studio.segmenter)
        for name, level in (("finest", FINEST), ("coarsest", 0)):
            levels = torch.full((len(studio.test), networks.shape.n_classes), level, device=studio.device)
            made = networks(studio.test, label_map, levels)
            figures[f"psnr_db_{name}"] = float(psnr_db(mean_squared_errors(studio.test, made)).mean())
            figures[f"distance_{name}"] = float(distance(studio.recipe.distance, studio.test, made, studio.features))
        return figures


def drawn_levels(
    networks: Rlasc, features: Tensor, label_map: Tensor, rng: np.random.Generator, *, mixed: float
) -> Tensor:
    """Of the first stage (Algorithm 1): the finest for all; in a share ``mixed`` of the batches one drawn for each."""
    levels = np.full((len(features), networks.shape.n_classes), FINEST)
    if rng.random() < mixed:
        levels = rng.integers(0, len(LEVELS), levels.shape)
    return torch.from_numpy(levels).to(features.device)


def classification_loss(networks: Rlasc, features: Tensor, label_map: Tensor) -> Tensor:
    """L_C (3): mean cross-entropy of the concepts that are there, each from the maximum over its places.

    The paper pools f · s_d, whose zeros outside the mask take part; here only places of the concept do.
    """
    there = one_hot(label_map, networks.shape.n_classes)
    picture, label = there.flatten(2).any(2).nonzero(as_tuple=True)
    mask = there[picture, label][:, None]
    pooled = features.float()[picture].masked_fill(~mask, -torch.inf).amax((2, 3))
    return F.cross_entropy(networks.classify(pooled).float(), label)


def run(recipe: Recipe, run: TrainingRun) -> None:
    """Train, count the codes' symbols, write ``weights.safetensors`` and ``card.yaml``."""
    module = engine.initialised(lambda: Players(recipe.networks), recipe.seed, "rlasc")
    train(recipe, run, module, partial(drawn_levels, mixed=recipe.mixed))


def train(recipe: ConceptsRecipe, run: TrainingRun, module: Players, levels: Levels) -> None:
    """What :func:`run` does in every stage."""
    sets = loaded_sets(recipe, run)
    device = engine.resolve_device(run.device)
    studio = Studio.of(recipe, sets, module.networks.shape.n_classes, device)
    objective = ConceptCoding(module, studio, recipe.classification_weight, levels)
    fitted = engine.fit(objective, recipe, run)
    networks = module.networks.cpu()
    tables = fitted_tables(networks, studio.segmenter.cpu(), sets, recipe.crops.size)
    checkpoints.write_atomically(run.out / "weights.safetensors", pack_rlasc(networks, *tables))
    parts = {"encoder": networks.encoder, "decoder": networks.decoder, "discriminator": module.critic}
    parameters = {role: cards.n_values(part.parameters()) for role, part in parts.items()}
    cards.conclude(recipe, run, fitted, sets, parameters)


@torch.no_grad()
def fitted_tables(
    networks: Rlasc, segmenter: Segmenter, sets: list[ImageSet], size: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Huffman lengths [M, Σ levels] of each class's symbols and the label map's table, of pictures scaled to a size.

    A class's symbols at a level get one table for all channels. Nothing counts as never seen: a symbol that isn't there
    counts as once, a class that isn't there as all others together.
    """
    n_classes = networks.shape.n_classes
    counts = np.zeros((n_classes, sum(LEVELS)), np.int64)
    maps = []
    for pictures in scaled(sets, size):
        label_map = concepts_of(pictures, segmenter)
        features = networks.encoder(pictures).movedim(1, -1)
        maps.append(label_map.numpy())
        for label in torch.unique(label_map).tolist():
            values = features[label_map == label]
            found = [
                torch.bincount(networks.quantiser.symbols(values, level).flatten(), minlength=n)
                for level, n in enumerate(LEVELS)
            ]
            counts[label] += torch.cat(found).numpy()
    counts[counts.sum(1) == 0] = counts.sum(0)
    lengths = [
        np.concatenate([code_lengths(part + 1) for part in np.split(row, np.cumsum(LEVELS)[:-1])]) for row in counts
    ]
    return torch.from_numpy(np.stack(lengths)), torch.from_numpy(fit_map_table(np.concatenate(maps), n_classes))


@torch.no_grad()
def measure(recipe: ConceptsRecipe, run: TrainingRun) -> dict[str, JsonValue]:
    """At each level for every concept: bits per pixel of the features, and what :class:`Originals` says."""
    device = engine.resolve_device(run.device)
    networks, tables, _ = load_rlasc(run.out / "weights.safetensors")
    networks.to(device)
    originals, segmenter = held_out(recipe, run)
    pictures = originals.images
    n_pixels = len(pictures) * pictures.images.shape[2] * pictures.images.shape[3]
    rows: list[JsonValue] = []
    for level, n_centres in enumerate(LEVELS):
        bits: list[float] = []

        def recover(images: Tensor, level: int = level, bits: list[float] = bits) -> Tensor:
            label_map, features = concepts_of(images, segmenter), networks.encoder(images)
            lengths = level_lengths(tables.to(device), level)
            symbols = networks.quantiser.symbols(features, level)
            bits.append(float(lengths[label_map[:, None].expand_as(symbols), symbols].sum()))
            levels = torch.full((len(images), networks.shape.n_classes), level, device=device)
            return networks.made_of(features, label_map, levels)

        quality = originals.held_against(recover)
        rows.append({"centres": n_centres, "features_bpp": round(sum(bits) / n_pixels, 5), **quality})
    return {"by_level": rows, "n": len(pictures)}


def level_lengths(tables: Tensor, level: int) -> Tensor:
    """[M, n_centres]: the Huffman lengths of each class at one level."""
    start = sum(LEVELS[:level])
    return tables[:, start : start + LEVELS[level]].long()
