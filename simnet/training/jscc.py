"""Recipes of kind ``jscc``: from pixels to channel symbols and back, over a noisy channel (paper 003, VI-A)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

import torch
from pydantic import Field, JsonValue, model_validator

from simnet.codecs.networks.jscc import STRIDE, Jscc, JsccShape, load_jscc, n_symbols, pack_jscc, trunk_of
from simnet.core.errors import SimnetError
from simnet.core.plugins import KINDS
from simnet.core.zoo import model_dir
from simnet.data.base import ImageSet
from simnet.phy.learned.esno import EsnoRange, Per
from simnet.signal.originals import Originals
from simnet.tasks.networks import load_network, load_segmenter
from simnet.tasks.networks.base import Classifier
from simnet.tasks.networks.segmenter import Segmenter
from simnet.training import cards, checkpoints, engine
from simnet.training.augmentation import Augmentation
from simnet.training.esno import Esno
from simnet.training.fitting import require_classes, require_images
from simnet.training.jscc_evaluation import psnr_of, transmitted, truth
from simnet.training.jscc_objectives import (
    Common,
    ReEncoding,
    SemanticContrast,
    Semantics,
    SquaredError,
    TaskLoss,
    Transmission,
)
from simnet.training.recipe import BaseRecipe, Optimisation
from simnet.training.run import TrainingRun

System = Literal["deepjscc", "deepsc", "semcc", "semre"]
GUIDED: dict[System, type[TaskLoss | SemanticContrast]] = {"deepsc": TaskLoss, "semcc": SemanticContrast}


class EsnoPer(Esno):
    """Drawn for each image or each batch."""

    per: Per = "image"


class Recipe(BaseRecipe):
    """``kind: jscc``."""

    kind: Literal["jscc"] = "jscc"
    system: System = "deepjscc"
    """``deepjscc``: the squared error (9); ``deepsc``: with the task's loss (11); ``semcc``: with contrast in a guide's
    feature space (10), then ``fine_tuning`` with the task's loss; ``semre``: with contrast of codes (13)."""
    semantics: Semantics | None = None
    """Of all systems but ``deepjscc``."""
    fine_tuning: Optimisation | None = None
    """SemCC's second stage; None: the first is all (the ablation without fine-tuning)."""
    networks: JsccShape
    esno: EsnoPer
    start_from: str | None = None
    """Zoo name of the networks to begin with, of the same width; heads that they lack begin anew."""
    data_set: str
    train_on_first: Annotated[int, Field(ge=1)] | None = None
    """Training images to use, of the set's own order; None: all."""
    augmentation: Augmentation = Field(default_factory=lambda: Augmentation(mirror=True))
    measure_at_db: tuple[float, ...] = (-5.0, 0.0, 5.0, 7.0, 10.0, 15.0, 20.0)
    measure_on_first: Annotated[int, Field(ge=1)] | None = None
    """Test images that the card is measured on; None: all."""
    judge: str
    """Zoo name of what measures SS: a classifier, or a segmenter where the data set has a label per pixel."""
    other_judges: tuple[str, ...] = ()
    """Zoo names of more classifiers, whose accuracy is told too."""
    features: str | None = None
    """Of a set with a label per pixel: zoo name of the segmenter whose features measure distances."""
    evaluate_on: Annotated[int, Field(ge=1)] = 1000
    """Test images that the curve is measured on."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.start_from is not None and self.networks.trunk is not None:
            raise ValueError(f"start_from: got {self.start_from!r}; heads on another model's trunk begin anew")
        guided, guide = self.system in GUIDED, self.semantics.guide if self.semantics else None
        if (self.system == "deepjscc") != (self.semantics is None):
            raise ValueError(f"semantics: system {self.system} takes {'none' if self.semantics else 'some'}")
        if guided != (guide is not None):
            raise ValueError(f"semantics.guide: got {guide!r}; systems {', '.join(GUIDED)} take one, the others none")
        if self.fine_tuning is not None and self.system != "semcc":
            raise ValueError(f"fine_tuning: got one for system {self.system!r}; allowed for 'semcc' only")
        if self.features is not None and self.other_judges:
            raise ValueError(f"other_judges: got {', '.join(self.other_judges)}; allowed: none beside 'features'")
        return self


def run(recipe: Recipe, run: TrainingRun) -> None:
    """Train, then write ``weights.safetensors`` and ``card.yaml``."""
    judged_by = _judges if recipe.features is None else _street_judges
    judges = judged_by(recipe)  # a missing judge is said before the training
    data = KINDS["data"].load(recipe.data_set)()
    train, test = data.load("train", run.data_root), data.load("test", run.data_root)
    if recipe.system != "deepjscc" and train.labels.ndim > 1:
        raise SimnetError(
            f"{run.recipe_path}: data_set: got {recipe.data_set!r} with a label per pixel; "
            f"system {recipe.system!r} allows sets with a label per image"
        )
    _require_fit(recipe, run, train, judges)
    networks = _initial(recipe)
    e = recipe.esno
    common = Common(
        networks,
        train.first(recipe.train_on_first),
        test.first(recipe.evaluate_on),
        EsnoRange(e.low_db, e.high_db, e.per),
        recipe.augmentation,
        engine.resolve_device(run.device),
    )
    fitted = engine.fit(_objective(recipe, common), recipe, run)
    if recipe.fine_tuning is not None and recipe.semantics is not None:
        task = TaskLoss(common, _guide(recipe.semantics), recipe.semantics)
        fitted = engine.fit(task, recipe, run, stage=recipe.fine_tuning, after=fitted)
    checkpoints.write_atomically(run.out / "weights.safetensors", pack_jscc(networks))
    parameters = {
        "encoder": cards.n_values([*networks.encoder.parameters(), *networks.to_channel.parameters()]),
        "decoder": cards.n_values([*networks.from_channel.parameters(), *networks.decoder.parameters()]),
    }
    cards.conclude(recipe, run, fitted, (common.train, test), parameters)


def _require_fit(recipe: Recipe, run: TrainingRun, train: ImageSet, judges: Sequence[Classifier | Segmenter]) -> None:
    _, height, width = train.images.shape[1:]
    require_images(run, train, "networks", (3, height - height % STRIDE, width - width % STRIDE))
    if recipe.features is not None and train.labels.ndim == 1:
        raise SimnetError(
            f"{run.recipe_path}: features: got {recipe.features}; {recipe.data_set} has a label per image; allowed for "
            "sets with a label per pixel"
        )
    for name, network in zip((recipe.judge, *recipe.other_judges), judges, strict=False):  # features is no classifier
        if isinstance(network, Classifier):
            require_classes(run, train, f"judge {name}", network)
    if recipe.semantics is not None and recipe.semantics.guide is not None:
        require_classes(run, train, f"semantics.guide {recipe.semantics.guide}", _guide(recipe.semantics))


def _initial(recipe: Recipe) -> Jscc:
    networks = engine.initialised(lambda: Jscc(recipe.networks), recipe.seed, "jscc")
    if recipe.networks.trunk is not None:
        networks.load_state_dict(networks.state_dict() | trunk_of(recipe.networks))
        for shared in (networks.encoder, networks.decoder):
            shared.requires_grad_(False)
    if recipe.start_from is not None:
        start = load_jscc(model_dir(recipe.start_from) / "weights.safetensors")
        if start.shape.width != recipe.networks.width:
            raise SimnetError(
                f"start_from: got {recipe.start_from!r} of width {start.shape.width}; "
                f"allowed are networks of width {recipe.networks.width}, the recipe's"
            )
        own = networks.state_dict()
        networks.load_state_dict(own | {k: v for k, v in start.state_dict().items() if k in own})
    return networks


def _objective(recipe: Recipe, common: Common) -> Transmission:
    """Of the first stage; weights that it needs beside the networks are drawn here."""
    semantics, system = recipe.semantics, recipe.system
    if semantics is None:
        return SquaredError(common)
    if system == "semre":
        size = (common.train.images.shape[2], common.train.images.shape[3])
        return engine.initialised(lambda: ReEncoding(common, size, semantics), recipe.seed, "projection")
    return engine.initialised(lambda: GUIDED[system](common, _guide(semantics), semantics), recipe.seed, "projection")


def _guide(semantics: Semantics) -> Classifier:
    assert semantics.guide is not None
    return load_network(model_dir(semantics.guide) / "weights.safetensors")


def _judges(recipe: Recipe) -> list[Classifier]:
    """``judge`` and ``other_judges``."""
    return [load_network(model_dir(name) / "weights.safetensors") for name in (recipe.judge, *recipe.other_judges)]


def _street_judges(recipe: Recipe) -> tuple[Segmenter, Segmenter]:
    """``judge`` and ``features``, of sets with a label per pixel."""
    assert recipe.features is not None
    judge, features = (
        load_segmenter(model_dir(name) / "weights.safetensors") for name in (recipe.judge, recipe.features)
    )
    return judge, features


def measure(recipe: Recipe, run: TrainingRun) -> dict[str, JsonValue]:
    """Over mean Es/N0, for each head: PSNR both ways, accuracy, SS."""
    device = engine.resolve_device(run.device)
    networks = load_jscc(run.out / "weights.safetensors").to(device)
    if recipe.features is not None:
        return _street_figures(recipe, run, networks)
    judge, *others = (network.to(device) for network in _judges(recipe))
    test = KINDS["data"].load(recipe.data_set)().load("test", run.data_root).first(recipe.measure_on_first)
    labels = torch.tensor(test.labels)
    before = truth(judge, torch.tensor(test.images).float() / 255, labels)
    rows: list[JsonValue] = []
    for head in recipe.networks.heads:
        for esno_db in recipe.measure_at_db:
            made = transmitted(networks, test.images, head, esno_db, recipe.seed)
            psnr, after = psnr_of(test.images, made), truth(judge, made, labels)
            error = (10 ** (-psnr.double() / 10)).mean()
            figures: dict[str, JsonValue] = {
                "symbols": n_symbols((made.shape[2], made.shape[3]), head),
                "esno_db": esno_db,
                "psnr_db": round(float(psnr.mean()), 3),
                "psnr_of_mean_error_db": round(float(-10 * error.log10()), 3),
                "accuracy": round(float(after[0].mean()), 4),
                "ss": round(float(after[1].sum() / before[1].sum()), 4),
                "n": len(test),
            }
            for name, other in zip(recipe.other_judges, others, strict=True):
                figures[f"accuracy_by_{name.split('/')[-1]}"] = round(float(truth(other, made, labels)[0].mean()), 4)
            rows.append(figures)
    return {"over_esno": rows, "original_accuracy": round(float(before[0].mean()), 4)}


def _street_figures(recipe: Recipe, run: TrainingRun, networks: Jscc) -> dict[str, JsonValue]:
    """What :class:`Originals` says of test pictures with a label per pixel."""
    test = KINDS["data"].load(recipe.data_set)().load("test", run.data_root).first(recipe.measure_on_first)
    originals = Originals.of(test, *_street_judges(recipe))
    rows: list[JsonValue] = []
    for head in recipe.networks.heads:
        for esno_db in recipe.measure_at_db:
            quality = originals.measured(transmitted(networks, test.images, head, esno_db, recipe.seed))
            size = (test.images.shape[2], test.images.shape[3])
            rows.append({"symbols": n_symbols(size, head), "esno_db": esno_db, **quality})
    return {"over_esno": rows}
