"""mAP of recovered pictures, and distances of feature distributions against closed forms and torchmetrics."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from simnet.data.camvid_small import CamVidSmall
from simnet.signal.other_judges import DetectionJudge, Distribution, frechet_distance, kernel_distance
from simnet.tasks.boxes import mean_average_precision
from simnet.tasks.networks.detector import Detector
from simnet.tasks.networks.fpn import Fpn


def test_frechet_distance_of_gaussians_is_the_closed_form() -> None:
    """|μ₁ − μ₂|² + Σ (σ₁ − σ₂)² where the axes are independent."""
    rng = torch.Generator().manual_seed(0)
    a = torch.randn(40_000, 3, generator=rng, dtype=torch.float64)
    b = torch.randn(40_000, 3, generator=rng, dtype=torch.float64) * torch.tensor([1.0, 2.0, 0.5]) + 1
    assert frechet_distance(a, b) == pytest.approx(3 + 0 + 1 + 0.25, rel=0.03)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)


def test_kernel_distance_is_the_sum_over_pairs() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((5, 4)), rng.standard_normal((6, 4)) + 0.5

    def kernel(x: np.ndarray, y: np.ndarray) -> float:
        return float((x @ y / 4 + 1) ** 3)

    within = [
        sum(kernel(x, y) for i, x in enumerate(s) for j, y in enumerate(s) if i != j) / (len(s) * (len(s) - 1))
        for s in (a, b)
    ]
    across = sum(kernel(x, y) for x in a for y in b) / 30
    expected = sum(within) - 2 * across
    assert kernel_distance(torch.from_numpy(a), torch.from_numpy(b)) == pytest.approx(expected)


def test_kernel_distance_is_torchmetrics_s() -> None:
    from torchmetrics.image.kid import poly_mmd

    a, b = torch.randn(50, 8, dtype=torch.float64), torch.randn(50, 8, dtype=torch.float64) * 1.5
    assert kernel_distance(a, b) == pytest.approx(float(poly_mmd(a, b)), rel=1e-9)


def test_worse_pictures_lie_farther_off() -> None:
    images = CamVidSmall().load("sample").first(24)
    pictures = torch.tensor(images.images).float() / 255
    torch.manual_seed(0)
    distribution = Distribution.of(images, Fpn(width=4).eval().requires_grad_(False))
    same, dark = (distribution.held_against(x) for x in (pictures, pictures * 0.3))
    assert same["feature_fid"] == pytest.approx(0, abs=1e-3) and same["feature_kid"] <= 0
    assert dark["feature_fid"] > same["feature_fid"] and dark["feature_kid"] > same["feature_kid"]


def test_originals_agree_with_their_own_detections() -> None:
    images = CamVidSmall().load("sample").first(12)
    torch.manual_seed(0)
    detector = Detector(width=4).eval().requires_grad_(False)
    torch.nn.init.constant_(detector.network.logits.bias[:4], 0.0)
    judge = DetectionJudge.of(images, detector)
    assert sum(map(len, judge.own)), "an untrained detector that is sure of something"
    figures = judge.held_against(torch.tensor(images.images).float() / 255)
    assert [figures[key] for key in ("map_50_own", "map_low_own", "map_high_own")] == pytest.approx([1.0] * 3)
    assert figures["map_low"] <= figures["map_50"] <= figures["map_high"]


def test_intervals_are_quantiles_over_resampled_pictures() -> None:
    """Each sample anew: its pictures found and true, as often as they were drawn."""
    images = CamVidSmall().load("sample").first(12)
    torch.manual_seed(0)
    detector = Detector(width=4).eval().requires_grad_(False)
    torch.nn.init.constant_(detector.network.logits.bias[:4], 0.0)
    judge = DetectionJudge.of(images, detector)
    pictures = torch.tensor(images.images).float() / 255
    judge.truth[:] = [boxes[:4] for boxes in judge.found(pictures)]  # something is right, something isn't
    figures, found = judge.held_against(pictures.flip(0)), judge.found(pictures.flip(0))
    scores = []
    for counts in judge.resampled(200):
        assert counts.sum() == 12
        drawn = np.repeat(np.arange(12), counts)
        scores.append(mean_average_precision([found[i] for i in drawn], [judge.truth[i] for i in drawn], 4))
    assert [figures["map_low"], figures["map_high"]] == pytest.approx(np.quantile(scores, [0.025, 0.975]), abs=6e-5)
    assert 0 < figures["map_low"] < figures["map_high"]
    assert (judge.resampled(200) == judge.resampled(200)).all()
