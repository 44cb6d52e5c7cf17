"""Importance by task learns from what features that weren't sent would have told; the entropy model from density."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from simnet.codecs.networks.sesc import Importance, Sesc, SescShape, most_important
from simnet.codecs.networks.sesc_importance import EntropyModel
from simnet.core.errors import SimnetError
from simnet.data.camvid_small import CamVidSmall
from simnet.tasks.networks.detector import Detector
from simnet.tasks.networks.fpn import Fpn
from simnet.tasks.networks.task_network import TaskNetwork
from simnet.training import sesc_importance
from simnet.training.crops import Cropper
from simnet.training.recipe import read_recipe
from simnet.training.run import TrainingRun
from simnet.training.sesc import transmitted
from simnet.training.sesc_importance import Density, Needed, Recipe, as_if_all_were_sent, head_of
from simnet.training.task_losses import SegmentationLoss, loss_of

SHAPE = SescShape(
    size=(32, 48), width=16, depth=1, decoder_width=16, decoder_depth=1, symbols=2, importance_width=4,
    task_channels=(4, 8, 16, 24), fading="awgn",
)  # fmt: skip
DEVICE = torch.device("cpu")
COMMON: dict[str, Any] = {
    "codec": "sesc/street",
    "data_set": "camvid_small",
    "measure_on": "camvid_small",
    "judge": "detector/street",
    "crops": {"size": [32, 48], "whole": 1.0},
    "optimisation": {"epochs": 1, "learning_rate": 0.001},
}
BY_TASK = {"task": "detector/street_small", "esno": {"low_db": 5, "high_db": 15}}


@pytest.fixture
def codec() -> Sesc:
    torch.manual_seed(0)
    return Sesc(SHAPE).eval().requires_grad_(False)


@pytest.fixture
def task() -> Detector:
    torch.manual_seed(1)
    return Detector(width=4).eval().requires_grad_(False)


def needed(codec: Sesc, network: TaskNetwork, **changes: Any) -> Needed:
    recipe = Recipe.model_validate({**COMMON, **BY_TASK, **changes})
    sample = CamVidSmall().load("sample").first(6)
    torch.manual_seed(2)
    loss = loss_of(network, [sample], size_weight=recipe.size_weight, balance=recipe.balance)
    return Needed(Importance(codec.shape), codec, loss, Cropper([sample], recipe.crops), sample, recipe, DEVICE)


def test_pictures_are_those_of_the_channel(codec: Sesc) -> None:
    images, esno = torch.rand(3, 3, 32, 48), torch.full((3,), 4.0)
    for n in (1, 7, SHAPE.n_features):
        sent = most_important(torch.rand(3, SHAPE.n_features), n).float()
        made = [
            f(codec, images, sent, esno, torch.Generator().manual_seed(3)) for f in (as_if_all_were_sent, transmitted)
        ]
        assert torch.allclose(*made, atol=1e-6)


def test_the_gradient_of_a_feature_left_out_is_what_it_would_have_told(codec: Sesc) -> None:
    """By differences: the receiver's mixture of the shared feature and the one that would have arrived."""
    images, esno = torch.rand(1, 3, 32, 48), torch.full((1,), 1e9)
    sent = most_important(torch.rand(1, SHAPE.n_features), 9).float().requires_grad_()

    def loss(made: torch.Tensor) -> torch.Tensor:
        return (made.double() - images).square().sum()

    loss(as_if_all_were_sent(codec, images, sent, esno, torch.Generator().manual_seed(0))).backward()  # type: ignore[no-untyped-call]
    assert sent.grad is not None
    symbols = codec.sender(images)
    mask = sent.detach() > 0.5
    symbols = symbols * (mask.sum() * SHAPE.symbols / symbols[mask].abs().square().sum()).sqrt()  # noise is negligible
    step = 1e-3
    for i in (int(mask[0].nonzero()[0]), int((~mask[0]).nonzero()[0])):
        ends = []
        for sign in (1, -1):
            moved = sent.detach().clone()
            moved[0, i] += sign * step
            ends.append(loss(codec.receiver(symbols, moved)).item())
        assert sent.grad[0, i].item() == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=0.02, abs=1e-3)


def test_only_the_importance_network_learns(task: Detector) -> None:
    codec = Sesc(SHAPE.model_copy(update={"size": (96, 128)})).eval().requires_grad_(False)
    o = needed(codec, task, crops={"size": [96, 128]})
    assert 0 <= o.evaluate()["map_50_half"] <= 1
    o.loss(np.arange(4), np.random.default_rng(0), 0.0).backward()  # type: ignore[no-untyped-call]
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in o.module.parameters())
    assert any(bool(p.grad.abs().sum() > 0) for p in o.module.parameters() if p.grad is not None)
    assert all(p.grad is None for network in (codec, task) for p in network.parameters())


def test_the_price_is_of_the_share_that_is_sent(codec: Sesc, task: Detector) -> None:
    threshold = [0.5, 0.5]
    free, dear = (
        needed(codec, task, price=price, threshold=threshold).loss(np.arange(4), np.random.default_rng(0), 0.0)
        for price in (0.0, 2.0)
    )
    o = needed(codec, task, threshold=threshold)
    cropper = Cropper([CamVidSmall().load("sample").first(6)], o._recipe.crops)
    images, _ = cropper.batch(np.arange(4), np.random.default_rng(0), DEVICE)
    share = (o.module(task.features(images)) >= 0.5).float().mean()
    assert (dear - free).item() == pytest.approx(2 * share.item(), rel=1e-4)


