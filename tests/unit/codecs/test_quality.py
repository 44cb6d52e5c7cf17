"""PSNR and SSIM by their formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from simnet.codecs.quality import mean_squared_errors, psnr_db, ssim


def test_psnr_of_known_errors() -> None:
    originals = torch.zeros(3, 1, 4, 4)
    recovered = torch.stack([torch.full((1, 4, 4), e) for e in (0.1, 1.0, 0.0)])
    assert psnr_db(mean_squared_errors(originals, recovered)).tolist() == pytest.approx([20.0, 0.0, float("inf")])


def test_ssim_of_one_window_by_hand() -> None:
    rng = np.random.default_rng(4)
    x, y = rng.random((2, 11, 11))
    taps = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    weights = np.outer(taps, taps) / np.outer(taps, taps).sum()
    mean_x, mean_y = (weights * x).sum(), (weights * y).sum()
    var_x, var_y = (weights * (x - mean_x) ** 2).sum(), (weights * (y - mean_y) ** 2).sum()
    covariance = (weights * (x - mean_x) * (y - mean_y)).sum()
    c1, c2 = 0.01**2, 0.03**2
    wanted = (2 * mean_x * mean_y + c1) * (2 * covariance + c2) / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))
    got = ssim(*(torch.tensor(v, dtype=torch.float32)[None, None] for v in (x, y)))
    assert got.tolist() == pytest.approx([wanted], abs=1e-5)  # float32 sums of 121 terms below 1
