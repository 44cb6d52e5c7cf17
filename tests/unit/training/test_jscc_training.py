"""The four systems of paper 003: what each is trained for, and that their recipes say so."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from simnet import training
from simnet.codecs.jscc import Jscc as Codec
from simnet.codecs.networks.jscc import Jscc, JsccShape, load_jscc
from simnet.core.errors import SimnetError
from simnet.core.zoo import model_dir
from simnet.data.base import ImageSet
from simnet.data.camvid_small import CamVidSmall
from simnet.data.cifar10 import Cifar10
from simnet.phy.learned.channel import LearnedChannel
from simnet.phy.learned.esno import EsnoRange
from simnet.tasks.networks import load_network
from simnet.training import checkpoints
from simnet.training.augmentation import Augmentation
from simnet.training.contrast import info_nce, supervised_contrast
from simnet.training.jscc_evaluation import transmitted
from simnet.training.jscc_objectives import (
    Common,
    ReEncoding,
    SemanticContrast,
    Semantics,
    SquaredError,
    TaskLoss,
    Transmission,
)
from simnet.training.recipe import RecipeError, read_recipe

SHAPE = JsccShape(width=4, heads=(2, 4))
GUIDE = "classifier/cifar10_features"
RECIPE: dict[str, Any] = {
    "kind": "jscc",
    "networks": {"width": 4, "heads": [2]},
    "esno": {"low_db": 5, "high_db": 5},
    "data_set": "cifar10",
    "judge": GUIDE,
    "measure_at_db": [5],
    "evaluate_on": 8,
    "optimisation": {"epochs": 2, "batch_size": 8, "optimiser": "adam", "learning_rate": 0.001},
}
STAGE = {"epochs": 2, "batch_size": 8, "optimiser": "adam", "learning_rate": 0.0005}
SEMCC = {"system": "semcc", "semantics": {"guide": GUIDE}, "fine_tuning": STAGE}


@pytest.fixture(scope="module")
def images() -> ImageSet:
    return Cifar10().load("sample").first(24)


@pytest.fixture
def common(images: ImageSet) -> Common:
    torch.manual_seed(0)
    return Common(Jscc(SHAPE), images, images, EsnoRange(5, 5), Augmentation(), torch.device("cpu"))


def guide() -> Any:
    return load_network(model_dir(GUIDE) / "weights.safetensors")


def compared(objective: Transmission, images: ImageSet, head: int = 2) -> tuple[float, torch.Tensor, torch.Tensor]:
    """The loss, x and x̂, over a channel without noise."""
    x = torch.tensor(images.images[:8]) / 255
    objective.networks.eval()
    symbols = objective.networks.encode(x, head)
    made = objective.networks.decode(symbols, head, (32, 32))
    loss = objective.compare(x, torch.tensor(images.labels[:8]), symbols, made, head)
    return loss.item(), x, made.detach()


def test_deepjscc_minimises_the_squared_error(common: Common, images: ImageSet) -> None:
    loss, x, made = compared(SquaredError(common), images)
    assert loss == pytest.approx((x - made).square().mean().item())


@pytest.mark.parametrize(("reconstruction", "alpha"), [(None, 2 / 48), (0.7, 0.7)])
def test_deepsc_weighs_the_error_and_the_task_by_k_over_n(
    common: Common, images: ImageSet, reconstruction: float | None, alpha: float
) -> None:
    semantics = Semantics(guide=GUIDE, reconstruction=reconstruction)
    loss, x, made = compared(TaskLoss(common, guide(), semantics), images)
    labels = torch.tensor(images.labels[:8])
    right = guide()(made).softmax(1)[torch.arange(8), labels]
    task = float(-(right.log() / 10).mean())  # (12), with its 1/N_cls
    assert loss == pytest.approx(alpha * (x - made).square().mean().item() + (1 - alpha) * task, rel=1e-5)


def test_semcc_contrasts_images_and_what_arrives_of_them(common: Common, images: ImageSet) -> None:
    objective = SemanticContrast(common, guide(), Semantics(guide=GUIDE, temperature=0.2))
    loss, x, made = compared(objective, images, head=4)
    sent, recovered = (objective.projection(guide().features(y)) for y in (x, made))
    contrast = float(info_nce(sent, recovered, 0.2))
    assert loss == pytest.approx(4 / 48 * (x - made).square().mean().item() + (1 - 4 / 48) * contrast, rel=1e-5)


def test_semre_contrasts_codes_and_needs_no_classifier(common: Common, images: ImageSet) -> None:
    objective = ReEncoding(common, (32, 32), Semantics(denominator="supcon"))
    loss, x, made = compared(objective, images)
    objective.re_encoder.eval()
    codes = (objective.networks.encode(x, 2), objective.re_encoder.networks.encode(made, 2))
    loss = objective.compare(x, torch.tensor(images.labels[:8]), codes[0], made, 2).item()
    sent, again = (objective.projections["2"](torch.view_as_real(code).flatten(1)) for code in codes)
    contrast = float(supervised_contrast(sent, again, torch.tensor(images.labels[:8]), 0.1, "supcon"))
    assert loss == pytest.approx(2 / 48 * (x - made).square().mean().item() + (1 - 2 / 48) * contrast, rel=1e-4)


def test_the_re_encoder_follows_and_is_not_trained(common: Common, images: ImageSet) -> None:
    objective = ReEncoding(common, (32, 32), Semantics(momentum=0.5, update_every=2))
    assert not any(p.requires_grad for p in objective.re_encoder.parameters())
    own = objective.re_encoder.networks.to_channel["2"].weight
    start = own.clone()
    with torch.no_grad():
        objective.networks.to_channel["2"].weight += 1.0
    seen = []
    for _ in range(5):
        objective.loss(np.arange(8), np.random.default_rng(0), 0.0)
        seen.append(float((own - start).mean()))
    assert seen == pytest.approx([0.0, 0.0, 0.5, 0.5, 0.75], abs=1e-6), "after every second batch, halfway"


def test_every_head_is_trained(common: Common) -> None:
    objective, rng = SquaredError(common), np.random.default_rng(0)
    for _ in range(8):
        objective.loss(np.arange(8), rng, 0.0).backward()  # type: ignore[no-untyped-call]
    assert all(objective.networks.to_channel[h].weight.grad is not None for h in ("2", "4"))


def test_training_and_evaluation_go_over_one_channel(
    common: Common, images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither has a channel of its own: both call the layer with symbols of power 1 and Es/N0 as stated."""
    met: list[tuple[float, float]] = []
    forward = LearnedChannel.forward

    def spy(self: LearnedChannel, symbols: torch.Tensor, esno: torch.Tensor, draws: Any) -> Any:
        met.append((float(symbols.detach().abs().square().mean()), float(esno.mean())))
        return forward(self, symbols, esno, draws)

    monkeypatch.setattr(LearnedChannel, "forward", spy)
    SquaredError(common).loss(np.arange(8), np.random.default_rng(0), 0.0)
    transmitted(common.networks, images.images, 2, 5.0, 0)
    assert len(met) == 2
    for power, esno in met:
        assert power == pytest.approx(1.0, rel=1e-4) and esno == pytest.approx(10**0.5, rel=1e-5)


