"""``simnet train`` on a toy set: resuming changes nothing, cards say what happened, errors are clear."""

from __future__ import annotations

import csv
import math
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from safetensors import safe_open
from torch.nn import functional as F

from simnet import training
from simnet.codecs.networks.channel_slices import ChannelSlices
from simnet.codecs.networks.jscc import Jscc
from simnet.codecs.networks.lsci import LsciBase
from simnet.codecs.networks.super_resolution import SuperResolution
from simnet.core.errors import SimnetError, UnknownName
from simnet.core.zoo import zoo_root
from simnet.data.base import content_hash
from simnet.data.idx import write_idx
from simnet.tasks.networks import load_network
from simnet.tasks.networks.lenet import LeNet
from simnet.training import cards, checkpoints, engine
from simnet.training.recipe import Optimisation, RecipeError, read_recipe

RECIPE: dict[str, Any] = {
    "kind": "classifier",
    "seed": 3,
    "data_set": "mnist",
    "network": {"name": "lenet", "options": {"width": 2, "n_features": 8}},
    "augmentation": {"shift_px": 1, "mirror": True},
    "optimisation": {
        "epochs": 4,
        "batch_size": 8,
        "learning_rate": 0.05,
        "warmup": 0.25,
        "weight_decay": 0.001,
    },
    "notes": ["A toy."],
}


@pytest.fixture
def data_root(tmp_path: Path) -> Path:
    """34 + 10 images whose class shows: row ``label`` is white."""
    folder = tmp_path / "data" / "mnist"
    folder.mkdir(parents=True)
    for prefix, n in (("train", 34), ("t10k", 10)):
        labels = np.arange(n) % 10
        images = np.random.default_rng(n).integers(60, size=(n, 28, 28), dtype=np.uint8)
        images[np.arange(n), 2 * labels] = 255
        write_idx(folder / f"{prefix}-images-idx3-ubyte.gz", images)
        write_idx(folder / f"{prefix}-labels-idx1-ubyte.gz", labels.astype(np.uint8))
    return tmp_path / "data"


def write_recipe(folder: Path, **changes: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "train.yaml"
    path.write_text(yaml.safe_dump(RECIPE | changes))
    return path


def optimisation(**changes: Any) -> dict[str, Any]:
    return {**RECIPE["optimisation"], **changes}


def train(path: Path, data_root: Path, **options: Any) -> Path:
    return training.train(path, data_root=data_root, quiet=True, **options)


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("settings", [{}, {"optimiser": "adamw"}, {"optimiser": "adam", "schedule": "linear"}])
def test_resumed_training_gives_the_weights_of_an_uninterrupted_one(
    tmp_path: Path, data_root: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
) -> None:
    changes = {"optimisation": optimisation(**settings)}
    whole = train(write_recipe(tmp_path / "toys" / "whole", **changes), data_root)
    path = write_recipe(tmp_path / "toys" / "cut", **changes)
    original = checkpoints.save_checkpoint

    def save_then_stop(*args: Any) -> None:
        original(*args)
        if args[-1].epochs_done == 2:
            raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "save_checkpoint", save_then_stop)
        with pytest.raises(Interrupted):
            train(path, data_root)
    assert not (path.parent / "weights.safetensors").exists()
    cut = train(path, data_root, resume=True)
    assert (cut / "weights.safetensors").read_bytes() == (whole / "weights.safetensors").read_bytes()
    columns = ("epoch", "loss", "test_accuracy")
    assert curve(cut, columns) == curve(whole, columns)
    assert [row[0] for row in curve(cut, columns)] == ["1", "2", "3", "4"]
    assert sorted(p.name for p in cut.iterdir()) == [
        "card.yaml",
        "curve.csv",
        "train.yaml",
        "weights.safetensors",
    ]


