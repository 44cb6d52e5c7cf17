"""The reduced DSSLIC's training: who learns when, what its tables cost, a whole short training and its card."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from simnet.codecs.entropy.compact import CompactCoder
from simnet.codecs.networks.dsslic import COMPACT_BIT, TOP, DsslicShape, FineNet, compact, load_dsslic
from simnet.codecs.networks.rlasc import Global, RlascShape
from simnet.data.camvid_small import CamVidSmall
from simnet.tasks.networks.fpn import Fpn
from simnet.training import train
from simnet.training.cards import read_card
from simnet.training.crops import Cropper, Crops
from simnet.training.dsslic import Painting, Players, Recipe, fitted_tables
from simnet.training.painters import Studio

SHAPE = DsslicShape(width=4)
COMMON = {
    "networks": SHAPE.model_dump(),
    "data_set": "camvid_small",
    "train_on": ["sample"],
    "measure_on": "camvid_small",
    "judge": "segmenter/street_judge",
    "optimisation": {"epochs": 1, "batch_size": 4, "learning_rate": 0.001},
}


@pytest.fixture(scope="module")
def segmenter() -> Fpn:
    torch.manual_seed(0)
    return Fpn(width=4).eval().requires_grad_(False)


def test_the_discriminator_plays_at_the_end_only(segmenter: Fpn) -> None:
    recipe = Recipe.model_validate({**COMMON, "adversarial": 0.3})
    sample = CamVidSmall().load("sample").first(6)
    test = torch.tensor(sample.images).float() / 255
    studio = Studio(recipe, segmenter, segmenter, Cropper([sample], Crops()), test, torch.device("cpu"))
    torch.manual_seed(1)
    objective = Painting(Players(SHAPE), studio)
    for done, plays in ((0.5, False), (0.8, True)):
        objective.module.zero_grad(set_to_none=True)
        objective.loss(np.arange(3), np.random.default_rng(0), done).backward()  # type: ignore[no-untyped-call]
        assert all(p.grad is not None and bool(p.grad.any()) for p in objective.module.network.paint.up.parameters())
        assert any(p.grad is not None for p in objective.module.critic.parameters()) == plays


def test_the_compact_picture_by_hand() -> None:
    """Means of 8 x 8 pixels in Y, Cb, Cr, rounded to 32 levels."""
    images = torch.rand(2, 3, 16, 24, generator=torch.Generator().manual_seed(3))
    symbols = compact(images)
    assert symbols.shape == (2, 3, 2, 3)
    r, g, b = (float(images[1, c, 8:, 16:].double().mean()) for c in range(3))
    y = 0.299 * r + 0.587 * g + 0.114 * b
    expected = [y, 0.5 + (b - y) / 1.772, 0.5 + (r - y) / 1.402]
    assert symbols[1, :, 1, 2].tolist() == [round(value * TOP) for value in expected]


def test_the_painter_is_rlascs() -> None:
    """At full size the two codecs paint by one and the same network, but for the channels that it starts from."""
    with torch.device("meta"):
        fine, whole = FineNet(DsslicShape()), Global(RlascShape(code_channels=3))
    shapes = {k.removeprefix("paint."): v.shape for k, v in fine.state_dict().items()}
    assert shapes == {k: v.shape for k, v in whole.state_dict().items()}


def test_tables_fit_the_training_pictures(segmenter: Fpn) -> None:
    sample = CamVidSmall().load("sample").first(12)
    compact_table, map_table = fitted_tables(segmenter, [sample], (96, 128))
    assert map_table.shape == (144, 16)
    coder = CompactCoder(compact_table.numpy(), (12, 16), COMPACT_BIT)
    pictures = compact(torch.tensor(sample.images).float() / 255).numpy()
    n_byte = [len(coder.encode(picture)) for picture in pictures]
    assert np.mean(n_byte) < 3 * 12 * 16 * COMPACT_BIT / 8 * 0.75


def test_a_short_training_leaves_weights_and_a_card(tmp_path: Path, data_root: Path) -> None:
    (tmp_path / "short").mkdir()
    recipe = {"kind": "dsslic", **COMMON, "train_on": ["train"]}
    (tmp_path / "short" / "train.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    train(tmp_path / "short" / "train.yaml", data_root=data_root, quiet=True)
    network, compact_table, _ = load_dsslic(tmp_path / "short" / "weights.safetensors")
    assert network.shape == SHAPE and compact_table.shape == (3, 16)
    card = read_card(tmp_path / "short")
    assert card.kind == "dsslic" and card.parameters["decoder"] == sum(p.numel() for p in network.parameters())
    assert 0 < card.measured["without_residual"]["ss"] < 1  # type: ignore[index, call-overload, operator]
