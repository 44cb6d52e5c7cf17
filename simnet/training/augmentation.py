"""Random shifts and mirror images, drawn per image from a generator that the caller gives."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from simnet.training.recipe import Strict


class Augmentation(Strict):
    """How training images are varied.

    ``shift_px``: each image is moved by up to so many pixels along both axes, black moving in.
    ``mirror``: half of the images are mirrored left to right.
    """

    shift_px: Annotated[int, Field(ge=0, le=8)] = 0
    mirror: bool = False


class Augmenter:
    """Holds padded images; hands out augmented batches.

    Args:
        images: [N, C, H, W] uint8.
    """

    def __init__(self, images: NDArray[np.uint8], how: Augmentation) -> None:
        self._how = how
        self._size = images.shape[2:]
        pad = how.shift_px
        channels_last = images.transpose(0, 2, 3, 1)
        self._padded = np.pad(channels_last, ((0, 0), (pad, pad), (pad, pad), (0, 0)))

    def batch(self, indices: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.uint8]:
        """Augmented images [B, C, H, W] uint8 (a channels-last view)."""
        height, width = self._size
        n, span = len(indices), 2 * self._how.shift_px + 1
        rows = rng.integers(span, size=(n, 1)) + np.arange(height)
        columns = rng.integers(span, size=(n, 1)) + np.arange(width)
        if self._how.mirror:
            columns = np.where(rng.random((n, 1)) < 0.5, columns[:, ::-1], columns)
        picked: NDArray[np.uint8] = self._padded[indices[:, None, None], rows[:, :, None], columns[:, None, :]]
        return picked.transpose(0, 3, 1, 2)