def test_dropout_is_drawn_by_the_seed(tmp_path: Path, data_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch's own generator serves it, and is left as it was."""
    plain = LeNet.features
    monkeypatch.setattr(LeNet, "features", lambda self, x: F.dropout(plain(self, x), 0.5, self.training))
    made = []
    for name, elsewhere in (("one", 1), ("two", 2)):
        torch.manual_seed(elsewhere)
        before = torch.get_rng_state()
        folder = train(write_recipe(tmp_path / "toys" / name), data_root)
        assert torch.equal(torch.get_rng_state(), before)
        made.append((folder / "weights.safetensors").read_bytes())
    assert made[0] == made[1]


def curve(folder: Path, columns: tuple[str, ...]) -> list[tuple[str, ...]]:
    with open(folder / "curve.csv", newline="") as file:
        return [tuple(row[c] for c in columns) for row in csv.DictReader(file)]


def test_training_learns_and_depends_on_the_seed(tmp_path: Path, data_root: Path) -> None:
    longer = optimisation(epochs=25, learning_rate=0.1)
    one = train(write_recipe(tmp_path / "toys" / "one", optimisation=longer), data_root)
    rows = curve(one, ("loss", "test_accuracy"))
    assert float(rows[-1][0]) < 0.5 * float(rows[0][0])
    assert float(rows[-1][1]) > 0.5, "chance is 0.1"
    short = [
        train(write_recipe(tmp_path / "toys" / f"seed{seed}", seed=seed), data_root) / "weights.safetensors"
        for seed in (3, 4)
    ]
    assert short[0].read_bytes() != short[1].read_bytes()


def test_torchs_global_generator_is_left_alone(tmp_path: Path, data_root: Path) -> None:
    before = torch.get_rng_state()
    train(write_recipe(tmp_path / "toys" / "one"), data_root)
    assert torch.equal(torch.get_rng_state(), before)


def test_bfloat16_trains_to_float32_weights(tmp_path: Path, data_root: Path) -> None:
    folder = train(write_recipe(tmp_path / "toys" / "half", optimisation=optimisation(precision="bfloat16")), data_root)
    with safe_open(folder / "weights.safetensors", framework="pt") as file:
        assert file.metadata() == {"network": "lenet", "options": '{"n_features": 8, "width": 2}'}
        assert file.get_tensor("head.weight").dtype == torch.float32


CARDS = sorted(zoo_root().glob("*/*/card.yaml"))
assert CARDS


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.parent.name)
def test_the_zoos_cards_are_of_their_recipes(card: Path) -> None:
    assert cards.read_card(card.parent).training.recipe_sha256 == read_recipe(card.parent / "train.yaml").digest()


@pytest.mark.parametrize(("models", "most_byte"), [("*/*", 60e6), ("lsci*/*", 30e6)])
def test_a_clone_of_the_zoo_stays_small(models: str, most_byte: float) -> None:
    n_byte = [file.stat().st_size for file in zoo_root().glob(f"{models}/*") if file.suffix != ".yaml"]
    assert len(n_byte) > 5 and sum(n_byte) <= most_byte


def test_what_recipes_learn_to_say_later_changes_no_digest(tmp_path: Path) -> None:
    recipe = read_recipe(write_recipe(tmp_path / "toys" / "one"))

    class Later(type(recipe)):  # type: ignore[misc]
        learnt: float = 0.5

    said = recipe.model_dump()
    assert Later.model_validate(said).digest() == recipe.digest()
    assert Later.model_validate({**said, "notes": ("Said in words.",)}).digest() == recipe.digest()
    seldom = {"optimisation": {**said["optimisation"], "evaluate_every": 2}}
    assert Later.model_validate({**said, **seldom}).digest() == recipe.digest()
    for change in ({"learnt": 0.6}, {"seed": 17}):
        assert Later.model_validate({**said, **change}).digest() != recipe.digest()


@pytest.mark.parametrize(
    ("changes", "same"),
    [({"measure_on_first": 5}, True), ({"judge": "a/b"}, False), ({"measure_at_db": (1.0,)}, False)],
)
def test_what_a_digest_leaves_out(changes: dict[str, Any], same: bool) -> None:
    recipe = read_recipe(zoo_root() / "jscc" / "semcc_awgn" / "train.yaml")
    assert (recipe.model_copy(update=changes).digest() == recipe.digest()) == same


def test_card_says_what_happened(tmp_path: Path, data_root: Path) -> None:
    path = write_recipe(tmp_path / "toys" / "one")
    folder = train(path, data_root, out=tmp_path / "elsewhere")
    assert folder == tmp_path / "elsewhere"
    card = cards.read_card(folder)
    network = load_network(folder / "weights.safetensors")
    assert (card.model, card.kind, card.notes) == ("toys/one", "classifier", ("A toy.",))
    assert card.training.recipe_sha256 == read_recipe(path).digest()
    assert (card.training.epochs, card.training.device.split()[0]) == (4, "cpu")
    assert card.training.libraries["torch"] == version("torch")
    assert card.parameters == {"task": sum(p.numel() for p in network.parameters())}
    test_labels = np.arange(10)
    images = np.random.default_rng(10).integers(60, size=(10, 28, 28), dtype=np.uint8)
    images[test_labels, 2 * test_labels] = 255
    assert card.data["mnist/test"] == cards.DataUsed(n=10, sha256=content_hash(images[:, None], test_labels))
    with torch.no_grad():
        hits = network(torch.tensor(images[:, None]) / 255).argmax(1).numpy() == test_labels
    assert card.measured["test"]["n_correct"] == hits.sum()  # type: ignore[index, call-overload]
    assert card.measured["sample"]["n"] == 1000  # type: ignore[index, call-overload]


