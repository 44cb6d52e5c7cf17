"""Images that don't fit a recipe's networks are refused before the training, with what would fit."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from simnet import training
from simnet.core.errors import SimnetError
from simnet.core.plugins import KINDS
from simnet.data.base import ImageSet
from simnet.training import engine

CLASSIFIER = {"kind": "classifier", "network": {"name": "lenet"}, "data_set": "fashion_mnist"}
AUTOENCODER = {
    "kind": "autoencoder",
    "source": {"data_set": "fashion_mnist"},
    "autoencoder": {"architecture": "grey28", "z": 4},
    "loss": {"pixel": "mse", "gamma": 0.5, "semantic": "classifier/clothes_features"},
    "judge": "classifier/clothes_judge",
}
COLOUR32 = {"architecture": "colour32", "z": 4, "width": 4}
JSCC = {
    "kind": "jscc",
    "networks": {"width": 2},
    "esno": {"low_db": 5, "high_db": 5},
    "data_set": "cifar10",
    "judge": "classifier/cifar10_judge",
}
STREET = {"data_set": "streets", "judge": "segmenter/street_judge", "features": "segmenter/street_parser"}
GREY, COLOUR, SCENE = r"\[1, 28, 28\]", r"\[3, 32, 32\]", r"\[3, 96, 128\]"


@cache
def few(name: str) -> ImageSet:
    found: ImageSet = KINDS["data"].load(name)().load("sample").first(20)
    return found


@pytest.fixture(autouse=True)
def shipped_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the place of all splits."""
    for name in ("fashion_mnist", "cifar10", "streets"):
        data = KINDS["data"].load(name)
        sample = few(name)
        monkeypatch.setattr(data, "load", lambda self, split, root=None, sample=sample: sample)


class Trained(Exception):
    pass


def train(folder: Path, recipe: dict[str, Any]) -> None:
    (folder / "toys" / "one").mkdir(parents=True)
    path = folder / "toys" / "one" / "train.yaml"
    path.write_text(yaml.safe_dump({**recipe, "optimisation": {"epochs": 1, "batch_size": 4, "learning_rate": 0.1}}))
    training.train(path, quiet=True)


@pytest.mark.parametrize("recipe", [CLASSIFIER, AUTOENCODER, JSCC, {**JSCC, **STREET}])
def test_what_fits_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: dict[str, Any]) -> None:
    def fit(*_: Any) -> None:
        raise Trained

    monkeypatch.setattr(engine, "fit", fit)
    with pytest.raises(Trained):
        train(tmp_path, recipe)


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({**CLASSIFIER, "data_set": "streets"}, rf"network lenet: takes images of {GREY}.*streets has {SCENE}"),
        (
            {**CLASSIFIER, "network": {"name": "lenet", "options": {"n_classes": 5}}},
            r"train\.yaml: network lenet: got 5 classes; fashion_mnist has labels up to 9; allowed 10 or more",
        ),
        (
            {**AUTOENCODER, "autoencoder": COLOUR32},
            rf"autoencoder\.architecture colour32: takes images of {COLOUR}.*; fashion_mnist has {GREY}",
        ),
        (
            {**AUTOENCODER, "autoencoder": COLOUR32, "source": {"data_set": "streets", "labels": [0]}},
            rf"autoencoder\.architecture colour32: takes images of {COLOUR}.*; streets has {SCENE}",
        ),
        ({**AUTOENCODER, "judge": "classifier/cifar10_judge"}, f"judge classifier/cifar10_judge: takes .*{COLOUR}"),
        (
            {**AUTOENCODER, "loss": {**AUTOENCODER["loss"], "semantic": "classifier/cifar10_judge"}},  # type: ignore[dict-item]
            f"loss.semantic classifier/cifar10_judge: takes .*{COLOUR}",
        ),
        (
            {**AUTOENCODER, "source": {"data_set": "fashion_mnist", "labels": [3, 77]}},
            r"source\.labels: got \[3, 77\]; no train image of fashion_mnist has \[77\]; allowed 0\.\.9",
        ),
        (
            {**AUTOENCODER, "source": {"data_set": "fashion_mnist", "labels": []}},
            r"source\.labels: got \[\]; no train image of fashion_mnist has any of them",
        ),
        ({**JSCC, "data_set": "fashion_mnist"}, rf"networks: takes images of \[3, 28, 28\].*fashion_mnist has {GREY}"),
        ({**JSCC, "judge": "classifier/clothes_judge"}, rf"judge.*: takes images of {GREY}.*; cifar10 has {COLOUR}"),
        (
            {**JSCC, "system": "deepsc", "semantics": {"guide": "classifier/clothes_judge"}},
            rf"semantics\.guide classifier/clothes_judge: takes images of {GREY}",
        ),
        ({**JSCC, **STREET, "data_set": "cifar10"}, "features: got segmenter/street_parser; cifar10 has a label per"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, recipe: dict[str, Any], message: str) -> None:
    with pytest.raises(SimnetError, match=message):
        train(tmp_path, recipe)
