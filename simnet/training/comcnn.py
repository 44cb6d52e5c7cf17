"""Recipes of kind ``comcnn``: ComCNN and RecCNN around JPEG (Jiang et al., 2018), trained together.

JPEG has no useful gradient: backwards it counts as doing nothing (straight-through), where the paper trains the two
networks in turn, ComCNN without JPEG.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, JsonValue
from torch import Tensor
from torch.nn import functional as F

from simnet.codecs.jpeg import Jpeg
from simnet.codecs.networks.compact import Compact, CompactShape, load_compact
from simnet.codecs.quality import mean_squared_errors, psnr_db
from simnet.core.plugins import KINDS
from simnet.data.base import Split
from simnet.training import cards, checkpoints, engine
from simnet.training.crops import Cropper, Crops
from simnet.training.recipe import BaseRecipe, lowest_first
from simnet.training.run import TrainingRun

Quality: TypeAlias = Annotated[int, Field(ge=1, le=100)]
QUALITIES = (5, 20, 50)
"""That the card is measured at."""


class Recipe(BaseRecipe):
    """``kind: comcnn``."""

    kind: Literal["comcnn"] = "comcnn"
    networks: CompactShape
    quality: Annotated[tuple[Quality, Quality], AfterValidator(lowest_first)] = (3, 60)
    """Lowest and highest JPEG quality, drawn per batch."""
    data_set: str
    train_on: tuple[Split, ...] = ("train", "val")
    measure_on: str
    crops: Crops = Field(default_factory=Crops)


class Restoration:
    """The objective: the squared error of restored pictures."""

    def __init__(self, module: Compact, cropper: Cropper, test: Tensor, recipe: Recipe, device: torch.device) -> None:
        self.module = module.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.n_items = len(cropper)
        self._cropper, self._test, self._recipe, self._device = cropper, test, recipe, device

    def loss(self, indices: NDArray[np.int64], rng: np.random.Generator, done: float) -> Tensor:
        images, _ = self._cropper.batch(indices, rng, self._device)
        low, high = self._recipe.quality
        compact = self.module.compact(images).float()
        coded = jpeg_of(compact.detach(), int(rng.integers(low, high + 1)))
        return F.mse_loss(self.module.restore(compact + (coded - compact).detach()).float(), images)

    def evaluate(self) -> dict[str, float]:
        return {f"psnr_db_{q}": self.psnr_db(q) for q in QUALITIES}

    def psnr_db(self, quality: int) -> float:
        """Mean over the test pictures, at one JPEG quality."""
        made = self.module.restore(jpeg_of(self.module.compact(self._test), quality))
        return float(psnr_db(mean_squared_errors(self._test, made.float())).mean())


def jpeg_of(pictures: Tensor, quality: int) -> Tensor:
    """What JPEG makes of pictures [B, 3, H, W] in [0, 1]."""
    codec = Jpeg(Jpeg.Params(image_shape=(3, pictures.shape[2], pictures.shape[3]), quality=quality))
    return codec.decode(codec.encode(pictures.float().cpu())).to(pictures.device)


def run(recipe: Recipe, run: TrainingRun) -> None:
    """Train, then write ``weights.safetensors`` and ``card.yaml``."""
    data = KINDS["data"].load(recipe.data_set)()
    train = [data.load(split, run.data_root) for split in recipe.train_on]
    module = engine.initialised(lambda: Compact(recipe.networks), recipe.seed, "comcnn")
    fitted = engine.fit(_objective(module, Cropper(train, recipe.crops), recipe, run), recipe, run)
    header = {"shape": recipe.networks.model_dump_json()}
    checkpoints.save_weights(run.out / "weights.safetensors", module.half(), header)
    parameters = {
        "encoder": cards.n_values(module.com.parameters()),
        "decoder": cards.n_values(module.rec.parameters()),
    }
    cards.conclude(recipe, run, fitted, train, parameters)


def measure(recipe: Recipe, run: TrainingRun) -> dict[str, JsonValue]:
    """PSNR of the shipped pictures by JPEG quality."""
    module = load_compact(run.out / "weights.safetensors")
    sample = KINDS["data"].load(recipe.measure_on)().load("sample")
    objective = _objective(module, Cropper([sample], recipe.crops), recipe, run)
    with torch.no_grad():
        psnrs: dict[str, JsonValue] = {f"quality_{q}": round(objective.psnr_db(q), 3) for q in QUALITIES}
    return {"psnr_db": psnrs, "n": len(sample)}


def _objective(module: Compact, cropper: Cropper, recipe: Recipe, run: TrainingRun) -> Restoration:
    device = engine.resolve_device(run.device)
    sample = KINDS["data"].load(recipe.measure_on)().load("sample")
    return Restoration(module, cropper, torch.tensor(sample.images, device=device).float() / 255, recipe, device)
