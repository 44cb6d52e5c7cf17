"""Recipes of kind ``source_id`` on toy sets: who counts as which source, and the confusion matrix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from simnet import training
from simnet.data.idx import write_idx
from simnet.tasks.source_identification import SOURCES
from simnet.training import cards
from simnet.training.recipe import RecipeError, read_recipe
from simnet.training.source_id import confusion

SHIPPED = Path(__file__).parents[3] / "models" / "source_id" / "four_sources" / "train.yaml"


@pytest.fixture
def data_root(tmp_path: Path) -> Path:
    """20 training and 10 test images of each set, labels 0 … 9 in turn, pixels at random."""
    draw = np.random.default_rng(5)
    root = tmp_path / "data"
    for name in ("mnist", "fashion_mnist"):
        (root / name).mkdir(parents=True)
        for prefix, n in (("train", 20), ("t10k", 10)):
            images = draw.integers(256, size=(n, 28, 28), dtype=np.uint8)
            write_idx(root / name / f"{prefix}-images-idx3-ubyte.gz", images)
            write_idx(root / name / f"{prefix}-labels-idx1-ubyte.gz", (np.arange(n) % 10).astype(np.uint8))
    (root / "cifar10").mkdir()
    for name, n in (("test_batch", 10), *((f"data_batch_{i}", 4) for i in range(1, 6))):
        records = draw.integers(256, size=(n, 3073), dtype=np.uint8)
        records[:, 0] = np.arange(n) % 10
        records.tofile(root / "cifar10" / f"{name}.bin")
    return root


def toy_recipe(folder: Path) -> Path:
    content: dict[str, Any] = yaml.safe_load(SHIPPED.read_text())
    content["n_train_per_source"] = 6
    content["network"] = {"name": "source_cnn", "options": {"width": 2}}
    content["optimisation"] |= {"epochs": 1, "batch_size": 8}
    folder.mkdir(parents=True)
    (folder / "train.yaml").write_text(yaml.safe_dump(content))
    return folder / "train.yaml"


def test_card_counts_every_test_image_of_every_source(tmp_path: Path, data_root: Path) -> None:
    folder = training.train(toy_recipe(tmp_path / "source_id" / "toy"), data_root=data_root, quiet=True)
    measured: dict[str, Any] = cards.read_card(folder).measured
    rows = {source: sum(row.values()) for source, row in measured["test_confusion"].items()}
    assert rows == {"digits": 10, "clothes": 10, "vehicles": 4, "animals": 6}
    correct = sum(measured["test_confusion"][s][s] for s in SOURCES)
    assert measured["test"]["n_correct"] == correct
    assert measured["sample"]["n"] == 3000
    # 6 of each source; the CIFAR batches hold ten vehicles (labels 0, 1) and ten animals (2, 3)
    assert cards.read_card(folder).data["sources/train"].n == 24


def test_confusion_by_hand() -> None:
    matrix = confusion(np.array([0, 0, 1, 3]), np.array([0, 2, 1, 2]))
    assert matrix["digits"] == {"digits": 1, "clothes": 0, "vehicles": 1, "animals": 0}
    assert matrix["animals"] == {"digits": 0, "clothes": 0, "vehicles": 1, "animals": 0}


def test_every_source_must_be_named(tmp_path: Path) -> None:
    path = toy_recipe(tmp_path / "source_id" / "toy")
    content = yaml.safe_load(path.read_text())
    content["sources"]["scenes"] = {"data_set": "cifar10"}
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(RecipeError, match=r"sources\.scenes.*'digits', 'clothes', 'vehicles' or 'animals'"):
        read_recipe(path)
    del content["sources"]["scenes"], content["sources"]["digits"]
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(RecipeError, match=r"sources: .*missing: digits"):
        read_recipe(path)
