"""Recipes of kind ``dsslic``: FineNet of a reduced DSSLIC, in RL-ASC's loss without its classification (paper 004)."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import JsonValue
from torch import Tensor, nn

from simnet.codecs.entropy.compact import fit_compact_table
from simnet.codecs.entropy.label_map import fit_map_table
from simnet.codecs.networks.dsslic import COMPACT_BIT, DsslicShape, FineNet, compact, load_dsslic, pack_dsslic
from simnet.codecs.quality import mean_squared_errors, psnr_db
from simnet.data.base import ImageSet
from simnet.tasks.networks.segmenter import Segmenter
from simnet.training import cards, checkpoints, engine
from simnet.training.critic import MultiScaleCritic
from simnet.training.distance import distance
from simnet.training.painters import PaintersRecipe, Studio, concepts_of, held_out, loaded_sets, scaled
from simnet.training.run import TrainingRun


class Recipe(PaintersRecipe):
    """``kind: dsslic``."""

    kind: Literal["dsslic"] = "dsslic"
    networks: DsslicShape


class Players(nn.Module):
    """Everything that is trained."""

    def __init__(self, shape: DsslicShape) -> None:
        super().__init__()
        self.network = FineNet(shape)
        self.critic = MultiScaleCritic(shape.width, n_in=3 + shape.n_classes)


class Painting:
    """The objective of :meth:`Studio.loss`. Both sides step at once."""

    def __init__(self, module: Players, studio: Studio) -> None:
        self.module = module.to(studio.device)
        self.n_items = len(studio.cropper)
        self._studio = studio

    def loss(self, indices: NDArray[np.int64], rng: np.random.Generator, done: float) -> Tensor:
        images, label_map = self._studio.batch(indices, rng)
        made = self.module.network(compact(images), label_map)
        return self._studio.loss(images, made, label_map, self.module.critic, done)

    def evaluate(self) -> dict[str, float]:
        """PSNR and d of test pictures."""
        studio = self._studio
        made = painted(self.module.network, studio.segmenter, studio.test)
        far = distance(studio.recipe.distance, studio.test, made, studio.features)
        return {"psnr_db": float(psnr_db(mean_squared_errors(studio.test, made)).mean()), "distance": float(far)}


@torch.no_grad()
def painted(network: FineNet, segmenter: Segmenter, images: Tensor) -> Tensor:
    """x' of images, without their residual."""
    made: Tensor = network(compact(images), concepts_of(images, segmenter))
    return made


def run(recipe: Recipe, run: TrainingRun) -> None:
    """Train, count the codes' symbols, write ``weights.safetensors`` and ``card.yaml``."""
    sets = loaded_sets(recipe, run)
    module = engine.initialised(lambda: Players(recipe.networks), recipe.seed, "dsslic")
    studio = Studio.of(recipe, sets, recipe.networks.n_classes, engine.resolve_device(run.device))
    objective = Painting(module, studio)
    fitted = engine.fit(objective, recipe, run)
    network, tables = module.network.cpu(), fitted_tables(studio.segmenter.cpu(), sets, recipe.crops.size)
    checkpoints.write_atomically(run.out / "weights.safetensors", pack_dsslic(network, *tables))
    parts = {"decoder": network, "discriminator": module.critic}
    parameters = {role: cards.n_values(part.parameters()) for role, part in parts.items()}
    cards.conclude(recipe, run, fitted, sets, parameters)


@torch.no_grad()
def fitted_tables(segmenter: Segmenter, sets: list[ImageSet], size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """The tables of the compact pictures and of the label maps of pictures scaled to a size."""
    maps, pictures = [], []
    for batch in scaled(sets, size):
        maps.append(concepts_of(batch, segmenter).numpy())
        pictures.append(compact(batch).numpy())
    map_table = fit_map_table(np.concatenate(maps), segmenter.n_classes)
    return torch.from_numpy(fit_compact_table(np.concatenate(pictures), COMPACT_BIT)), torch.from_numpy(map_table)


@torch.no_grad()
def measure(recipe: Recipe, run: TrainingRun) -> dict[str, JsonValue]:
    """What :class:`Originals` says of the pictures without their residual."""
    device = engine.resolve_device(run.device)
    network, _, _ = load_dsslic(run.out / "weights.safetensors")
    network.to(device)
    originals, segmenter = held_out(recipe, run)
    return {"without_residual": dict(originals.held_against(lambda images: painted(network, segmenter, images)))}
