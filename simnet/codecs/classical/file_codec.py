"""What JPEG, JPEG 2000, WebP and AVIF share: a picture file per image, whole or without its fixed parts."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from simnet.codecs.base import Codec, CodecError
from simnet.codecs.classical.pictures import MID_GREY, read_picture
from simnet.codecs.classical.pixels import PixelParams, from_bytes, to_bytes
from simnet.wire.slices import Slice

FLOP_PER_VALUE = 25
"""An 8-point DCT in two directions (8.5 per value, Arai et al.), quantisation, colour, and about as much again for the
entropy coder: an estimate, the same both ways."""


class FileParams(PixelParams):
    """``header``: ``strip`` leaves out the bytes that are equal for all images, as the papers count; ``count`` sends
    whole files."""

    header: Literal["count", "strip"] = "count"


class FileCodec(Codec):
    """Base of the codecs that let Pillow write a file.

    With ``protection: none`` the same bytes are sent, since files have no layout in which a wrong bit stays local; a
    damaged one decodes to what Pillow can make of it, or to mid-grey. Stripped parts are known and so never damaged.
    """

    semantic = False
    kind: str
    """Pillow's name of the format."""
    params: FileParams
    encode_flop_per_value: ClassVar[int] = FLOP_PER_VALUE
    decode_flop_per_value: ClassVar[int] = FLOP_PER_VALUE
    shows_part: ClassVar[bool] = True
    """Whether Pillow shows the part of a broken file that it could decode; the other formats' would come out black."""

    @classmethod
    def rates(cls, image_shape: tuple[int, int, int]) -> tuple[str, Sequence[float]]:
        """The parameter that sets the rate, and its values from the fewest bytes to the most."""
        return "quality", range(101)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self.params.image_shape

    @property
    def encode_flop(self) -> int:
        return self.encode_flop_per_value * math.prod(self.image_shape)

    @property
    def decode_flop(self) -> int:
        return self.decode_flop_per_value * math.prod(self.image_shape)

    @abstractmethod
    def write(self, pixels: NDArray[np.uint8]) -> bytes:
        """The whole file of one image [C, H, W]."""

    @abstractmethod
    def strip(self, file: bytes) -> bytes:
        """A file without its fixed parts."""

    @abstractmethod
    def restore(self, code: bytes) -> bytes:
        """The file that :meth:`strip` was given (or an equivalent one)."""

    def encode(self, images: Tensor) -> list[bytes]:
        self._check_images(images)
        files = [self.write(pixels) for pixels in to_bytes(images)]
        return [self.strip(f) for f in files] if self.params.header == "strip" else files

    def decode(self, codes: Sequence[bytes], slices: Sequence[Slice] = ()) -> Tensor:
        self._check_codes(codes)
        return from_bytes(np.stack([self._pixels(code, truncated=False) for code in codes])).to(self.device)

    def decode_raw(self, codes: Sequence[bytes], slices: Sequence[Slice] = ()) -> Tensor:
        self._check_codes(codes)
        return from_bytes(np.stack([self._salvaged(code) for code in codes])).to(self.device)

    def without_header(self, code: bytes) -> bytes:
        return code if self.params.header == "strip" else self.strip(code)

    def _pixels(self, code: bytes, *, truncated: bool) -> NDArray[np.uint8]:
        file = self.restore(code) if self.params.header == "strip" else code
        return read_picture(file, self.kind, self.image_shape, truncated=truncated)

    def _salvaged(self, code: bytes) -> NDArray[np.uint8]:
        try:
            return self._pixels(code, truncated=self.shows_part)
        except CodecError:
            return np.full(self.image_shape, MID_GREY, np.uint8)
