"""mIoU against counting pixel by pixel."""

from __future__ import annotations

import math

import numpy as np
import torch

from simnet.tasks.intersection import confusion, iou, mean_iou

K = 4


def maps() -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(2)
    predicted, truth = rng.integers(0, K, (3, 7, 9)), rng.integers(0, K + 1, (3, 7, 9))
    truth[2] = np.where(truth[2] == 1, 0, truth[2])  # the third picture has nothing of class 1
    return torch.tensor(predicted), torch.tensor(truth).to(torch.uint8)


def brute_iou(predicted: torch.Tensor, truth: torch.Tensor, k: int) -> float:
    both = either = 0
    for p, t in zip(predicted.flatten().tolist(), truth.flatten().tolist(), strict=True):
        if t < K:  # else unlabelled
            both += p == k and t == k
            either += p == k or t == k
    return both / either if either else math.nan


def test_iou_of_each_class() -> None:
    predicted, truth = maps()
    got = iou(confusion(predicted, truth, K))
    wanted = [[brute_iou(predicted[i], truth[i], k) for k in range(K)] for i in range(3)]
    assert np.allclose(got.numpy(), wanted, equal_nan=True)


def test_mean_over_the_wished_classes_that_are_there() -> None:
    predicted, truth = maps()
    matrices = confusion(predicted, truth, K)
    third = [brute_iou(predicted[2], truth[2], k) for k in (0, 2, 3)]
    assert math.isclose(float(mean_iou(matrices)[2]), sum(third) / 3)
    assert math.isclose(float(mean_iou(matrices, [1, 3])[2]), third[2])
    assert math.isnan(float(mean_iou(matrices, [1])[2]))


def test_the_sets_iou_pools_pixels() -> None:
    predicted, truth = maps()
    pooled = mean_iou(confusion(predicted, truth, K).sum(0))
    whole = [brute_iou(predicted.reshape(1, -1), truth.reshape(1, -1), k) for k in range(K)]
    assert math.isclose(float(pooled), sum(whole) / K)


def test_perfect_and_unlabelled() -> None:
    truth = torch.tensor([[[0, 1], [2, K]]])
    assert float(mean_iou(confusion(truth.clamp(max=K - 1), truth, K))) == 1.0
    assert math.isnan(float(mean_iou(confusion(truth * 0, torch.full_like(truth, K), K))))
