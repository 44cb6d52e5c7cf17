"""Pictures on which an encoder's tools differ."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

Shape = tuple[int, int, int]


def pixels(shape: Shape) -> NDArray[np.uint8]:
    """Flat (3), text-like, noisy and smooth ones, [6, C, H, W]."""
    rng = np.random.default_rng(6)
    text = np.full(shape, 255, np.uint8)
    text[:, ::3, ::2] = 0
    small = rng.integers(0, 256, (shape[0], 4, 5), dtype=np.uint8)
    smooth = np.stack([np.asarray(Image.fromarray(c).resize(shape[:0:-1])) for c in small])
    flat = [np.full(shape, value, np.uint8) for value in (0, 90, 255)]
    return np.stack([*flat, text, rng.integers(0, 256, shape, dtype=np.uint8), smooth])


def images(shape: Shape) -> torch.Tensor:
    """The same in [0, 1], float32."""
    return torch.from_numpy(pixels(shape)).float() / 255
