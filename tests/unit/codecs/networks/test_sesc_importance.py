"""Importance as a model of its own: the entropy model against a slow count of its bits, and what a file says."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from simnet.codecs.networks.sesc import Importance, SescShape
from simnet.codecs.networks.sesc_importance import (
    EntropyModel,
    ImportanceHead,
    ImportanceModel,
    load_importance,
    pack_importance,
    weights_by,
)
from simnet.core.errors import SimnetError
from simnet.tasks.networks.detector import Detector

SMALL = SescShape(
    size=(32, 48), width=16, depth=1, decoder_width=16, decoder_depth=1, symbols=3, importance_width=4,
    task_channels=(4, 8, 16, 24), fading="awgn",
)  # fmt: skip
ROWS, COLUMNS = SMALL.grid


@pytest.fixture
def model() -> EntropyModel:
    torch.manual_seed(0)
    return EntropyModel(SMALL).eval().requires_grad_(False)


def symbols(n: int = 2, seed: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, SMALL.n_features, SMALL.symbols, dtype=torch.complex64, generator=generator)


def slow_bits(model: EntropyModel, sent: torch.Tensor) -> list[float]:
    """-log2 likelihood of each feature of one picture, value by value, neighbour by neighbour."""
    values = [[complex(v).real for v in f] + [complex(v).imag for v in f] for f in sent.tolist()]
    kernel, bias = model.context.weight.double().numpy(), model.context.bias.double().numpy()
    (w1, b1), (w2, b2) = (
        (layer.weight.double().numpy()[:, :, 0, 0], layer.bias.double().numpy())
        for layer in (model.mix[1], model.mix[3])
    )
    bits = []
    for row in range(ROWS):
        for column in range(COLUMNS):
            seen = bias.copy()
            for down, across in ((-1, -1), (-1, 0), (-1, 1), (0, -1)):  # above and to the left
                r, c = row + down, column + across
                if r >= 0 and 0 <= c < COLUMNS:
                    seen += kernel[:, :, 1 + down, 1 + across] @ values[r * COLUMNS + c]
            told = w2 @ np.maximum(w1 @ np.maximum(seen, 0) + b1, 0) + b2
            total = 0.0
            for value, mean, log_deviation in zip(values[row * COLUMNS + column], told[:6], told[6:], strict=True):
                deviation = math.exp(log_deviation)
                density = math.exp(-(((value - mean) / deviation) ** 2) / 2) / (deviation * math.sqrt(2 * math.pi))
                total -= math.log2(density)
            bits.append(total)
    return bits


def test_bits_are_minus_log2_of_the_likelihood(model: EntropyModel) -> None:
    sent = symbols()
    for picture, got in zip(sent, model.bits(sent), strict=True):
        assert got.tolist() == pytest.approx(slow_bits(model, picture), rel=1e-4)


def test_weights_are_bits_from_least_to_most_of_each_picture(model: EntropyModel) -> None:
    bits, weights = model.bits(symbols()), model(symbols())
    for own, got in zip(bits.tolist(), weights.tolist(), strict=True):
        low, high = min(own), max(own)
        assert got == pytest.approx([(b - low) / (high - low) for b in own], abs=1e-5)


def test_a_feature_is_foretold_by_those_before_it_only(model: EntropyModel) -> None:
    """Else the bits of features would not add up to those of the picture."""
    sent, at = symbols(1), 10
    other = sent.clone()
    other[0, at] += 3
    changed = (model.bits(sent) != model.bits(other))[0].nonzero().flatten().tolist()
    row, column = divmod(at, COLUMNS)
    beside = {(row, column), (row, column + 1), (row + 1, column - 1), (row + 1, column), (row + 1, column + 1)}
    assert {divmod(i, COLUMNS) for i in changed} == beside


def test_bits_of_independent_gaussians_are_their_entropy(model: EntropyModel) -> None:
    """A model that has learned deviation 1/√2 of each part: ½ log2(2πe/2) bits a value, on the mean."""
    torch.nn.init.zeros_(model.mix[3].weight)
    torch.nn.init.zeros_(model.mix[3].bias)
    torch.nn.init.constant_(model.mix[3].bias[2 * SMALL.symbols :], -math.log(2) / 2)
    per_value = model.bits(symbols(400)) / (2 * SMALL.symbols)
    n_values = per_value.numel() * 2 * SMALL.symbols
    entropy, deviation = math.log2(math.pi * math.e) / 2, math.sqrt(0.5) / math.log(2)  # of (y/s)²/2, in bits
    assert abs(per_value.mean().item() - entropy) < 4 * deviation / math.sqrt(n_values)


@pytest.mark.parametrize("importance", ["network", "entropy"])
def test_a_model_comes_back_from_its_file(importance: str, tmp_path: Path) -> None:
    task = "detector/street_small" if importance == "network" else None
    head = ImportanceHead.model_validate({
        "importance": importance, "codec": "sesc/tiny", "task": task, "networks": SMALL.model_dump(),
    })  # fmt: skip
    torch.manual_seed(2)
    network = head.build().eval()
    (tmp_path / "weights.safetensors").write_bytes(pack_importance(ImportanceModel(head, network)))
    loaded = load_importance(tmp_path / "weights.safetensors")
    assert loaded.head == head and type(loaded.network) is (Importance if task else EntropyModel)
    images = torch.rand(2, 3, 32, 48)
    detector = Detector(width=4).eval()
    with torch.no_grad():
        weights = [weights_by(n, images, symbols(), detector if task else None) for n in (loaded.network, network)]
    assert weights[0].shape == (2, SMALL.n_features)
    assert torch.allclose(*weights, atol=0.02), "stored as float16"
    (tmp_path / "weights.safetensors").write_bytes(b"")
    with pytest.raises(SimnetError, match="not the weights of an importance model of SE-SC"):
        load_importance(tmp_path / "weights.safetensors")


@pytest.mark.parametrize(("importance", "task"), [("network", None), ("entropy", "detector/street_small")])
def test_a_task_goes_with_a_network(importance: str, task: str | None) -> None:
    with pytest.raises(ValidationError, match=f"task: got {task} for importance {importance}; allowed with 'network'"):
        ImportanceHead.model_validate({
            "importance": importance, "codec": "sesc/tiny", "task": task, "networks": SMALL.model_dump(),
        })  # fmt: skip
