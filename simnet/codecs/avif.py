"""AVIF (still picture, AV1 by Pillow's libaom), with its fixed header counted or stripped."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from simnet.codecs.base import Codec, CodecError
from simnet.codecs.classical.file_codec import FileCodec, FileParams
from simnet.codecs.classical.pictures import MID_GREY, require_format, write_picture
from simnet.codecs.classical.still_file import StillFile

OBU_FRAME, OBU_HAS_SIZE = 6, 0x02
"""AV1 specification, 5.3.2 and 6.2.2."""


class Avif(FileCodec, Codec):
    """Stripping leaves out the container, the sequence header and the lengths: all but the AV1 frame itself."""

    kind = "AVIF"
    # By run times at 240 x 320 and 0.3 bpp: encoding took 3.3 times JPEG 2000's, decoding about twice JPEG's.
    encode_flop_per_value, decode_flop_per_value = 890, 50
    shows_part = False

    class Params(FileParams):
        """``quality``: 0..100.

        ``speed``: of the encoder's search, 0 (best, about 40 times slower) to 10.
        ``subsampling``: of the colours; without meaning for grey images.
        """

        quality: Annotated[int, Field(ge=0, le=100)]
        speed: Annotated[int, Field(ge=0, le=10)] = 6
        subsampling: Literal["4:4:4", "4:2:2", "4:2:0"] = "4:2:0"

    def __init__(self, params: Params, *, device: str = "cpu") -> None:
        super().__init__(params, device=device)
        require_format("avif", codec=self.name, remedy="pip install 'simnet[avif]'")
        self.params: Avif.Params = params

    def write(self, pixels: NDArray[np.uint8]) -> bytes:
        p = self.params
        colour = {"subsampling": p.subsampling} if len(pixels) == 3 else {}
        # One thread and no tiles by their number: the bytes must not depend on the machine's cores.
        return write_picture(
            pixels, self.kind, quality=p.quality, speed=p.speed, codec="aom", max_threads=1, autotiling=False, **colour
        )

    def strip(self, file: bytes) -> bytes:
        frame = file[self._fixed.n_byte :]
        try:
            frame = _after_size(frame)
        except IndexError:
            frame = b""
        if self.restore(frame) != file:
            raise CodecError(
                f"AVIF file of {len(file)} bytes: not the header of {self.image_shape} images and these settings; "
                "is it another setting's, or damaged?"
            )
        return frame

    def restore(self, code: bytes) -> bytes:
        return self._fixed.around(code)

    @cached_property
    def _fixed(self) -> Container:
        return Container(self.write(np.full(self.image_shape, MID_GREY, np.uint8)))


class Container:
    """What surrounds the frame: the file, and in its item a temporal delimiter and a sequence header.

    Raises:
        CodecError: not such a file.
    """

    def __init__(self, file: bytes) -> None:
        self._file = StillFile(file, Avif.kind)
        item, frame = self._file.item, 0
        try:
            while item[frame] >> 3 & 15 != OBU_FRAME:
                frame += 2 + item[frame + 1]
            self._obus = item[: frame + 1]
            content = _after_size(item[frame + 1 :])
        except IndexError as error:
            raise CodecError(f"AVIF file of {len(file)} bytes: no AV1 frame; is it damaged?") from error
        if not item[frame] & OBU_HAS_SIZE or self.around(content) != file:
            raise CodecError(f"AVIF file of {len(file)} bytes: more than one frame, or an unknown layout")

    @property
    def n_byte(self) -> int:
        """Before the frame's size."""
        return self._file.n_byte + len(self._obus)

    def around(self, frame: bytes) -> bytes:
        """The file of this frame."""
        return self._file.around(self._obus + _leb128(len(frame)) + frame)


def _leb128(value: int) -> bytes:
    """AV1 specification, 4.10.5; as short as can be."""
    groups = [value >> shift & 0x7F for shift in range(0, max(value.bit_length(), 1), 7)]
    return bytes([g | 0x80 for g in groups[:-1]] + groups[-1:])


def _after_size(obu: bytes) -> bytes:
    n = 0
    while obu[n] & 0x80:
        n += 1
    return obu[n + 1 :]
