"""Recipes of kind ``autoencoder`` on a toy set: the loss by its formula, weights, card, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from simnet import training
from simnet.codecs.aesc import Aesc
from simnet.codecs.networks.aesc import AescShape, Autoencoder, load_autoencoder
from simnet.core.errors import SimnetError
from simnet.data.idx import write_idx
from simnet.tasks.networks import build_network
from simnet.training import autoencoder_card, cards
from simnet.training.autoencoder import Recipe, Reconstruction, fit_code, source_images
from simnet.training.classifier import Network, save_classifier
from simnet.training.over_snr import measure_over_snr
from simnet.training.recipe import RecipeError, read_recipe
from simnet.training.run import TrainingRun

LENET = Network(name="lenet", options={"width": 2, "n_features": 8})
RECIPE: dict[str, Any] = {
    "kind": "autoencoder",
    "seed": 2,
    "source": {"data_set": "mnist", "labels": [0, 1, 2]},
    "autoencoder": {"architecture": "grey28", "z": 4, "code_activation": "tanh"},
    "loss": {"pixel": "bce", "gamma": 0.3, "semantic": "classifier/features"},
    "code_noise_bits": 4,
    "judge": "classifier/judge",
    "optimisation": {"epochs": 2, "batch_size": 8, "optimiser": "adam", "learning_rate": 0.003},
    "notes": ["A toy."],
}


@pytest.fixture
def data_root(tmp_path: Path) -> Path:
    """60 + 20 noisy images of ten classes, told apart by a white row."""
    folder = tmp_path / "data" / "mnist"
    folder.mkdir(parents=True)
    for prefix, n in (("train", 60), ("t10k", 20)):
        labels = np.arange(n) % 10
        images = np.random.default_rng(n).integers(60, size=(n, 28, 28), dtype=np.uint8)
        images[np.arange(n), 2 * labels] = 255
        write_idx(folder / f"{prefix}-images-idx3-ubyte.gz", images)
        write_idx(folder / f"{prefix}-labels-idx1-ubyte.gz", labels.astype(np.uint8))
    return tmp_path / "data"


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A zoo with two small classifiers that know nothing, but differ."""
    root = tmp_path / "zoo"
    for seed, name in enumerate(("features", "judge")):
        (root / "classifier" / name).mkdir(parents=True)
        (root / "classifier" / name / "train.yaml").touch()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = build_network(LENET.name, LENET.options)
        torch.nn.init.constant_(network.head.bias, 0.0)
        network.head.bias.data[1] = 1.0  # so that some originals are recognised
        save_classifier(root / "classifier" / name / "weights.safetensors", network, LENET)
    monkeypatch.setenv("SIMNET_ZOO", str(root))
    return root


