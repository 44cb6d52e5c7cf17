"""A thumbnail: k x k means per channel, of few bits each; the rival that a small code must beat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from simnet.codecs.base import Codec
from simnet.codecs.classical.pixels import PixelParams
from simnet.codecs.entropy.packing import pack, packed_n_byte, unpack
from simnet.codecs.networks.chunks import in_chunks
from simnet.wire.slices import Slice


class Thumbnail(Codec):
    """Shrunk by area means, rounded to 2^bits levels from 0 to 1, packed; enlarged bilinearly."""

    semantic = False

    class Params(PixelParams):
        """``side``: k. ``bits``: per value."""

        side: Annotated[int, Field(ge=1, le=256)]
        bits: Annotated[int, Field(ge=1, le=8)]

    def __init__(self, params: Params, *, device: str = "cpu") -> None:
        super().__init__(params, device=device)
        self.params = params
        self._shape = (params.image_shape[0], params.side, params.side)
        self._n_values = params.image_shape[0] * params.side**2
        self._top = 2**params.bits - 1

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self.params.image_shape

    @property
    def encode_flop(self) -> int:
        """An addition per pixel, and scaling and rounding per value."""
        channels, height, width = self.image_shape
        return channels * height * width + 2 * self._n_values

    @property
    def decode_flop(self) -> int:
        """Four multiply-adds per pixel."""
        channels, height, width = self.image_shape
        return 8 * channels * height * width

    def encode(self, images: Tensor) -> list[bytes]:
        self._check_images(images)
        small = F.adaptive_avg_pool2d(images.cpu(), self.params.side)
        levels = (small * self._top).round().to(torch.int64).numpy()
        return [pack(image, self.params.bits) for image in levels]

    def decode(self, codes: Sequence[bytes], slices: Sequence[Slice] = ()) -> Tensor:
        self._check_codes(codes, n_byte=packed_n_byte(self._n_values, self.params.bits))
        levels = np.stack([unpack(code, self._n_values, self.params.bits) for code in codes])
        small = torch.from_numpy(levels.reshape(-1, *self._shape)).float() / self._top
        return in_chunks(self._enlarged, small).to(self.device)

    def _enlarged(self, small: Tensor) -> Tensor:
        return F.interpolate(small, size=self.image_shape[1:], mode="bilinear", align_corners=False)
