"""Raw pixels, 8 bits each: lossless, the upper bound of quality and of size ("direct transmission")."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from torch import Tensor

from simnet.codecs.base import Codec
from simnet.codecs.classical.pixels import PixelParams, from_bytes, to_bytes
from simnet.wire.slices import Slice


class Raw(Codec):
    """Exact for images whose values are multiples of 1/255; others are rounded."""

    semantic = False
    Params = PixelParams

    def __init__(self, params: PixelParams, *, device: str = "cpu") -> None:
        super().__init__(params, device=device)
        self.params = params

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self.params.image_shape

    @property
    def encode_flop(self) -> int:
        """Bytes are copied; nothing is computed."""
        return 0

    @property
    def decode_flop(self) -> int:
        return 0

    def encode(self, images: Tensor) -> list[bytes]:
        self._check_images(images)
        return [image.tobytes() for image in to_bytes(images)]

    def decode(self, codes: Sequence[bytes], slices: Sequence[Slice] = ()) -> Tensor:
        self._check_codes(codes, n_byte=math.prod(self.image_shape))
        pixels = np.stack([np.frombuffer(code, np.uint8) for code in codes])
        return from_bytes(pixels.reshape(-1, *self.image_shape)).to(self.device)