def test_what_pictures_do_not_have_is_none_in_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = {"map_50": 0.5, "ap_50": {"car": 0.5, "bus": math.nan}, "interval_95": [math.nan, 1.0], "n": 3}
    monkeypatch.setattr(cards, "kind_module", lambda kind: SimpleNamespace(measure=lambda recipe, run: figures))
    recipe: Any = SimpleNamespace(kind="detector")
    run: Any = None
    told = {**figures, "ap_50": {"car": 0.5, "bus": None}, "interval_95": [None, 1.0]}
    assert cards.measure(recipe, run) == told


def test_measuring_anew_rewrites_the_figures_only(tmp_path: Path, data_root: Path) -> None:
    path = write_recipe(tmp_path / "toys" / "one")
    folder = train(path, data_root)
    text = (folder / "card.yaml").read_text()
    spoilt = cards.read_card(folder).model_copy(update={"measured": {"test": 1.0}})
    cards.write_card(folder, spoilt)
    assert training.measure(path, data_root=data_root) == folder / "card.yaml"
    assert (folder / "card.yaml").read_text() == text


def test_checkpoint_of_another_recipe_is_refused(
    tmp_path: Path, data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(engine, "finish", lambda run: None)
        train(write_recipe(tmp_path / "toys" / "one"), data_root)
    path = write_recipe(tmp_path / "toys" / "one", seed=4)
    with pytest.raises(checkpoints.CheckpointError, match=r"belongs to another recipe .*train without --resume"):
        train(path, data_root, resume=True)
    checkpoint = path.parent / "checkpoint.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-1])
    with pytest.raises(checkpoints.CheckpointError, match="damaged"):
        train(path, data_root, resume=True)
    train(path, data_root, resume=False)


def test_interrupted_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(TypeError):
        checkpoints.write_atomically(path, "not bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 3}, r"train.yaml: epochs: got 3: Extra inputs are not permitted"),
        (
            {"optimisation": optimisation(epochs=0)},
            r"optimisation\.epochs: got 0: .*greater than or equal to 1",
        ),
        ({"optimisation": optimisation(optimiser="sgdd")}, r"optimisation\.optimiser: got 'sgdd': .*'sgd'"),
        ({"optimisation": optimisation(learning_rate=-1)}, r"optimisation\.learning_rate: got -1"),
        ({"optimisation": optimisation(learning_rate=math.inf)}, r"optimisation\.learning_rate: got \.inf"),
        ({"seed": -1}, r"seed: got -1"),
        ({"augmentation": {"shift_px": 99}}, r"augmentation\.shift_px: got 99"),
    ],
)
def test_recipe_errors_name_key_and_value(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        read_recipe(write_recipe(tmp_path / "toys" / "bad", **changes))


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"[1, 2", b"just text", b"{kind: *a}", b"[" * 5000, b"x" * 70_000]
)
def test_files_that_are_no_recipe(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "train.yaml"
    path.write_bytes(content)
    with pytest.raises(RecipeError, match=r"train\.yaml: "):
        read_recipe(path)


def test_a_key_of_a_recipe_stands_once(tmp_path: Path) -> None:
    path = write_recipe(tmp_path / "toys" / "twice")
    path.write_text(path.read_text() + "kind: classifier\n")
    with pytest.raises(RecipeError, match=r"train\.yaml:\d+ kind: got .*twice"):
        read_recipe(path)


def test_python_tags_are_not_obeyed(tmp_path: Path) -> None:
    path = tmp_path / "train.yaml"
    path.write_text("!!python/object/apply:os.mkdir ['" + str(tmp_path / "evil") + "']")
    with pytest.raises(RecipeError, match="cannot be read as YAML"):
        read_recipe(path)
    assert not (tmp_path / "evil").exists()


def test_unknown_kind_data_set_network_and_device(tmp_path: Path, data_root: Path) -> None:
    with pytest.raises(UnknownName, match="did you mean 'classifier'"):
        read_recipe(write_recipe(tmp_path / "toys" / "a", kind="clasifier"))
    with pytest.raises(UnknownName, match="did you mean 'mnist'"):
        train(write_recipe(tmp_path / "toys" / "b", data_set="mnits"), data_root)
    with pytest.raises(UnknownName, match="did you mean 'lenet'"):
        train(write_recipe(tmp_path / "toys" / "c", network={"name": "lenet5"}), data_root)
    with pytest.raises(SimnetError, match="--device: got 'tpu'; allowed: cpu, cuda"):
        train(write_recipe(tmp_path / "toys" / "d"), data_root, device="tpu")
    with pytest.raises(SimnetError, match=r"batch_size: got 100; allowed 1\.\.34"):
        train(write_recipe(tmp_path / "toys" / "e", optimisation=optimisation(batch_size=100)), data_root)


def test_diverging_loss_is_told(tmp_path: Path, data_root: Path) -> None:
    steep = optimisation(learning_rate=1e30, schedule="constant", warmup=0.0)
    with pytest.raises(SimnetError, match=r"the loss became (nan|inf) in epoch \d; lower optimisation.learning_rate"):
        train(write_recipe(tmp_path / "toys" / "steep", optimisation=steep), data_root)


def test_schedules() -> None:
    """Linear rise over the warm-up, then cosine or straight line to 0, by hand."""

    def factors(schedule: str) -> list[float]:
        settings = Optimisation.model_validate({"epochs": 1, "learning_rate": 1, "schedule": schedule, "warmup": 0.2})
        return [engine.learning_rate_factor(step, 10, settings) for step in range(10)]

    assert factors("cosine")[:3] == [0.5, 1.0, 1.0]
    assert factors("cosine")[6] == pytest.approx(0.5)
    assert factors("linear")[2:] == pytest.approx([1 - k / 8 for k in range(8)])
    assert factors("constant") == [0.5] + [1.0] * 9


def test_steps_of_the_learning_rate() -> None:
    """Paper 003, section VI: times 0.5 every 50 epochs of 300."""
    settings = Optimisation(epochs=300, learning_rate=1e-3, schedule="step", step_epochs=50)
    at = {epoch: engine.learning_rate_factor(2 * epoch, 600, settings) for epoch in (0, 49, 50, 149, 150, 299)}
    assert at == {0: 1.0, 49: 1.0, 50: 0.5, 149: 0.25, 150: 0.125, 299: 0.5**5}
    with pytest.raises(ValueError, match="step_epochs: got None with schedule step"):
        Optimisation(epochs=1, learning_rate=1, schedule="step")
    with pytest.raises(ValueError, match="step_epochs: got 50 with schedule cosine"):
        Optimisation(epochs=1, learning_rate=1, step_epochs=50)


def test_missing_or_broken_card(tmp_path: Path) -> None:
    with pytest.raises(SimnetError, match="not a readable card"):
        cards.read_card(tmp_path)
    (tmp_path / "card.yaml").write_text("model: 3")
    with pytest.raises(SimnetError, match="not a readable card"):
        cards.read_card(tmp_path)


ZOO = Path(__file__).parents[3] / "models"


RECIPES = sorted(ZOO.glob("*/*/train*.yaml"))
assert RECIPES


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_every_recipe_of_the_zoo_can_be_read(path: Path) -> None:
    recipe = read_recipe(path)
    assert recipe.optimisation.epochs > 0


def test_recipes_for_a_gpu_are_the_papers_sizes() -> None:
    """Tables I to III of paper 000, and the width of paper 003; on the meta device."""
    full = {path.parent.relative_to(ZOO).as_posix(): read_recipe(path) for path in ZOO.glob("*/*/train_full.yaml")}
    with torch.device("meta"):
        base = LsciBase(full["lsci/street"].base)  # type: ignore[attr-defined]
        channel = ChannelSlices(full["channel/street_awgn_low"].slices)  # type: ignore[attr-defined]
        restorer = SuperResolution(full["lsci_sr/street_2"].width)  # type: ignore[attr-defined]
        jscc = Jscc(full["jscc/deepjscc_awgn"].networks)  # type: ignore[attr-defined]
    counts = [
        sum(p.numel() for p in part.parameters())
        for part in (base.encoder, base.generator, channel.encoder, channel.decoder, restorer, jscc.encoder)
    ]
    assert counts[:5] == [15_745_668, 176_195_203, 193_864, 191_556, 445_443]
    assert counts[5] + sum(p.numel() for p in jscc.to_channel.parameters()) == 293_463