@pytest.fixture(autouse=True)
def few_variants(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two measured variants are enough for a toy."""
    monkeypatch.setattr(autoencoder_card, "VARIANTS", (("int8", 8), ("int6", 4)))


def write_recipe(folder: Path, **changes: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "train.yaml"
    path.write_text(yaml.safe_dump(RECIPE | changes))
    return path


def training_run(path: Path, data_root: Path) -> TrainingRun:
    return TrainingRun(path, data_root, "cpu", resume=False, out=path.parent, quiet=True)


def test_training_leaves_a_codec_and_a_card(zoo: Path, data_root: Path) -> None:
    path = write_recipe(zoo / "aesc" / "toy")
    folder = training.train(path, data_root=data_root, quiet=True)
    assert sorted(p.name for p in folder.iterdir()) == ["card.yaml", "curve.csv", "train.yaml", "weights.safetensors"]
    card = cards.read_card(folder)
    assert card.model == "aesc/toy" and card.training.epochs == 2 and card.notes == ("A toy.",)
    assert card.data["mnist/train"].n == 18 and card.data["mnist/test"].n == 6
    decoder = 4 * 64 + 64 + 2 * (16 * 16 * 9 + 16) + 16 * 9 + 1
    assert card.parameters["decoder"] == decoder
    measured: dict[str, Any] = dict(card.measured)
    codec = Aesc(Aesc.Params(model="toy", precision="int8"))
    assert measured["decoder_byte"]["int8"] == codec.decoder_slices[0].n_byte
    assert measured["decoder_byte_without_table"]["int8"] < measured["decoder_byte"]["int8"]
    assert measured["code_byte"]["8 bit"]["fixed"] == 4
    assert measured["code_byte"]["4 bit"]["fixed"] == 2
    assert [row["code_bits"] for row in measured["test"]["variants"]] == [8, 4]
    assert measured["sample"]["n"] > measured["test"]["n"] == 6
    for row in measured["test"]["variants"]:
        assert row["ss_interval_95"][0] <= row["ss_population"] <= row["ss_interval_95"][1]
        assert row["mean_of_psnr_db"] >= row["psnr_of_mean_mse_db"]  # Jensen


def test_measuring_anew_gives_the_same_card_and_keeps_the_snr_grid(zoo: Path, data_root: Path) -> None:
    path = write_recipe(zoo / "aesc" / "toy")
    folder = training.train(path, data_root=data_root, quiet=True)
    assert cards.read_card(folder).measured["over_snr"] == []
    rows = [{"esno_db": 3.0, "ss": 0.9, "psnr_db": 15.0, "ssim": 0.5}]
    autoencoder_card.write_over_snr(folder, rows)
    before = (folder / "card.yaml").read_bytes()
    training.measure(path, data_root=data_root)
    assert (folder / "card.yaml").read_bytes() == before
    assert cards.read_card(folder).measured["over_snr"] == rows
    training.train(write_recipe(folder, seed=9), data_root=data_root, quiet=True)
    assert cards.read_card(folder).measured["over_snr"] == []  # of other weights


def test_a_card_without_a_judge_is_said(zoo: Path, data_root: Path) -> None:
    folder = training.train(write_recipe(zoo / "aesc" / "toy"), data_root=data_root, quiet=True)
    cards.write_card(folder, cards.read_card(folder).model_copy(update={"measured": {}}))
    with pytest.raises(SimnetError, match=r"card\.yaml: measured: no key 'judge'.* measure aesc/toy"):
        measure_over_snr(folder)


@pytest.mark.parametrize("pixel", ["bce", "mse"])
def test_the_loss_is_equation_10_with_a_scaled_semantic_term(zoo: Path, data_root: Path, pixel: str) -> None:
    loss = {"pixel": pixel, "gamma": 0.3, "semantic": "classifier/features"}
    recipe = read_recipe(write_recipe(zoo / "aesc" / "toy", loss=loss, code_noise_bits=None))
    assert isinstance(recipe, Recipe)
    run = training_run(zoo / "aesc" / "toy" / "train.yaml", data_root)
    train = source_images(recipe, "train", run)
    features = build_network(LENET.name, LENET.options).eval().requires_grad_(False)
    module = Autoencoder(recipe.autoencoder)
    objective = Reconstruction(module, train, train, features, recipe, torch.device("cpu"))
    indices = np.array([3, 1, 4])
    got = float(objective.loss(indices, np.random.default_rng(0), 0.0).detach())
    originals = train.images[indices] / 255
    with torch.no_grad():
        recovered = module.decoder(module.encoder(torch.tensor(originals, dtype=torch.float32)))
        wanted, seen = (features.features(x.float()).numpy() for x in (torch.tensor(originals), recovered))
        scale = float(features.features(torch.tensor(train.images) / 255).square().mean())
    y = recovered.numpy()
    pixels = {
        "bce": -(originals * np.log(y) + (1 - originals) * np.log(1 - y)).mean(),
        "mse": ((originals - y) ** 2).mean(),
    }
    assert got == pytest.approx(0.3 * ((wanted - seen) ** 2).mean() / scale + 0.7 * pixels[pixel], rel=1e-5)


def test_cross_entropy_of_pixels_is_outside_of_autocast(
    zoo: Path, data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CUDA's refuses it; CPU's does not, so that only a GPU would tell."""
    loss = {"pixel": "bce", "gamma": 0.3, "semantic": "classifier/features"}
    recipe = read_recipe(write_recipe(zoo / "aesc" / "toy", loss=loss))
    assert isinstance(recipe, Recipe)
    train = source_images(recipe, "train", training_run(zoo / "aesc" / "toy" / "train.yaml", data_root))
    features = build_network(LENET.name, LENET.options).eval().requires_grad_(False)
    module = Autoencoder(recipe.autoencoder)
    objective = Reconstruction(module, train, train, features, recipe, torch.device("cpu"))
    told: list[bool] = []

    def cross_entropy(got: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        told.append(torch.is_autocast_enabled("cpu"))
        return (got - wanted).sum()

    monkeypatch.setattr(torch.nn.functional, "binary_cross_entropy", cross_entropy)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        objective.loss(np.arange(3), np.random.default_rng(0), 0.0)
    assert told == [False]


def test_the_classifier_sees_both_images_moved_alike() -> None:
    loss = Recipe.model_validate(RECIPE).loss.model_copy(update={"semantic_shift_px": 2, "semantic_mirror": True})
    rng = np.random.default_rng(0)
    image = torch.zeros(1, 1, 9, 9)
    image[0, 0, 4, 3] = 1.0
    seen = set()
    for _ in range(300):
        view = loss.view(rng)
        assert torch.equal(view(image), view(image))
        ((_, _, y, x),) = view(image).nonzero().tolist()
        seen.add((y, x))
    assert seen == {(y, x) for y in range(2, 7) for x in (*range(1, 6), *range(3, 8))}
    still = Recipe.model_validate(RECIPE).loss.view(rng)
    assert torch.equal(still(image), image)


def test_training_noise_is_that_of_the_wanted_bits(zoo: Path, data_root: Path) -> None:
    recipe = Recipe.model_validate(RECIPE)
    run = training_run(zoo / "aesc" / "toy" / "train.yaml", data_root)
    train = source_images(recipe, "train", run)
    module = Autoencoder(recipe.autoencoder)
    features = build_network(LENET.name, LENET.options).eval().requires_grad_(False)
    objective = Reconstruction(module, train, train, features, recipe, torch.device("cpu"))
    seen: list[torch.Tensor] = []
    module.decoder.register_forward_pre_hook(lambda _, args: seen.append(args[0].detach()))
    indices = np.arange(len(train))
    objective.loss(indices, np.random.default_rng(0), 0.0)
    with torch.no_grad():
        codes = module.encoder(torch.tensor(train.images) / 255)
    noise = (seen[0] - codes).abs()
    assert 0.8 / 16 < float(noise.max()) <= 1.0001 / 16, "half of one of 16 cells in [-1, 1]"


def test_a_source_has_its_labels_only(zoo: Path, data_root: Path) -> None:
    run = training_run(zoo / "aesc" / "toy" / "train.yaml", data_root)
    recipe = Recipe.model_validate(RECIPE)
    test = source_images(recipe, "test", run)
    assert test.labels.tolist() == [0, 1, 2] * 2
    whole = source_images(Recipe.model_validate(RECIPE | {"source": {"data_set": "mnist"}}), "test", run)
    assert len(whole) == 20 and whole.sha256 != test.sha256
    sample = source_images(recipe, "sample", run)
    assert sample.test_indices is not None and len(sample.test_indices) == len(sample)


def test_fitting_prunes_scales_and_counts() -> None:
    autoencoder = Autoencoder(AescShape(architecture="grey28", z=5)).requires_grad_(False)
    coding = autoencoder.encoder[-4]
    assert isinstance(coding, torch.nn.Linear)
    coding.bias[:] = torch.tensor([3.0, -99.0, 3.0, 3.0, -99.0])
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (700, 1, 28, 28), dtype=np.uint8))
    fitted, table = fit_code(autoencoder, images)
    assert fitted.shape.z == 3 and table.shape == (3, 16)
    codes = fitted.encoder(images / 255).detach()
    assert torch.allclose(codes.amax(dim=(0, 2)), torch.ones(3))
    counts = np.stack([np.histogram(c.numpy(), 16, (0, 1))[0] for c in codes.swapaxes(0, 1)])
    assert (np.abs(table - 1.0 - 240 * counts / 700) <= 1.5).all()  # rounding, and a value on a bin's edge


