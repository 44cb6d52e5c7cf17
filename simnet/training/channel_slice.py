"""Recipes of kind ``channel_slice``: LSCI's Ce and Cd for one channel, the source codec frozen (paper 000, eq. 23)."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, JsonValue
from torch import Tensor
from torch.nn import functional as F

from simnet.codecs.networks.channel_slices import (
    ChannelSlices,
    ChannelSliceShape,
    load_channel_slices,
    pack_channel_slices,
    through_channel,
)
from simnet.codecs.networks.lsci import LsciBase, load_base, pad_to_stride
from simnet.core import streams
from simnet.core.plugins import KINDS
from simnet.core.zoo import model_dir
from simnet.data.base import ImageSet, Split
from simnet.phy.learned.esno import EsnoRange
from simnet.signal.originals import Originals
from simnet.tasks.networks import load_segmenter
from simnet.tasks.networks.segmenter import Segmenter
from simnet.training import cards, checkpoints, engine, measured_on
from simnet.training.crops import Cropper, Crops
from simnet.training.distance import Distance, distance
from simnet.training.esno import Esno
from simnet.training.recipe import BaseRecipe
from simnet.training.run import TrainingRun

CHUNK = 12
"""Pictures of one crop size, encoded together."""


class Recipe(BaseRecipe):
    """``kind: channel_slice``."""

    kind: Literal["channel_slice"] = "channel_slice"
    base: str
    """Zoo name of the source codec, which stays as it is."""
    slices: ChannelSliceShape
    esno: Esno
    image_weight: Annotated[float, Field(ge=0)] = 0.01
    """γ of (23)."""
    n_pictures: Annotated[int, Field(ge=1)] = 8
    """Pictures of a batch whose d(x, x') counts; the codes of all do."""
    picture_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the steps, drawn, in which d(x, x') is looked at; there it counts by the inverse of this share."""
    rounds: Annotated[int, Field(ge=1)] = 1
    """Crops of every picture and size; each is encoded once, for the source codec stays as it is."""
    distance: Distance = Field(default_factory=Distance)
    data_set: str
    train_on: tuple[Split, ...] = ("train", "val")
    measure_on: str
    measure_at_db: tuple[float, ...] = (-6.0, -3.0, 0.0, 3.0, 6.0, 9.0, 12.0, 15.0, 18.0)
    crops: Annotated[tuple[Crops, ...], Field(min_length=1)] = (Crops(),)
    """Of one size or several, which take turns: at the borders codes differ, and of small pictures all is border."""
    judge: str


class ChannelCode:
    """The objective (23): the codes' squared error, and γ times the pictures' distance."""

    def __init__(
        self, module: ChannelSlices, base: LsciBase, features: Segmenter, train: list[ImageSet], recipe: Recipe,
        device: torch.device,
    ) -> None:  # fmt: skip
        self.module = module.to(device)
        self._generator, self._features = base.generator.to(device), features.to(device)
        self._coded = [_encoded(base.to(device), train, how, recipe, device) for how in recipe.crops]
        self.n_items = sum(len(codes) for _, codes in self._coded)
        self._channel = recipe.slices.channel()
        self._esno = EsnoRange(recipe.esno.low_db, recipe.esno.high_db)
        self._recipe, self._device = recipe, device

    def loss(self, indices: NDArray[np.int64], rng: np.random.Generator, done: float) -> Tensor:
        pictures, codes = self._coded[int(rng.integers(len(self._coded)))]
        which = torch.from_numpy(indices % len(codes))
        quantised = codes[which].to(self._device)
        generator = torch.Generator(self._device).manual_seed(int(rng.integers(2**62)))
        esno = self._esno.sample(len(quantised), generator)
        received = through_channel(self.module, self._channel, quantised, esno, esno, generator)
        error = F.mse_loss(received, quantised)
        share, n = self._recipe.picture_share, self._recipe.n_pictures
        if rng.random() >= share:
            return error
        images = pictures[which[:n]].to(self._device).float() / 255
        made = self._generator(received[:n])[..., : images.shape[2], : images.shape[3]]
        far = distance(self._recipe.distance, images, made.float(), self._features)
        return error + self._recipe.image_weight / share * far

    def evaluate(self) -> dict[str, float]:
        """Nothing beside the loss: the card measures over SNR."""
        return {}


@torch.no_grad()
def _encoded(
    base: LsciBase, train: list[ImageSet], how: Crops, recipe: Recipe, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Crops [N, 3, h, w] uint8 and their codes w^q [N, C, h', w'] float32."""
    cropper = Cropper(train, how)
    images, codes = [], []
    for turn in range(recipe.rounds):
        rng = streams.generator(recipe.seed, "crops", *how.size, turn)
        for part in np.array_split(np.arange(len(cropper)), max(1, len(cropper) // CHUNK)):
            batch, _ = cropper.batch(part, rng, device)
            images.append((batch * 255).round().byte().cpu())
            codes.append(base.quantiser(base.encoder(pad_to_stride(batch))).float().cpu())
    return torch.cat(images), torch.cat(codes)


def run(recipe: Recipe, run: TrainingRun) -> None:
    """Train, then write ``weights.safetensors`` and ``card.yaml``."""
    load_segmenter(model_dir(recipe.judge) / "weights.safetensors")  # a missing judge is said before the training
    data = KINDS["data"].load(recipe.data_set)()
    train = [data.load(split, run.data_root) for split in recipe.train_on]
    measured_on.first_of([recipe.measure_on], run)
    base, _ = load_base(model_dir(recipe.base) / "weights.safetensors")
    features = load_segmenter(model_dir(recipe.distance.features) / "weights.safetensors")
    module = engine.initialised(lambda: ChannelSlices(recipe.slices), recipe.seed, "channel slices")
    objective = ChannelCode(module, base, features, train, recipe, engine.resolve_device(run.device))
    fitted = engine.fit(objective, recipe, run)
    checkpoints.write_atomically(run.out / "weights.safetensors", pack_channel_slices(module))
    parameters = {
        "channel_encoder": cards.n_values(module.encoder.parameters()),
        "channel_decoder": cards.n_values(module.decoder.parameters()),
    }
    cards.conclude(recipe, run, fitted, train, parameters)


def measure(recipe: Recipe, run: TrainingRun) -> dict[str, JsonValue]:
    """Over mean Es/N0: pictures and SS of test pictures, one channel realisation each."""
    device = engine.resolve_device(run.device)
    slices = load_channel_slices(run.out / "weights.safetensors").to(device)
    base, _ = load_base(model_dir(recipe.base) / "weights.safetensors")
    base.to(device)
    networks = [
        load_segmenter(model_dir(name) / "weights.safetensors").to(device)
        for name in (recipe.judge, recipe.distance.features)
    ]
    test = KINDS["data"].load(recipe.measure_on)().load("test", run.data_root)
    originals = Originals.of(test, *networks)
    rows: list[JsonValue] = []
    for esno_db in recipe.measure_at_db:
        seed = int(streams.generator(recipe.seed, "channel of the card", str(esno_db)).integers(2**62))
        generator = torch.Generator(device).manual_seed(seed)
        channel = recipe.slices.channel()

        def recover(images: Tensor, esno_db: float = esno_db, generator: torch.Generator = generator) -> Tensor:
            quantised = base.quantiser(base.encoder(pad_to_stride(images)))
            esno = torch.full((len(images),), 10 ** (esno_db / 10), device=device)
            received = through_channel(slices, channel, quantised, esno, esno, generator)  # noqa: B023
            made: Tensor = base.generator(received)[..., : images.shape[2], : images.shape[3]]
            return made

        rows.append({"esno_db": esno_db, **originals.held_against(recover)})
    return {"over_esno": rows, "unharmed": {**originals.held_against(base)}}
