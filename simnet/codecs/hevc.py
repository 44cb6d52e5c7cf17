"""HEVC intra (ITU-T H.265, by x265 in a HEIF file), the nearest to BPG that still has a keeper.

BPG is the same coder, one intra picture of HEVC, in a leaner container of its own. HEIF puts some 420 bytes around a
colour picture of 32 x 32: boxes, parameter sets, the slice's length. ``header: strip`` sends the slice alone, as if the
receiver knew all that is equal for pictures of one size and quality.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from simnet.codecs.base import Codec, CodecError
from simnet.codecs.classical.file_codec import FileCodec, FileParams
from simnet.codecs.classical.pictures import MID_GREY, write_picture
from simnet.codecs.classical.still_file import StillFile

N_NAL = 4 + 2
"""Length of the only network abstraction layer unit, and its header (ITU-T H.265, 7.3.1.2)."""


class Hevc(FileCodec, Codec):
    """Stripping leaves out the container, the parameter sets and the slice's NAL header: all but the slice."""

    kind = "HEIF"
    # By run times at 240 x 320 and 0.3 bpp: encoding took 3.9 times JPEG 2000's, decoding 3.4 times JPEG's.
    encode_flop_per_value, decode_flop_per_value = 1050, 85
    shows_part = False

    class Params(FileParams):
        """``quality``: 0..100.

        ``preset``: of x265's search, from the fastest to the best.
        ``subsampling``: of the colours; without meaning for grey images.
        """

        quality: Annotated[int, Field(ge=0, le=100)]
        preset: Literal["ultrafast", "medium", "slow"] = "slow"
        subsampling: Literal["4:4:4", "4:2:2", "4:2:0"] = "4:2:0"

    def __init__(self, params: Params, *, device: str = "cpu") -> None:
        super().__init__(params, device=device)
        try:
            import pillow_heif
        except ImportError as error:
            raise CodecError(
                f"codec {self.name}: pillow-heif is missing; pip install 'simnet[hevc]' (its wheels hold x265, GPL 2)"
            ) from error
        pillow_heif.register_heif_opener()
        self.params: Hevc.Params = params

    def write(self, pixels: NDArray[np.uint8]) -> bytes:
        p = self.params
        colour = {"chroma": int(p.subsampling.replace(":", ""))} if len(pixels) == 3 else {}
        return write_picture(pixels, self.kind, quality=p.quality, enc_params={"preset": p.preset}, **colour)

    def strip(self, file: bytes) -> bytes:
        code = file[self._fixed.n_byte + N_NAL :]
        if self.restore(code) != file:
            raise CodecError(
                f"HEIF file of {len(file)} bytes: not the header of {self.image_shape} images and these settings; "
                "is it another setting's, or damaged?"
            )
        return code

    def restore(self, code: bytes) -> bytes:
        fixed = self._fixed
        return fixed.around((len(code) + N_NAL - 4).to_bytes(4, "big") + fixed.item[4:N_NAL] + code)

    @cached_property
    def _fixed(self) -> StillFile:
        return StillFile(self.write(np.full(self.image_shape, MID_GREY, np.uint8)), self.kind)
