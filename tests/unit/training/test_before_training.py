"""What a recipe names for measuring is looked for before the training, which would be lost if it weren't there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from simnet import training
from simnet.core.errors import UnknownName
from simnet.core.zoo import model_dir
from simnet.data.cityscapes import CLASS_OF_ID
from simnet.data.streets import N_PICTURES
from simnet.training import cards, engine
from simnet.training.recipe import kind_module, read_recipe
from simnet.training.run import TrainingRun

JUDGED = [
    *(
        (model, {"judge": "segmenter/street_jugde"})
        for model in ("jscc/semcc_awgn", "jscc/street_awgn", "sesc/street", "channel/street_awgn_high",
                      "sesc_importance/street_detection", "aesc/digits_z40", "lsci/street", "rlasc_agent/street")
    ),
    ("jscc/semcc_awgn", {"other_judges": ("classifier/street_jugde",)}),
    ("jscc/street_awgn", {"features": "segmenter/street_jugde"}),
]  # fmt: skip


@pytest.mark.parametrize(("model", "changes"), JUDGED)
def test_a_missing_judge_is_said_even_before_data_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, changes: dict[str, Any]
) -> None:
    monkeypatch.delenv("SIMNET_DATA", raising=False)
    path = model_dir(model) / "train.yaml"
    recipe = read_recipe(path).model_copy(update=changes)
    with pytest.raises(UnknownName, match="street_jugde"):
        kind_module(recipe.kind).run(recipe, TrainingRun(path, None, "cpu", resume=False, out=tmp_path, quiet=True))


SMALL: dict[str, dict[str, Any]] = {
    "segmenter": {"network": {"name": "unet", "options": {"width": 2}}, "crops": {"size": [32, 64]}},
    "detector": {"width": 2, "crops": {"size": [32, 64]}},
    "lsci": {"base": {"width": 2}, "judge": "segmenter/street_judge", "crops": {"size": [32, 64]}},
    "channel_slice": {
        "base": "lsci/street", "slices": {"width": 2}, "esno": {"low_db": 0, "high_db": 10},
        "crops": [{"size": [32, 64]}], "judge": "segmenter/street_judge",
    },
}  # fmt: skip


def written(folder: Path, kind: str, **changes: Any) -> Path:
    folder.mkdir(parents=True)
    path = folder / "train.yaml"
    common = {"kind": kind, "train_on": ["train"], "optimisation": {"epochs": 1, "batch_size": 2, "learning_rate": 0.1}}
    path.write_text(yaml.safe_dump({**common, **SMALL[kind], **changes}))
    return path


@pytest.mark.parametrize("kind", SMALL)
def test_every_set_that_is_measured_on_is_looked_for_before_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    for split in ("train", "test"):
        monkeypatch.setitem(N_PICTURES, split, 2)
    monkeypatch.setattr(engine, "fit", lambda *_: pytest.fail("trained"))
    measure_on: Any = "camvidd" if kind == "channel_slice" else ["streets", "camvidd"]
    path = written(tmp_path / "toys" / kind, kind, data_set="streets", measure_on=measure_on)
    with pytest.raises(UnknownName, match="camvidd"):
        training.train(path, quiet=True)


@pytest.fixture
def cityscapes(tmp_path: Path) -> Path:
    """Two pictures with all classes, for training and for measuring: no images of this set are shipped."""
    root, rng = tmp_path / "data", np.random.default_rng(0)
    labels = np.kron(np.resize(np.array(list(CLASS_OF_ID), np.uint8), (3, 6)), np.ones((20, 20), np.uint8))
    for split in ("train", "val"):
        for kind, end in (("leftImg8bit", "leftImg8bit.png"), ("gtFine", "gtFine_labelIds.png")):
            folder = root / "cityscapes" / kind / split / "ulm"
            folder.mkdir(parents=True)
            for i in range(2):
                content = rng.integers(256, size=(60, 120, 3), dtype=np.uint8) if kind == "leftImg8bit" else labels
                Image.fromarray(content).save(folder / f"ulm_{i}_{end}")
    return root


@pytest.mark.parametrize("kind", ["segmenter", "detector"])
def test_sets_of_which_no_images_are_shipped_are_measured_by_their_test_images(
    tmp_path: Path, cityscapes: Path, kind: str
) -> None:
    path = written(tmp_path / "toys" / kind, kind, data_set="cityscapes", measure_on=["cityscapes"])
    measured: Any = cards.read_card(training.train(path, data_root=cityscapes, quiet=True)).measured["cityscapes"]
    assert list(measured) == ["flops_per_image", "test"] and measured["test"]["n"] == 2
