"""Losses of paper 003, held against sums written out."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from simnet.training.contrast import Denominator, Projection, follow, info_nce, supervised_contrast

TAU = 0.3


def points(n: int, seed: int) -> Tensor:
    return F.normalize(torch.randn(n, 4, generator=torch.Generator().manual_seed(seed)), dim=1)


def test_info_nce_is_equation_8() -> None:
    sent, recovered = points(5, 1), points(5, 2)
    both = [*sent, *recovered]
    total = 0.0
    for i, anchor in enumerate(both):
        counterpart = both[(i + 5) % 10]
        others = sum(math.exp(float(anchor @ m) / TAU) for j, m in enumerate(both) if j != i)
        total -= math.log(math.exp(float(anchor @ counterpart) / TAU) / others)
    assert float(info_nce(sent, recovered, TAU)) == pytest.approx(total / 10, rel=1e-5)


def test_info_nce_of_batches_without_information_is_the_logarithm_of_the_others() -> None:
    same = points(1, 1).expand(6, 4)
    assert float(info_nce(same, same, TAU)) == pytest.approx(math.log(11), rel=1e-5)


@pytest.mark.parametrize("denominator", ["paper", "supcon"])
def test_supervised_contrast_is_equation_13(denominator: Denominator) -> None:
    labels = torch.tensor([0, 1, 0, 2, 1])
    sent, recovered = points(5, 3), points(5, 4)
    both, classes = [*sent, *recovered], [*labels.tolist(), *labels.tolist()]
    total = 0.0
    for i, anchor in enumerate(both):
        s_x = [j for j in range(10) if classes[j] == classes[i] and j != i]
        left = [j for j in range(10) if j != i and (denominator == "supcon" or classes[j] != classes[i])]
        others = sum(math.exp(float(anchor @ both[j]) / TAU) for j in left)
        total -= sum(math.log(math.exp(float(anchor @ both[j]) / TAU) / others) for j in s_x) / len(s_x)
    assert float(supervised_contrast(sent, recovered, labels, TAU, denominator)) == pytest.approx(total / 10, rel=1e-5)


def test_a_batch_of_one_class_has_no_denominator_and_counts_nothing() -> None:
    sent = points(4, 5).requires_grad_()
    loss = supervised_contrast(sent, points(4, 6), torch.zeros(4, dtype=torch.int64), TAU)
    loss.backward()
    assert loss.item() == 0.0 and sent.grad is not None and bool(sent.grad.isfinite().all())


def test_projections_lie_on_the_hypersphere_and_learn() -> None:
    projection = Projection(7, 3)
    made = projection(torch.randn(5, 7))
    assert torch.allclose(made.norm(dim=1), torch.ones(5)) and made.shape == (5, 3)
    assert sum(isinstance(layer, nn.Linear) for layer in projection.modules()) == 2


def test_a_follower_moves_by_equation_14() -> None:
    leader = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    follower = copy.deepcopy(leader)
    start = follower[0].weight.detach().clone()
    with torch.no_grad():
        leader[0].weight += 1.0
    for _ in range(3):
        follow(follower, leader, 0.9)
    assert torch.allclose(follower[0].weight, start + (1 - 0.9**3), atol=1e-6)
    assert follower[1].num_batches_tracked == 0