def test_a_dead_code_is_an_error() -> None:
    autoencoder = Autoencoder(AescShape(architecture="grey28", z=2)).requires_grad_(False)
    coding = autoencoder.encoder[-4]
    assert isinstance(coding, torch.nn.Linear)
    coding.bias[:] = -99.0
    with pytest.raises(SimnetError, match="every code dimension is dead"):
        fit_code(autoencoder, torch.zeros(1, 1, 28, 28, dtype=torch.uint8))


def test_a_larger_code_starts_from_a_trained_smaller_one(zoo: Path, data_root: Path) -> None:
    training.train(write_recipe(zoo / "aesc" / "toy"), data_root=data_root, quiet=True)
    small = load_autoencoder(zoo / "aesc" / "toy" / "weights.safetensors")[0].state_dict()
    changes = {
        "autoencoder": {**RECIPE["autoencoder"], "z": 6},
        "start_from": "aesc/toy",
        "optimisation": {**RECIPE["optimisation"], "learning_rate": 1e-9},
    }
    training.train(write_recipe(zoo / "aesc" / "larger", **changes), data_root=data_root, quiet=True)
    large = load_autoencoder(zoo / "aesc" / "larger" / "weights.safetensors")[0].state_dict()
    assert torch.allclose(large["decoder.1.weight"][:, :4], small["decoder.1.weight"], atol=1e-6)
    assert torch.allclose(large["encoder.0.weight"], small["encoder.0.weight"], atol=1e-6)


