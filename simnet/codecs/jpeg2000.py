"""JPEG 2000 (bare codestream, by Pillow's OpenJPEG), with its fixed header counted or stripped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from simnet.codecs.base import Codec
from simnet.codecs.classical.codestream import KIND, Codestreams
from simnet.codecs.classical.file_codec import FileCodec, FileParams
from simnet.codecs.classical.pictures import require_format


class Jpeg2000(FileCodec, Codec):
    """Stripping leaves out all but the packets: 118 bytes of a colour image at 96 x 128 or 240 x 320."""

    kind = KIND
    # Wavelet 9/7 by lifting 19, colour 5, quantising 2; coding of about 10 bit planes in 3 passes of 8 operations each,
    # all before the rate is cut. Decoding took a fifth of that time (240 x 320, 0.5 bpp): the planes that were sent.
    encode_flop_per_value, decode_flop_per_value = 266, 56
    shows_part = False

    class Params(FileParams):
        """``rate_bpp``: bits of a code per pixel, never exceeded as long as OpenJPEG can make so small a code; else its
        smallest is sent: packets of 18 to 37 bytes at 96 x 128 and 240 x 320, so 136 to 155 with the header of colour
        images. It bounds what is sent: with ``header: strip`` the packets alone.

        ``wavelet``: ``irreversible`` (9/7) or ``reversible`` (5/3); the latter without ``rate_bpp`` is lossless.
        """

        rate_bpp: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
        wavelet: Literal["irreversible", "reversible"] = "irreversible"

        @model_validator(mode="after")
        def _rate_is_given(self) -> Jpeg2000.Params:
            if self.rate_bpp is None and self.wavelet == "irreversible":
                raise ValueError("rate_bpp is missing: say one, or ask for lossless by 'wavelet: reversible'")
            return self

    def __init__(self, params: Params, *, device: str = "cpu") -> None:
        super().__init__(params, device=device)
        require_format("jpg_2000", codec=self.name, remedy="pip install 'Pillow>=10.2'")
        self.params: Jpeg2000.Params = params
        self.codestreams = Codestreams(self.image_shape, reversible=params.wavelet == "reversible")

    @classmethod
    def rates(cls, image_shape: tuple[int, int, int]) -> tuple[str, Sequence[float]]:
        """A step per byte, up to the image's own size."""
        n_pixel = math.prod(image_shape[1:])
        return "rate_bpp", [8 * n_byte / n_pixel for n_byte in range(1, math.prod(image_shape) + 1)]

    @property
    def code_byte(self) -> int | None:
        """The most that a code is to have; None: lossless."""
        rate_bpp = self.params.rate_bpp
        # A thousandth of a byte forgives that n / HW * HW may be a little less than n.
        return None if rate_bpp is None else max(1, math.floor(rate_bpp * math.prod(self.image_shape[1:]) / 8 + 1e-3))

    def write(self, pixels: NDArray[np.uint8]) -> bytes:
        bound = self.code_byte
        if bound is not None and self.params.header == "strip":
            bound += self.codestreams.header_byte
        return self.codestreams.encode(pixels, bound)

    def strip(self, file: bytes) -> bytes:
        return self.codestreams.strip(file)

    def restore(self, code: bytes) -> bytes:
        return self.codestreams.restore(code)