def test_segmentation_is_a_task_too() -> None:
    """Rare classes weighted up, by hand; the network of the task gets no gradient, the importance does."""
    torch.manual_seed(5)
    parser = Fpn(width=4).eval().requires_grad_(False)
    channels = tuple(stack.shape[1] for stack in parser.features(torch.zeros(1, 3, 96, 128)))
    shape = SHAPE.model_copy(update={"size": (96, 128), "task_channels": channels})
    codec = Sesc(shape).eval().requires_grad_(False)
    o = needed(codec, parser, task="segmenter/street_parser", judge="segmenter/street_judge", crops={"size": [96, 128]})
    assert 0 <= o.evaluate()["miou_half"] <= 1
    o.loss(np.arange(4), np.random.default_rng(0), 0.0).backward()  # type: ignore[no-untyped-call]
    assert any(bool(p.grad.abs().sum() > 0) for p in o.module.parameters() if p.grad is not None)

    sample = CamVidSmall().load("sample").first(6)
    loss, images = loss_of(parser, [sample], size_weight=1.0, balance=0.5), torch.rand(2, 3, 96, 128)
    assert isinstance(loss, SegmentationLoss)
    labels = torch.tensor(sample.labels[:2]).long()
    shares = np.bincount(sample.labels.ravel(), minlength=12)[:11] / (sample.labels < 11).sum()
    assert (shares == 0).any()  # a class that is nowhere counts nothing
    weights = np.divide(1, shares**0.5, out=np.zeros(11), where=shares > 0) / (shares**0.5).sum()
    known = labels < 11
    wrong = -parser(images).log_softmax(1).movedim(1, -1)[known].gather(1, labels[known][:, None])[:, 0].numpy()
    each = weights[labels[known].numpy()]
    assert loss(images, labels).item() == pytest.approx((wrong * each).sum() / each.sum(), rel=1e-4)


def test_the_entropy_model_s_loss_is_bits_per_value(codec: Sesc) -> None:
    images, recipe = CamVidSmall().load("sample").first(4), Recipe.model_validate({**COMMON, "importance": "entropy"})
    torch.manual_seed(0)
    model, cropper = EntropyModel(SHAPE), Cropper([images], recipe.crops)
    o = Density(model, codec, cropper, torch.rand(2, 3, 32, 48), DEVICE)
    loss = o.loss(np.arange(4), np.random.default_rng(0), 0.0)
    pictures, _ = cropper.batch(np.arange(4), np.random.default_rng(0), DEVICE)
    bits = model.bits(codec.sender(pictures))
    assert loss.item() == pytest.approx(bits.sum().item() / (4 * SHAPE.n_features * 2 * SHAPE.symbols), rel=1e-5)
    before = o._bits_per_value(o._test).item()
    optimiser = torch.optim.Adam(model.parameters(), 0.01)
    for step in range(30):
        optimiser.zero_grad()
        o.loss(np.arange(4), np.random.default_rng(step), 0.0).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    with torch.no_grad():
        assert o.evaluate()["test_bits_per_value"] < before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"esno": BY_TASK["esno"]}, "task: missing; importance 'network' needs task and esno"),
        ({"task": "detector/street_small"}, "esno: missing; importance 'network' needs task and esno"),
        ({"importance": "entropy", **BY_TASK}, "task: importance 'entropy' knows no task; allowed with 'network' only"),
        ({"importance": "entropy", "price": 1}, "price: importance 'entropy' knows no task; allowed with 'network'"),
        ({**BY_TASK, "judge": BY_TASK["task"]}, "judge: got detector/street_small, the task's own network; allowed an"),
        ({"importance": "attention"}, "Input should be 'network' or 'entropy'"),
    ],
)
def test_a_task_goes_with_importance_by_network(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Recipe.model_validate({**COMMON, **changes})


def test_the_head_has_the_channels_of_the_task_s_features(codec: Sesc, task: Detector) -> None:
    head = head_of(Recipe.model_validate({**COMMON, **BY_TASK, "width": 7}), codec, task)
    assert head.networks.task_channels == (4, 8, 16, 24) and head.networks.importance_width == 7
    assert head.networks.grid == SHAPE.grid and head.task == "detector/street_small"
    assert head_of(Recipe.model_validate({**COMMON, "importance": "entropy"}), codec, None).task is None


@pytest.mark.parametrize("name", ["street_detection", "street_segmentation", "street_entropy"])
def test_the_zoo_s_recipes_are_read(name: str) -> None:
    recipe = read_recipe(Path(__file__).parents[3] / f"models/sesc_importance/{name}/train.yaml")
    assert isinstance(recipe, Recipe) and recipe.judge != recipe.task


def test_crops_have_the_codec_s_size(tmp_path: Path) -> None:
    recipe = Recipe.model_validate({**COMMON, "importance": "entropy", "train_on": ["sample"]})
    run = TrainingRun(tmp_path / "train.yaml", None, "cpu", False, tmp_path, True)
    with pytest.raises(SimnetError, match=r"crops.size: got \[32, 48\]; sesc/street allows \[96, 128\]"):
        sesc_importance.run(recipe, run)
