"""LSCI's enhancement layer (paper 000, III-B): which residual is sent, how coarse, and what the receiver makes of it.

::

    x, x' -> r = x - x' -> M . r -> pooled -> 8 bits -> JPEG2000          (15-17)
    JPEG2000 -> 8 bits -> scaled up -> super-resolution -> M . rc' -> x' + rc'   (18-20)

M comes from the segmentation of x', which both ends can do (16): no mask travels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator
from torch import Tensor
from torch.nn import functional as F

from simnet.codecs.base import CodecError
from simnet.codecs.classical.codestream import Codestreams
from simnet.data.street_classes import CLASS_GROUPS, STREET_CLASSES
from simnet.tasks.networks.segmenter import Segmenter
from simnet.wire.slices import Precision

GREY = 128
"""The byte of a residual of 0."""


class Enhancement(BaseModel):
    """What is sent beside the base code.

    ``pooling``: factor by which the residual is averaged, along both axes. ``bpp``: bits per pixel of the picture that
    JPEG2000 aims at for it, its headers left out; it can't go below some 25 bytes.
    ``region``: a group of classes (``all``, ``foreground``, ``background``) or a list of them. ``super_resolution``:
    zoo name of the slice that restores the residual; null: none. ``precision``, ``sparsity``: of its weights; null: as
    those of the base model.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pooling: Literal[1, 2, 4, 8] = 2
    bpp: Annotated[float, Field(gt=0, le=24)] = 0.1
    region: Literal["all", "foreground", "background"] | tuple[str, ...] = "all"
    super_resolution: str | None = None
    precision: Precision | None = None
    sparsity: Annotated[float, Field(ge=0.0, le=0.9)] | None = None

    @field_validator("region")
    @classmethod
    def _known(cls, region: str | tuple[str, ...]) -> str | tuple[str, ...]:
        allowed = STREET_CLASSES[:-1]
        if not isinstance(region, str) and (not region or set(region) - set(allowed)):
            raise ValueError(f"got {list(region)}; allowed some of {', '.join(allowed)}")
        return region

    @property
    def classes(self) -> tuple[int, ...]:
        """Indices of the region's classes."""
        names = CLASS_GROUPS[self.region] if isinstance(self.region, str) else self.region
        return tuple(STREET_CLASSES.index(name) for name in names)

    def pooled_shape(self, image_shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """(3, h, w) of the residual that is coded."""
        _, height, width = image_shape
        return 3, -(-height // self.pooling), -(-width // self.pooling)

    def streams(self, image_shape: tuple[int, int, int]) -> Codestreams:
        """What writes and reads the pooled residuals."""
        return Codestreams(self.pooled_shape(image_shape))

    def code(self, residual: Tensor, streams: Codestreams) -> list[bytes]:
        """The layer of each residual [B, 3, H, W] in [−1, 1], masked."""
        height, width = residual.shape[2:]
        n_byte = streams.header_byte + max(1, round(self.bpp * height * width / 8))
        pixels = to_residual_bytes(residual, streams.shape[1:])
        return [streams.strip(streams.encode(p, n_byte)) for p in pixels]

    def uncode(
        self, layers: Sequence[bytes], streams: Codestreams, size: tuple[int, int], *, damaged: bool = False
    ) -> Tensor:
        """What the layers hold, scaled up to (H, W), [B, 3, H, W].

        Args:
            damaged: of a stream that can't be read, take nothing: 0.

        Raises:
            CodecError: a layer can't be read.
        """
        pixels = np.full((len(layers), *streams.shape), GREY, np.uint8)
        for i, layer in enumerate(layers):
            try:
                pixels[i] = streams.decode(streams.restore(layer))
            except CodecError:
                if not damaged:
                    raise
        return from_residual_bytes(pixels, size)


def region_mask(base_images: Tensor, classes: tuple[int, ...], segmenter: Segmenter | None) -> Tensor:
    """M [B, 1, H, W] float32 in {0, 1}: where the segmentation of x' sees one of the classes; None: everywhere."""
    if segmenter is None:
        return torch.ones_like(base_images[:, :1])
    chosen = torch.zeros(segmenter.n_classes, device=base_images.device)
    chosen[list(classes)] = 1
    return chosen[segmenter(base_images).argmax(1)].unsqueeze(1)


def to_residual_bytes(residual: Tensor, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A residual [B, 3, H, W] in [−1, 1], averaged to (h, w), as bytes: 128 is 0."""
    pooled = F.adaptive_avg_pool2d(residual, size)
    pixels: NDArray[np.uint8] = (GREY + 127 * pooled).round().clamp(0, 255).to(torch.uint8).cpu().numpy()
    return pixels


def from_residual_bytes(pixels: NDArray[np.uint8], size: tuple[int, int]) -> Tensor:
    """What :func:`to_residual_bytes` was given, as far as the bytes tell it, scaled up to (H, W)."""
    if pixels.ndim != 4 or pixels.shape[1] != 3:
        raise CodecError(f"LSCI residual: got shape {pixels.shape}; allowed [B, 3, h, w]")
    pooled = (torch.from_numpy(pixels.astype(np.float32)) - GREY) / 127
    return F.interpolate(pooled, size=size, mode="bilinear", align_corners=False)
