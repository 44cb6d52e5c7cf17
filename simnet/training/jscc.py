"""Recipes of kind ``jscc``: from pixels to channel symbols and back, over a noisy channel (paper 003)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, JsonValue
from torch import Tensor
from torch.nn import functional as F

from simnet.codecs.networks.jscc import Jscc, JsccShape, load_jscc, n_symbols, pack_jscc
from simnet.core import streams
from simnet.core.plugins import KINDS
from simnet.core.units import db_to_linear
from simnet.core.zoo import model_dir
from simnet.data.base import ImageSet
from simnet.phy.learned.esno import EsnoRange, Per
from simnet.signal.judge import psnr_db
from simnet.signal.originals import BATCH as ORIGINALS_BATCH
from simnet.signal.originals import Originals
from simnet.tasks.networks import load_network, load_segmenter
from simnet.tasks.networks.base import Classifier
from simnet.training import cards, checkpoints, engine
from simnet.training.augmentation import Augmentation, Augmenter
from simnet.training.esno import Esno
from simnet.training.recipe import BaseRecipe
from simnet.training.run import TrainingRun

BATCH = 500


class EsnoPer(Esno):
    """Drawn for each image or each batch."""

    per: Per = "image"


class Recipe(BaseRecipe):
    """``kind: jscc``."""

    kind: Literal["jscc"] = "jscc"
    system: Literal["deepjscc"] = "deepjscc"
    """``deepjscc``: the squared error (9)."""
    networks: JsccShape
    esno: EsnoPer
    data_set: str
    augmentation: Augmentation = Field(default_factory=lambda: Augmentation(mirror=True))
    measure_at_db: tuple[float, ...] = (-5.0, 0.0, 5.0, 7.0, 10.0, 15.0, 20.0)
    judge: str
    """Zoo name of what measures SS: a classifier, or a segmenter where the data set has a label per pixel."""
    features: str | None = None
    """Of a set with a label per pixel: zoo name of the segmenter whose features measure distances."""
    evaluate_on: Annotated[int, Field(ge=1)] = 1000
    """Test images that the curve is measured on."""
    notes: tuple[str, ...] = ()


class SquaredError:
    """The objective (9); every batch goes through one of the heads, in turn."""

    def __init__(self, module: Jscc, train: ImageSet, test: ImageSet, recipe: Recipe, device: torch.device) -> None:
        self.module = module.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.n_items = len(train)
        self._augmenter = Augmenter(train.images, recipe.augmentation)
        self._test, self._recipe, self._device = test, recipe, device
        self._channel = recipe.networks.channel()
        self._esno = EsnoRange(recipe.esno.low_db, recipe.esno.high_db, recipe.esno.per)

    def loss(self, indices: NDArray[np.int64], rng: np.random.Generator, done: float) -> Tensor:
        images = torch.from_numpy(self._augmenter.batch(indices, rng)).to(self._device) / 255
        heads = self._recipe.networks.heads
        head = heads[int(rng.integers(len(heads)))]
        generator = torch.Generator(self._device).manual_seed(int(rng.integers(2**62)))
        esno = self._esno.sample(len(images), generator)
        size = (images.shape[2], images.shape[3])
        draws = self._channel.draw(len(images), n_symbols(size, head), generator)
        made = self.module(images, head, self._channel, esno, draws)
        return F.mse_loss(made.float(), images)

    def evaluate(self) -> dict[str, float]:
        """PSNR at 10 dB, of each head."""
        recipe, images = self._recipe, self._test.images[: self._recipe.evaluate_on]
        return {
            f"psnr_db_{head}": float(_psnr(images, transmitted(self.module, images, head, 10.0, recipe.seed)).mean())
            for head in recipe.networks.heads
        }


@torch.no_grad()
def transmitted(networks: Jscc, images: NDArray[np.uint8], head: int, esno_db: float, seed: int) -> Tensor:
    """What arrives of images [N, 3, H, W] at one mean Es/N0: float32 in [0, 1]; one draw of the channel for each."""
    device, channel = next(networks.parameters()).device, networks.shape.channel()
    generator = torch.Generator(device)
    generator.manual_seed(int(streams.generator(seed, "evaluation", head, str(esno_db)).integers(2**62)))
    made = []
    for start in range(0, len(images), BATCH):
        batch = torch.tensor(images[start : start + BATCH], device=device).float() / 255
        draws = channel.draw(len(batch), n_symbols((batch.shape[2], batch.shape[3]), head), generator)
        esno = torch.full((len(batch),), db_to_linear(esno_db), device=device)
        made.append(networks(batch, head, channel, esno, draws).cpu())
    return torch.cat(made)


def _psnr(images: NDArray[np.uint8], made: Tensor) -> Tensor:
    return psnr_db(torch.tensor(images).float() / 255, made)


def run(recipe: Recipe, run: TrainingRun) -> None:
    """Train, then write ``weights.safetensors`` and ``card.yaml``."""
    data = KINDS["data"].load(recipe.data_set)()
    train, test = data.load("train", run.data_root), data.load("test", run.data_root)
    networks = engine.initialised(lambda: Jscc(recipe.networks), recipe.seed, "jscc")
    fitted = engine.fit(SquaredError(networks, train, test, recipe, engine.resolve_device(run.device)), recipe, run)
    checkpoints.write_atomically(run.out / "weights.safetensors", pack_jscc(networks))
    cards.write_card(run.out, cards.Card(
        model=cards.model_name(run),
        kind=recipe.kind,
        training=cards.training_facts(recipe, run, fitted),
        data=cards.data_used(train, test),
        parameters={
            "encoder": cards.n_values([*networks.encoder.parameters(), *networks.to_channel.parameters()]),
            "decoder": cards.n_values([*networks.from_channel.parameters(), *networks.decoder.parameters()]),
        },
        measured=cards.measure(recipe, run),
        notes=recipe.notes,
    ))  # fmt: skip
    engine.finish(run)


def measure(recipe: Recipe, run: TrainingRun) -> dict[str, JsonValue]:
    """Over mean Es/N0, for each head: PSNR both ways, accuracy, SS."""
    device = engine.resolve_device(run.device)
    networks = load_jscc(run.out / "weights.safetensors").to(device)
    if recipe.features is not None:
        return _street_figures(recipe, run, networks)
    judge = load_network(model_dir(recipe.judge) / "weights.safetensors").to(device)
    test = KINDS["data"].load(recipe.data_set)().load("test", run.data_root)
    labels = torch.tensor(test.labels)
    before = _truth(judge, torch.tensor(test.images).float() / 255, labels)
    rows: list[JsonValue] = []
    for head in recipe.networks.heads:
        for esno_db in recipe.measure_at_db:
            made = transmitted(networks, test.images, head, esno_db, recipe.seed)
            psnr, after = _psnr(test.images, made), _truth(judge, made, labels)
            error = (10 ** (-psnr.double() / 10)).mean()
            rows.append({
                "symbols": n_symbols((made.shape[2], made.shape[3]), head),
                "esno_db": esno_db,
                "psnr_db": round(float(psnr.mean()), 3),
                "psnr_of_mean_error_db": round(float(-10 * error.log10()), 3),
                "accuracy": round(float(after[0].mean()), 4),
                "ss": round(float(after[1].sum() / before[1].sum()), 4),
                "n": len(test),
            })  # fmt: skip
    return {"over_esno": rows, "original_accuracy": round(float(before[0].mean()), 4)}


def _street_figures(recipe: Recipe, run: TrainingRun, networks: Jscc) -> dict[str, JsonValue]:
    """What :class:`Originals` says of test pictures with a label per pixel."""
    assert recipe.features is not None
    test = KINDS["data"].load(recipe.data_set)().load("test", run.data_root)
    models = (load_segmenter(model_dir(name) / "weights.safetensors") for name in (recipe.judge, recipe.features))
    originals = Originals.of(test, *models)
    rows: list[JsonValue] = []
    for head in recipe.networks.heads:
        for esno_db in recipe.measure_at_db:
            made = iter(torch.split(transmitted(networks, test.images, head, esno_db, recipe.seed), ORIGINALS_BATCH))

            def recover(images: Tensor, made: Iterator[Tensor] = made) -> Tensor:
                return next(made)

            quality = originals.held_against(recover)
            size = (test.images.shape[2], test.images.shape[3])
            rows.append({"symbols": n_symbols(size, head), "esno_db": esno_db, **quality})
    return {"over_esno": rows}


@torch.no_grad()
def _truth(judge: Classifier, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Of each image: whether the judge recognises it, and the probability that it gives the truth."""
    device = next(judge.parameters()).device
    inferred = torch.cat([judge(x.to(device)).softmax(1).cpu() for x in torch.split(images, BATCH)])
    return (inferred.argmax(1) == labels).double(), inferred[torch.arange(len(labels)), labels].double()
