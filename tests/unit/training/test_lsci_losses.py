"""LSCI's losses against slow, plain re-computations, and who gets whose gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from simnet.tasks.feature_distance import feature_distance
from simnet.tasks.networks.fpn import Fpn
from simnet.training.critic import GRADIENT_PENALTY, MultiScaleCritic, critic_loss, generator_loss
from simnet.training.distance import Distance, distance


def critic() -> MultiScaleCritic:
    torch.manual_seed(3)
    return MultiScaleCritic(2)


def test_critic_sees_three_sizes_and_averages_patches() -> None:
    network = critic()
    images = torch.rand(2, 3, 64, 96)
    by_hand = [
        network.scales[0](images).mean((1, 2, 3)),
        network.scales[1](F.avg_pool2d(images, 2)).mean((1, 2, 3)),
        network.scales[2](F.avg_pool2d(F.avg_pool2d(images, 2), 2)).mean((1, 2, 3)),
    ]
    assert torch.allclose(network(images), sum(by_hand) / 3, atol=1e-6)


def test_neither_side_gets_the_others_gradient() -> None:
    network = critic()
    made = torch.rand(2, 3, 64, 64, requires_grad=True)
    generator_loss(network, made).backward()
    assert made.grad is not None and made.grad.abs().sum() > 0
    assert all(p.grad is None for p in network.parameters())
    made.grad = None
    critic_loss(network, torch.rand(2, 3, 64, 64), made, np.random.default_rng(0)).backward()
    assert made.grad is None
    assert all(p.grad is not None for p in network.parameters())


def test_critic_loss_is_wasserstein_with_gradient_penalty() -> None:
    network = critic().double()
    real, made = torch.rand(3, 3, 64, 64).double(), torch.rand(3, 3, 64, 64).double()
    got = float(critic_loss(network, real, made, np.random.default_rng(5)).detach())
    shares = np.random.default_rng(5).random((3, 1, 1, 1), dtype=np.float32)
    penalties = []
    for i in range(3):
        between = (float(shares[i, 0, 0, 0]) * real[i] + (1 - float(shares[i, 0, 0, 0])) * made[i]).requires_grad_()
        network(between[None]).backward()
        assert between.grad is not None
        penalties.append((float(between.grad.square().sum()) ** 0.5 - 1) ** 2)
    wanted = float(network(made).mean() - network(real).mean()) + GRADIENT_PENALTY * sum(penalties) / 3
    assert abs(got - wanted) < 1e-5 * max(1, abs(wanted))


def test_feature_distance_place_by_place() -> None:
    rng = np.random.default_rng(1)
    stacks = [(rng.normal(size=(2, 4, 3, 5)), rng.normal(size=(2, 4, 3, 5))), (rng.normal(size=(2, 6, 1, 2)),) * 2]
    wanted = np.zeros(2)
    for a, b in stacks:
        for image in range(2):
            places = [
                ((a[image, :, y, x] / np.linalg.norm(a[image, :, y, x]) - b[image, :, y, x] / np.linalg.norm(b[image, :, y, x])) ** 2).sum()  # noqa: E501
                for y in range(a.shape[2]) for x in range(a.shape[3])
            ]  # fmt: skip
            wanted[image] += np.mean(places)
    got = feature_distance([torch.tensor(a) for a, _ in stacks], [torch.tensor(b) for _, b in stacks])
    assert np.allclose(got.numpy(), wanted, atol=1e-6)


def test_each_term_of_the_distance_has_its_weight() -> None:
    """L_P of paper 004 (33) is what is left without pixels and structure."""
    torch.manual_seed(0)
    images, made = torch.rand(2, 2, 3, 32, 32)
    features = Fpn(width=4).eval().requires_grad_(False)

    def at(**weights: float) -> float:
        return float(distance(Distance(**{"pixels": 0, "ssim": 0, "perceptual": 0, **weights}), images, made, features))  # type: ignore[arg-type]

    perceptual = float(feature_distance(features.features(images), features.features(made)).mean())
    assert at(perceptual=1) == pytest.approx(perceptual)
    assert at(pixels=2) == pytest.approx(2 * float(F.mse_loss(made, images)))
    assert at(pixels=1, ssim=0.5, perceptual=3) == pytest.approx(
        at(pixels=1) + 0.5 * at(ssim=1) + 3 * at(perceptual=1), rel=1e-5
    )
