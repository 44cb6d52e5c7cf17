"""RL-ASC: sizes as published, quantiser, concepts, and equations (1), (2), (3), (24), (25), (29), (31) written out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from simnet.codecs.entropy.label_map import table_shape
from simnet.codecs.networks.rlasc import (
    LEVELS,
    SHARPNESS,
    Quantiser,
    Rlasc,
    RlascShape,
    enlarged,
    load_rlasc,
    one_hot,
    pack_rlasc,
    placed,
    shrunk,
)  # fmt: skip
from simnet.codecs.networks.rlasc_agent import Agent, AgentShape, Episode, act
from simnet.core.errors import SimnetError
from simnet.training.painters import conditioned
from simnet.training.rlasc import classification_loss

SMALL = RlascShape(width=4, code_channels=3, n_classes=5)


@pytest.fixture
def networks() -> Rlasc:
    torch.manual_seed(0)
    return Rlasc(SMALL).eval()


@pytest.fixture
def label_map() -> torch.Tensor:
    return torch.tensor([[[0, 0, 1, 1], [0, 0, 1, 4], [2, 2, 2, 4]], [[3, 3, 3, 3], [3, 0, 0, 3], [3, 3, 3, 3]]])


@pytest.mark.parametrize(
    ("width", "n_classes", "encoder", "decoder", "head"),
    [(64, 30, 1.63e6, 13.8e6, 1731), (16, 12, 118e3, 928e3, 435)],
)
def test_sizes_are_those_of_papers_md(width: int, n_classes: int, encoder: float, decoder: float, head: int) -> None:
    with torch.device("meta"):
        networks = Rlasc(RlascShape(width=width, n_classes=n_classes))
    count = {name: sum(p.numel() for p in part.parameters()) for name, part in networks.named_children()}
    assert count["encoder"] == pytest.approx(encoder, rel=0.003)
    assert count["decoder"] == pytest.approx(decoder, rel=0.003)
    assert sum(p.numel() for p in networks.decoder.heads[0].parameters()) == head


def test_full_size_shapes() -> None:
    with torch.device("meta"):
        networks = Rlasc(RlascShape(n_classes=30))
        features = networks.encoder(torch.empty(1, 3, 256, 512))
        assert features.shape == (1, 16, 32, 64)
        painted = networks.decoder.painted(features, torch.empty(1, 1, 32, 64), 0)
        whole = networks.decoder.whole(features, torch.zeros(1, 32, 64, dtype=torch.int64))
        assert painted.shape == whole.shape == (1, 3, 256, 512)
        assert networks.decoder.attention(features).shape == (1, 1, 256, 512)


def test_every_value_goes_to_the_nearest_centre_of_its_level() -> None:
    """(24), value by value."""
    quantiser, values = Quantiser(), torch.linspace(-3, 3, 100)
    for level, n in enumerate(LEVELS):
        centres = quantiser.centres[level].detach()
        symbols = quantiser.symbols(values, level)
        expected = [min(range(n), key=lambda i: abs(v - centres[i])) for v in values.tolist()]
        assert symbols.tolist() == expected
        assert torch.equal(quantiser.at_level(values, level).detach(), centres[symbols])


def test_gradients_are_those_of_the_soft_choice() -> None:
    """(25) by finite differences, in values and centres; float64."""
    quantiser = Quantiser().double()
    values = torch.tensor([-1.3, 0.2, 0.71], dtype=torch.float64, requires_grad=True)
    centres = quantiser.centres[2]
    weight = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)

    def soft(x: np.ndarray, c: np.ndarray) -> float:
        sharpness = SHARPNESS * (len(c) - 1) / 4
        shares = np.exp(-sharpness * np.abs(x[:, None] - c))
        return float((shares / shares.sum(1, keepdims=True) @ c) @ weight.numpy())

    (quantiser.at_level(values, 2) @ weight).backward()
    x, c, step = values.detach().numpy(), centres.detach().numpy(), 1e-6
    for i in range(3):
        d = np.eye(3)[i] * step
        assert float(values.grad[i]) == pytest.approx((soft(x + d, c) - soft(x - d, c)) / 2 / step, rel=1e-5)
    for i in range(5):
        d = np.eye(5)[i] * step
        assert float(centres.grad[i]) == pytest.approx((soft(x, c + d) - soft(x, c - d)) / 2 / step, rel=1e-5)


def test_each_place_has_the_level_of_its_class(networks: Rlasc, label_map: torch.Tensor) -> None:
    levels = torch.tensor([[5, 0, 2, 1, 3], [4, 0, 0, 1, 0]])
    at = placed(levels, label_map)
    features = torch.randn(2, 3, 3, 4)
    quantised = networks.quantiser(features, at)
    for b in range(2):
        for i in range(3):
            for j in range(4):
                level = int(levels[b, label_map[b, i, j]])
                expected = networks.quantiser.at_level(features[b, :, i, j], level)
                assert torch.equal(quantised[b, :, i, j], expected)


def test_the_map_shows_the_class_that_most_pixels_have() -> None:
    labels = torch.zeros(1, 8, 16, dtype=torch.int64)
    labels[0, :, 11:] = 3
    labels[0, :3, :8] = 2
    assert shrunk(labels, 5).tolist() == [[[0, 3]]]


def test_shares_of_concepts_sum_to_1(label_map: torch.Tensor) -> None:
    there = one_hot(label_map, 5).float()
    total = sum(enlarged(there[:, label, None]) for label in range(5))
    assert torch.allclose(total, torch.ones_like(total))


def test_a_picture_is_the_weighted_sum_of_its_parts(networks: Rlasc, label_map: torch.Tensor) -> None:
    """(2), (28), (29), (31), one picture and concept at a time."""
    decoder, features = networks.decoder, torch.randn(2, 3, 3, 4)
    made = decoder(features, label_map)
    for b in range(2):
        f, s = features[b : b + 1], label_map[b : b + 1]
        local = torch.zeros(1, 3, 24, 32)
        for label in s.unique().tolist():
            mask = (s == label)[:, None].float()
            y = torch.sigmoid(decoder.heads[label](decoder.local(f * mask)))
            local += y * F.interpolate(mask, scale_factor=8, mode="bilinear")
        near = decoder.attention(f)
        assert torch.allclose(made[b : b + 1], near * local + (1 - near) * decoder.whole(f, s), atol=1e-5)


def test_without_a_head_the_global_generator_paints(networks: Rlasc, label_map: torch.Tensor) -> None:
    features = torch.randn(2, 3, 3, 4)
    part = networks.decoder(features, label_map, heads=[0, 1, 2, 4])
    assert torch.equal(part[0], networks.decoder(features, label_map)[0])
    assert not torch.equal(part[1], networks.decoder(features, label_map)[1])
    none = networks.decoder(features, label_map, heads=[])
    assert torch.allclose(none, networks.decoder.whole(features, label_map))


def test_classification_loss_sees_only_the_concept(networks: Rlasc, label_map: torch.Tensor) -> None:
    """(3): the maximum over a concept's places, one shared layer, mean over the concepts that are there."""
    features, losses = torch.randn(2, 3, 3, 4), []
    for b in range(2):
        for label in label_map[b].unique().tolist():
            pooled = features[b][:, label_map[b] == label].amax(1)
            losses.append(-networks.classify(pooled).log_softmax(0)[label])
    expected = float(torch.stack(losses).mean())
    assert float(classification_loss(networks, features, label_map)) == pytest.approx(expected, rel=1e-5)


