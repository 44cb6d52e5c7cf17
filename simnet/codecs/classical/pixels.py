"""Images as bytes, and the parameters of codecs that know their images' shape beforehand."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from simnet.codecs.base import CodecParams

Side = Annotated[int, Field(ge=1, le=4096)]


class PixelParams(CodecParams):
    """``image_shape``: (C, H, W) of the source's images, which both ends know."""

    image_shape: tuple[Literal[1, 3], Side, Side]


def to_bytes(images: Tensor) -> NDArray[np.uint8]:
    """[B, C, H, W] uint8 of images in [0, 1], rounded to the nearest of 256 levels."""
    pixels: NDArray[np.uint8] = (images.cpu() * 255).round().to(torch.uint8).numpy()
    return pixels


def from_bytes(pixels: NDArray[np.uint8]) -> Tensor:
    """[B, C, H, W] float32 in [0, 1]; the exact inverse of :func:`to_bytes` on multiples of 1/255."""
    return torch.from_numpy(pixels.copy()).float() / 255
