"""SS of a set by mIoU, and its bootstrap interval, against a plain recomputation."""

from __future__ import annotations

import numpy as np
import torch

from simnet.core.plugins import KINDS
from simnet.signal.originals import N_RESAMPLES, batches, ss_interval
from simnet.tasks.intersection import confusion, mean_iou


def confusions(n: int, wrong: float, seed: int) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    truth = torch.from_numpy(rng.integers(0, 3, (n, 8, 8)))
    said = torch.where(torch.from_numpy(rng.random((n, 8, 8))) < wrong, (truth + 1) % 3, truth)
    return confusion(said, truth, 3)


def test_the_interval_is_the_plain_bootstrap_s() -> None:
    before, after = confusions(30, 0.1, 1), confusions(30, 0.3, 2)
    low, high = ss_interval(before, after, np.random.default_rng(5))
    counts = np.random.default_rng(5).multinomial(30, np.full(30, 1 / 30), N_RESAMPLES)
    ratios = []
    for weights in counts:
        drawn = [i for i, n in enumerate(weights) for _ in range(n)]
        ratios.append(float(mean_iou(after[drawn].sum(0)) / mean_iou(before[drawn].sum(0))))
    assert np.allclose([low, high], np.percentile(ratios, [2.5, 97.5]), atol=1e-6)
    assert low < float(mean_iou(after.sum(0)) / mean_iou(before.sum(0))) < high


def test_what_loses_nothing_has_ss_1_for_certain() -> None:
    same = confusions(12, 0.2, 3)
    assert ss_interval(same, same, np.random.default_rng(1)) == (1.0, 1.0)


def test_pictures_come_on_the_device_that_is_asked_for() -> None:
    images = KINDS["data"].load("camvid_small")().load("sample").first(3)
    for device in ("cpu", "meta"):
        assert {t.device.type for batch in batches(images, torch.device(device)) for t in batch} == {device}
