"""SE-SC: full size as published, the mask, the shared feature, power over what is sent."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from simnet.codecs.networks.sesc import Sesc, SescShape, above, most_important, positions
from simnet.data.camvid_small import CamVidSmall
from simnet.tasks.networks.fpn import Fpn
from simnet.training.crops import Cropper
from simnet.training.sesc import Extraction, Recipe, soft_above, transmitted

SMALL = SescShape(
    size=(32, 48), width=16, depth=1, decoder_width=16, decoder_depth=1, symbols=2, importance_width=4,
    task_channels=(4, 6, 12, 20), fading="awgn",
)  # fmt: skip


@pytest.fixture
def networks() -> Sesc:
    torch.manual_seed(0)
    return Sesc(SMALL).eval()


def test_full_size_is_that_of_mae_s_vit_b() -> None:
    """PAPERS.md: about 112 M parameters; reduced 1.08 M, the decoder 252 k."""
    with torch.device("meta"):
        full = Sesc(SescShape(size=(224, 224), patch=16, width=768, depth=12, decoder_width=512, decoder_depth=8))
        small = Sesc(SescShape())
    count = {name: sum(p.numel() for p in part.parameters()) for name, part in small.named_children()}
    assert sum(p.numel() for p in full.parameters()) == pytest.approx(112e6, rel=0.02)
    assert sum(count.values()) == pytest.approx(1.08e6, rel=0.02)
    assert count["receiver"] == pytest.approx(252e3, rel=0.02)


def test_weights_run_from_0_to_1_in_every_image(networks: Sesc) -> None:
    weights = networks.weights(torch.rand(3, 3, 32, 48), Fpn(width=4).eval())
    assert weights.shape == (3, 24)
    assert weights.amin(1).tolist() == [0.0] * 3 and weights.amax(1).tolist() == pytest.approx([1.0] * 3)


def test_what_is_sent_is_what_matters_most() -> None:
    weights = torch.tensor([[0.1, 0.9, 0.5, 0.2], [0.0, 0.0, 0.0, 1.0]])
    assert most_important(weights, 2).tolist()[0] == [False, True, True, False]
    assert above(weights, 0.2).tolist() == [[False, True, True, True], [False, False, False, True]]
    assert above(weights, 2.0).sum(1).tolist() == [1, 1], "something is always sent"


def test_pixels_do_not_depend_on_what_was_not_sent(networks: Sesc) -> None:
    symbols = torch.randn(1, 24, 2, dtype=torch.complex64)
    sent = torch.ones(1, 24)
    sent[0, 5] = 0
    other = symbols.clone()
    other[0, 5] = 9.0
    assert torch.equal(networks.receiver(symbols, sent), networks.receiver(other, sent))
    other[0, 6] = 9.0
    assert not torch.equal(networks.receiver(symbols, sent), networks.receiver(other, sent))


def test_the_shared_feature_stands_for_the_unsent(networks: Sesc) -> None:
    symbols, sent = torch.randn(1, 24, 2, dtype=torch.complex64), torch.zeros(1, 24)
    sent[0, 0] = 1
    before = networks.receiver(symbols, sent)
    with torch.no_grad():
        networks.receiver.input.shared += 1.0
    assert not torch.equal(before, networks.receiver(symbols, sent))


def test_power_is_1_over_the_symbols_that_are_sent(networks: Sesc, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the others take none: noise alone is what arrives there."""
    from simnet.phy.learned.channel import LearnedChannel

    seen = []
    forward = LearnedChannel.forward

    def spy(self: LearnedChannel, symbols: torch.Tensor, *rest: object) -> object:
        seen.append(symbols.detach())
        return forward(self, symbols, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(LearnedChannel, "forward", spy)
    sent = most_important(torch.rand(2, 24), 6).float()
    transmitted(networks, torch.rand(2, 3, 32, 48), sent, torch.full((2,), 10.0), torch.Generator().manual_seed(0))
    power = seen[0].abs().square().view(2, 24, 2)
    assert power.sum((1, 2)).tolist() == pytest.approx([12.0, 12.0], rel=1e-4)
    assert bool((power[sent == 0] == 0).all())


def test_places_differ() -> None:
    places = positions((4, 6), 16)
    assert places.shape == (24, 16) and len({tuple(row.tolist()) for row in places.round(decimals=5)}) == 24


def recipe(**changes: object) -> Recipe:
    return Recipe.model_validate({
        "networks": SMALL.model_dump(),
        "esno": {"low_db": 10, "high_db": 10},
        "data_set": "camvid_small",
        "measure_on": "camvid_small",
        "judge": "segmenter/street_judge",
        "crops": {"size": [32, 48], "whole": 1.0},
        "optimisation": {"epochs": 1, "learning_rate": 0.001},
        **changes,
    })  # fmt: skip


def objective(networks: Sesc, **changes: object) -> Extraction:
    sample, r = CamVidSmall().load("sample").first(6), recipe(**changes)
    test = torch.rand(2, 3, 32, 48)
    return Extraction(networks, Fpn(width=4).eval(), Cropper([sample], r.crops), test, r, torch.device("cpu"))


def test_importance_learns_from_thresholds_and_the_receiver_from_both(networks: Sesc) -> None:
    o = objective(networks.train())
    learns = []
    for seed in range(12):
        networks.zero_grad()
        o.loss(np.arange(4), np.random.default_rng(seed), 0.0).backward()  # type: ignore[no-untyped-call]
        grads = [p.grad for p in networks.importance.parameters()]
        learns.append(any(g is not None and bool(g.abs().sum() > 0) for g in grads))
        assert networks.receiver.input.from_symbols.weight.grad is not None
    assert any(learns) and not all(learns)


def test_a_price_drives_weights_down() -> None:
    """The gradient of the price alone lowers what lies near the threshold."""
    weights = torch.tensor([[0.0, 0.4, 0.5, 1.0]], requires_grad=True)
    soft_above(weights, 0.45).mean().backward()  # type: ignore[no-untyped-call]
    assert weights.grad is not None and weights.grad[0, 1] > weights.grad[0, 0] > 0
    assert soft_above(weights, 0.45).tolist() == [[0.0, 0.0, 1.0, 1.0]], "forwards it counts 0 or 1"


def test_pictures_are_cut_into_whole_patches() -> None:
    with pytest.raises(ValidationError, match=r"size: got \[33, 48\]; allowed multiples of patch, 8"):
        SescShape(size=(33, 48))


def test_crops_have_the_networks_size() -> None:
    with pytest.raises(ValidationError, match=r"crops.size: got \[32, 64\]; networks.size allows \[32, 48\]"):
        recipe(crops={"size": [32, 64]})