def test_the_discriminator_sees_image_and_map(networks: Rlasc, label_map: torch.Tensor) -> None:
    images = torch.rand(2, 3, 24, 32)
    seen = conditioned(images, label_map, SMALL.n_classes)
    assert seen.shape == (2, 8, 24, 32) and torch.equal(seen[:, :3], images)
    assert seen[0, 3 + 4, 8:, 24:].min() == 1 and seen[0, 3 + 4].sum() == 2 * 64


def test_an_episode_decodes_as_the_codec_would(networks: Rlasc, label_map: torch.Tensor) -> None:
    features, chosen = torch.randn(2, 3, 3, 4), torch.tensor([[5, 0, 2, 1, 3], [4, 0, 0, 1, 0]])
    episode = Episode(networks, features, label_map)
    assert torch.allclose(episode.recovered, networks.made_of(features, label_map, torch.zeros_like(chosen)), atol=1e-6)
    for label in range(5):
        rows = episode.rows_with(label)
        if len(rows):
            episode.choose(label, chosen[rows, label])
    assert torch.equal(episode.levels, chosen * episode.there)
    assert torch.allclose(episode.recovered, networks.made_of(features, label_map, chosen), atol=1e-6)


def test_an_agent_sees_nothing_of_other_concepts_features(networks: Rlasc, label_map: torch.Tensor) -> None:
    torch.manual_seed(1)
    agent = Agent(AgentShape(code_channels=3, n_classes=5)).eval()
    features, price = torch.randn(2, 3, 3, 4), torch.tensor([0.5, 0.5])
    mask, recovered = (label_map == 0)[:, None].float(), torch.rand(2, 3, 24, 32)
    logits = agent(features, mask, recovered, 0, price)
    assert logits.shape == (2, len(LEVELS))
    assert torch.equal(logits, agent(features * mask + 9 * (1 - mask), mask, recovered, 0, price))
    for other in (
        agent(features + 1, mask, recovered, 0, price), agent(features, mask, 1 - recovered, 0, price),
        agent(features, mask, recovered, 1, price), agent(features, mask, recovered, 0, price * 9),
    ):  # fmt: skip
        assert not torch.equal(logits, other)
    levels = act(agent, networks, features, label_map, 0.5)
    assert torch.equal(levels, act(agent, networks, features, label_map, 0.5)), "deterministic at inference"
    assert not levels[0, 3].item() and levels.shape == (2, 5)


@pytest.mark.parametrize(
    ("tables", "map_table", "message"),
    [
        (torch.zeros(3), None, r"tables: got \[3\] torch.float32; allowed \[5, 69\] torch.uint8"),
        (torch.zeros(4, 69, dtype=torch.uint8), None, r"tables: got \[4, 69\] torch.uint8"),
        (torch.zeros(5, 69, dtype=torch.int64), None, r"tables: got \[5, 69\] torch.int64"),
        (
            None,
            torch.zeros(36, dtype=torch.uint8),
            r"map_table: got \[36\] torch.uint8; allowed \[36, 16\] torch.uint8",
        ),
    ],
)
def test_tables_that_are_not_the_model_s_are_refused(
    networks: Rlasc, tmp_path: Path, tables: torch.Tensor | None, map_table: torch.Tensor | None, message: str
) -> None:
    weights = tmp_path / "weights.safetensors"
    right = torch.ones(5, 69, dtype=torch.uint8), torch.ones(table_shape(5), dtype=torch.uint8)
    weights.write_bytes(pack_rlasc(networks, *right))
    assert all(torch.equal(read, packed) for read, packed in zip(load_rlasc(weights)[1:], right, strict=True))
    weights.write_bytes(
        pack_rlasc(networks, right[0] if tables is None else tables, right[1] if map_table is None else map_table)
    )
    with pytest.raises(SimnetError, match=rf"weights.safetensors: not the weights of an RL-ASC codec \({message}"):
        load_rlasc(weights)