def write(folder: Path, **changes: Any) -> Path:
    folder.mkdir(parents=True)
    path = folder / "train.yaml"
    path.write_text(yaml.safe_dump(RECIPE | changes))
    return path


@pytest.fixture
def few(images: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cifar10, "load", lambda self, split, root=None: images)


class Interrupted(Exception):
    pass


@pytest.mark.usefixtures("few")
def test_a_second_stage_goes_on_where_it_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = training.train(write(tmp_path / "jscc" / "whole", **SEMCC), quiet=True)
    path = write(tmp_path / "jscc" / "cut", **SEMCC)
    save = checkpoints.save_checkpoint

    def save_then_stop(target: Path, *args: Any) -> None:
        save(target, *args)
        if target.stem.endswith("_2"):
            raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "save_checkpoint", save_then_stop)
        with pytest.raises(Interrupted):
            training.train(path, quiet=True)
    cut = training.train(path, quiet=True, resume=True)
    assert (cut / "weights.safetensors").read_bytes() == (whole / "weights.safetensors").read_bytes()
    assert [line.split(",")[0] for line in (cut / "curve.csv").read_text().splitlines()[1:]] == ["1", "2", "3", "4"]
    assert sorted(p.name for p in cut.iterdir()) == ["card.yaml", "curve.csv", "train.yaml", "weights.safetensors"]


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("system", ["deepsc", "semre"])
def test_networks_may_begin_with_others(tmp_path: Path, system: str) -> None:
    """Those of the zoo of the same width; what is new begins anew."""
    semantics = {"guide": GUIDE} if system == "deepsc" else {}
    changes = {"system": system, "semantics": semantics, "start_from": "jscc/deepjscc_awgn"}
    still = {"epochs": 1, "batch_size": 8, "optimiser": "sgd", "learning_rate": 1e-30}
    shape = {"width": 32, "heads": [1, 4]}
    folder = training.train(write(tmp_path / "jscc" / "new", **changes, networks=shape, optimisation=still), quiet=True)
    made, start = (load_jscc(path / "weights.safetensors") for path in (folder, model_dir("jscc/deepjscc_awgn")))
    assert set(made.to_channel) == {"1", "4"}
    assert torch.equal(made.to_channel["4"].weight, start.to_channel["4"].weight)
    assert torch.equal(made.decoder[0].first[0].weight, start.decoder[0].first[0].weight)
    with pytest.raises(SimnetError, match="of width 32; allowed are networks of width 4"):
        training.train(write(tmp_path / "jscc" / "narrow", **changes), quiet=True)


