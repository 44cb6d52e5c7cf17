"""How near a recovered image is to its original, pixel by pixel: PSNR and SSIM. (Semantics: :mod:`simnet.tasks`.)"""

from __future__ import annotations

import torch
from torch import Tensor

from simnet.codecs.networks.chunks import chunk_for, in_chunks

SSIM_WINDOW_PX = 11
SSIM_SIGMA_PX = 1.5
"""Wang et al., 2004."""


def mean_squared_errors(originals: Tensor, recovered: Tensor) -> Tensor:
    """MSE of each image, [B] float64; both are [B, C, H, W] in [0, 1]."""
    return (originals.double() - recovered.double()).square().mean(dim=(1, 2, 3))


def psnr_db(mse: Tensor) -> Tensor:
    """10 log10(1 / MSE) of values in [0, 1], elementwise; inf where the MSE is 0."""
    return -10 * mse.log10()


def ssim(originals: Tensor, recovered: Tensor) -> Tensor:
    """Structural similarity of each image, [B], without gradients: Wang's 11 x 11 Gaussian window, K = (0.01, 0.03),
    mean over the colour channels.

    Args:
        originals, recovered: [B, C, H, W] float32 in [0, 1], H and W ≥ 11.
    """
    return in_chunks(_ssim_of_pairs, torch.stack([originals, recovered], dim=1), chunk_for(originals.shape))


def _ssim_of_pairs(pairs: Tensor) -> Tensor:
    from pytorch_msssim import ssim as windowed_ssim

    original, recovered = pairs.unbind(1)
    values: Tensor = windowed_ssim(
        original, recovered, data_range=1.0, size_average=False, win_size=SSIM_WINDOW_PX, win_sigma=SSIM_SIGMA_PX
    )
    return values
