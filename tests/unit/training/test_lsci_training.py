"""LSCI's base model is trained anew, interrupted and resumed: the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from simnet.codecs.networks.lsci import load_base
from simnet.core.errors import SimnetError
from simnet.core.zoo import model_dir
from simnet.training import cards, checkpoints, train
from simnet.training.recipe import RecipeError, read_recipe
from simnet.training.run import TrainingRun

RECIPE = """
kind: lsci
base: {width: 2, code_channels: 2}
data_set: camvid_small
train_on: [train]
measure_on: [camvid_small]
adversarial: 0.5
crops: {size: [64, 64]}
judge: segmenter/street_judge
optimisation: {epochs: 2, batch_size: 4, optimiser: adam, learning_rate: 0.001}
"""


def test_resumed_after_a_kill_gives_the_same_weights(
    tmp_path: Path, data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.set_num_threads(1)
    for folder in ("whole", "killed"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "train.yaml").write_text(RECIPE)
    train(tmp_path / "whole" / "train.yaml", data_root=data_root, quiet=True)

    save = checkpoints.save_checkpoint

    def save_and_die(*args: Any) -> None:
        save(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints, "save_checkpoint", save_and_die)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "killed" / "train.yaml", data_root=data_root, quiet=True)
    monkeypatch.setattr(checkpoints, "save_checkpoint", save)
    train(tmp_path / "killed" / "train.yaml", data_root=data_root, resume=True, quiet=True)

    weights = [(tmp_path / folder / "weights.safetensors").read_bytes() for folder in ("whole", "killed")]
    assert weights[0] == weights[1]
    _, counts = load_base(tmp_path / "whole" / "weights.safetensors")
    assert counts.sum(1).tolist() == [8 * 3 * 4] * 2  # every code symbol of every training picture, per channel


@pytest.mark.parametrize("model", ["lsci/street", "channel/street_awgn_low"])
def test_cards_are_measured_on_the_device_that_is_asked_for(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    path = model_dir(model) / "train.yaml"
    with pytest.raises(SimnetError, match="--device cuda: no CUDA device is available here"):
        cards.measure(read_recipe(path), TrainingRun(path, None, "cuda", resume=False, out=path.parent, quiet=True))


def test_a_rate_of_nothing_is_refused(tmp_path: Path) -> None:
    """Rates are drawn evenly in their logarithm."""
    path, text = tmp_path / "train.yaml", RECIPE.split("\n", 3)[-1].replace("judge: segmenter/street_judge", "")
    head = "kind: lsci_enhancement\nbase: lsci/street\npooling: 4\nmeasure_on: camvid_small\nbpp: [0, 1.0]\n"
    path.write_text(head + "\n".join(line for line in text.splitlines() if line.startswith(("data_set", "optim"))))
    with pytest.raises(RecipeError, match=r"bpp\.0: got 0"):
        read_recipe(path)