@pytest.mark.usefixtures("few")
def test_heads_may_be_for_another_models_trunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trunk stays as it is, batches' statistics included, and is one slice whichever model's head follows."""
    zoo = tmp_path / "models"
    shutil.copytree(model_dir("jscc/deepjscc_awgn"), zoo / "jscc" / "deepjscc_awgn")
    shutil.copytree(model_dir(GUIDE), zoo / GUIDE)
    monkeypatch.setenv("SIMNET_ZOO", str(zoo))
    shape = {"width": 32, "heads": [3], "trunk": "jscc/deepjscc_awgn"}
    folder = training.train(write(zoo / "jscc" / "more", networks=shape), quiet=True)
    more, own = (load_jscc(path / "weights.safetensors") for path in (folder, zoo / "jscc" / "deepjscc_awgn"))
    state = own.state_dict()
    shared = {k: v for k, v in more.state_dict().items() if k.startswith(("encoder.", "decoder."))}
    assert len(shared) > 20 and all(torch.equal(v, state[k]) for k, v in shared.items() if "num_batches" not in k)
    n_byte = [(path / "weights.safetensors").stat().st_size for path in (folder, zoo / "jscc" / "deepjscc_awgn")]
    assert n_byte[0] < n_byte[1] / 4

    codecs = [Codec(Codec.Params(model=model, head=head)) for model, head in (("more", 3), ("deepjscc_awgn", 4))]
    (trunk, head), (other_trunk, other_head) = (c.decoder_slices for c in codecs)
    assert trunk == other_trunk and head.name == "jscc/more/head_3" and head != other_head
    assert codecs[0].encoder_slices[0] == codecs[1].encoder_slices[0]
    assert codecs[0].params.models() == {"model": "jscc/more", "head": "jscc/deepjscc_awgn"}
    for wrong, message in (
        ({**shape, "width": 4}, "of width 32, trunk of its own; allowed is a model of width 4"),
        ({**shape, "trunk": "jscc/more"}, "trunk of jscc/deepjscc_awgn; allowed is a model of width 32 with a trunk"),
    ):
        with pytest.raises(SimnetError, match=message):
            training.train(write(tmp_path / message[:8] / "wrong", networks=wrong), quiet=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"start_from": "jscc/a", "networks": {"width": 4, "heads": [2], "trunk": "jscc/a"}},
            "heads on another model's trunk begin anew",
        ),
        ({"semantics": {}}, "semantics: system deepjscc takes none"),
        ({"system": "semre"}, "semantics: system semre takes some"),
        ({"system": "semcc", "semantics": {}}, "semantics.guide: got None; systems deepsc, semcc take one"),
        ({"system": "semre", "semantics": {"guide": GUIDE}}, "semantics.guide: got 'classifier/cifar10_features'"),
        ({"system": "semre", "semantics": {}, "fine_tuning": STAGE}, "fine_tuning: got one for system 'semre'"),
        ({"system": "deepcc"}, "system: got 'deepcc'"),
        ({"features": "segmenter/a", "other_judges": ["classifier/b"]}, "other_judges: got classifier/b; allowed"),
    ],
)
def test_recipes_that_do_not_fit(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        read_recipe(write(tmp_path / "jscc" / "bad", **changes))


def test_labels_per_pixel_are_deepjscc_s_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    streets = CamVidSmall().load("sample").first(8)
    monkeypatch.setattr(CamVidSmall, "load", lambda self, split, root=None: streets)
    changes = {"system": "semre", "semantics": {}, "data_set": "camvid_small"}
    with pytest.raises(SimnetError, match="got 'camvid_small' with a label per pixel; system 'semre' allows sets with"):
        training.train(write(tmp_path / "jscc" / "street", **changes), quiet=True)
