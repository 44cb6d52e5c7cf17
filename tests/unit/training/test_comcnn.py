"""ComCNN and RecCNN: full size as published, JPEG in the loop, and a gradient that passes it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from simnet.codecs.networks.compact import Compact, CompactShape, pad_to_even
from simnet.data.camvid_small import CamVidSmall
from simnet.training.comcnn import Recipe, Restoration, jpeg_of
from simnet.training.crops import Cropper, Crops

RECIPE: dict[str, Any] = {
    "networks": {"width": 4, "depth": 3},
    "data_set": "camvid_small",
    "measure_on": "camvid_small",
    "optimisation": {"epochs": 1, "learning_rate": 0.001},
}


def objective() -> Restoration:
    torch.manual_seed(1)
    sample = CamVidSmall().load("sample").first(6)
    recipe = Recipe.model_validate(RECIPE)
    test = torch.tensor(sample.images).float() / 255
    return Restoration(Compact(recipe.networks), Cropper([sample], Crops()), test, recipe, torch.device("cpu"))


def test_full_size_has_the_published_layers() -> None:
    """3 layers before JPEG, 20 behind it, 64 channels; batch normalisation in the 18 inner ones."""
    with torch.device("meta"):
        networks = Compact(CompactShape())
    convolutions = [
        sum(isinstance(m, torch.nn.Conv2d) for m in part.modules()) for part in (networks.com, networks.rec)
    ]
    assert convolutions == [3, 20]
    weights = 18 * 64 * 64 * 9 + 3 * 64 * 9 + 64 + 64 * 3 * 9 + 3 + 18 * 2 * 64
    assert sum(p.numel() for p in networks.rec.parameters()) == weights


def test_what_is_coded_has_half_the_size_and_both_ends_start_with_plain_scaling() -> None:
    networks = Compact(CompactShape(width=4, depth=3)).eval()
    for part in (networks.com, networks.rec):
        torch.nn.init.zeros_(part[-1].weight), torch.nn.init.zeros_(part[-1].bias)
    images = torch.rand(2, 3, 32, 48)
    compact = networks.compact(images)
    assert torch.equal(compact, torch.nn.functional.avg_pool2d(images, 2))
    assert networks.restore(compact).shape == images.shape
    assert pad_to_even(torch.rand(1, 3, 5, 7)).shape == (1, 3, 6, 8)


def test_gradients_pass_jpeg_and_reach_both_networks() -> None:
    o = objective()
    o.module.train()
    o.loss(np.arange(4), np.random.default_rng(0), 0.0).backward()  # type: ignore[no-untyped-call]
    for part in (o.module.com, o.module.rec):
        assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in part.parameters())


def test_the_loss_is_that_of_what_jpeg_leaves() -> None:
    """Coarser JPEG, larger error: the forward pass does not skip it."""
    o = objective()
    o.module.eval()
    with torch.no_grad():
        assert o.psnr_db(2) < o.psnr_db(30) < o.psnr_db(90)
        compact = o.module.compact(o._test)
        assert not torch.equal(jpeg_of(compact, 20), compact)


def test_training_lowers_the_error() -> None:
    o = objective()
    o.module.train()
    optimiser = torch.optim.Adam(o.module.parameters(), lr=3e-3)
    losses = []
    for step in range(25):
        optimiser.zero_grad()
        loss = o.loss(np.arange(6), np.random.default_rng(step % 5), 0.0)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(loss.item())
    assert sum(losses[-5:]) < 0.9 * sum(losses[:5])


def test_the_lowest_quality_stands_first() -> None:
    assert Recipe.model_validate({**RECIPE, "quality": [60, 60]}).quality == (60, 60)
    with pytest.raises(ValidationError, match=r"quality\n.*got \[60, 3\]; allowed the lowest first"):
        Recipe.model_validate({**RECIPE, "quality": [60, 3]})