def test_a_missing_judge_is_said_before_training(zoo: Path, data_root: Path) -> None:
    (zoo / "classifier" / "judge" / "weights.safetensors").unlink()
    path = write_recipe(zoo / "aesc" / "toy")
    with pytest.raises(SimnetError, match="judge"):
        training.train(path, data_root=data_root, quiet=True)
    assert not (path.parent / "curve.csv").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": {"pixel": "l1", "gamma": 0.5, "semantic": "x"}}, "loss.pixel: got 'l1'"),
        ({"loss": {"pixel": "mse", "gamma": 1.5, "semantic": "x"}}, "loss.gamma: got 1.5"),
        ({"autoencoder": {"architecture": "grey28", "z": 0}}, "autoencoder.z: got 0"),
        ({"code_noise_bits": 1}, "code_noise_bits: got 1"),
        (
            {"autoencoder": {"architecture": "grey28", "z": 8, "code_activation": "relu"}},
            "code_noise_bits: got 4 for codes of relu; allowed for 'tanh'",
        ),
        ({"sauce": 1}, "sauce: got 1"),
    ],
)
def test_wrong_keys_are_named(zoo: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        read_recipe(write_recipe(zoo / "aesc" / "toy", **changes))


def test_shipped_recipes_are_valid() -> None:
    root = Path(__file__).parents[3] / "models" / "aesc"
    recipes = sorted(root.glob("*/train*.yaml"))
    assert len(recipes) >= 12
    for path in recipes:
        recipe = read_recipe(path)
        assert isinstance(recipe, Recipe)
        assert recipe.judge != recipe.loss.semantic
        assert f"z{recipe.autoencoder.z}" in path.parent.name
