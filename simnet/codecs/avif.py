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

OBU_FRAME, OBU_HAS_SIZE = 6, 0x02
"""AV1 specification, 5.3.2 and 6.2.2."""
N_BOX = 8
"""Length and type."""


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
    """What surrounds the frame in the file of a still picture, with room for the lengths.

    ``ftyp``, ``meta`` (in it ``iloc``, which ends with the item's length), ``mdat`` (its length first): temporal
    delimiter, sequence header, frame (its size after the first byte).

    Raises:
        CodecError: not such a file.
    """

    def __init__(self, file: bytes) -> None:
        try:
            top = _boxes(file, 0, len(file))
            meta, (data, end) = top[b"meta"], top[b"mdat"]
            _, self._length_end = _boxes(file, meta[0] + 4, meta[1])[b"iloc"]
            self._head = file[: data - N_BOX]
            frame = data
            while file[frame] >> 3 & 15 != OBU_FRAME:
                frame += 2 + file[frame + 1]
            self._obus = file[data : frame + 1]
            content = _after_size(file[frame + 1 :])
        except (KeyError, IndexError) as error:
            raise CodecError(f"AVIF file of {len(file)} bytes: no still picture's boxes; is it damaged?") from error
        if end != len(file) or not file[frame] & OBU_HAS_SIZE or self.around(content) != file:
            raise CodecError(f"AVIF file of {len(file)} bytes: more than one frame, or an unknown layout")

    @property
    def n_byte(self) -> int:
        """Before the frame's size."""
        return len(self._head) + N_BOX + len(self._obus)

    def around(self, frame: bytes) -> bytes:
        """The file of this frame."""
        item = self._obus + _leb128(len(frame)) + frame
        at = self._length_end
        head = self._head[: at - 4] + len(item).to_bytes(4, "big") + self._head[at:]
        return head + (N_BOX + len(item)).to_bytes(4, "big") + b"mdat" + item


def _boxes(file: bytes, start: int, end: int) -> dict[bytes, tuple[int, int]]:
    """Type -> first and last + 1 byte of the content (ISO/IEC 14496-12, 4.2)."""
    found: dict[bytes, tuple[int, int]] = {}
    while start < end:
        length = int.from_bytes(file[start : start + 4], "big")
        if not N_BOX <= length <= end - start:
            raise IndexError(start)
        found[file[start + 4 : start + N_BOX]] = (start + N_BOX, start + length)
        start += length
    return found


def _leb128(value: int) -> bytes:
    """AV1 specification, 4.10.5; as short as can be."""
    groups = [value >> shift & 0x7F for shift in range(0, max(value.bit_length(), 1), 7)]
    return bytes([g | 0x80 for g in groups[:-1]] + groups[-1:])


def _after_size(obu: bytes) -> bytes:
    n = 0
    while obu[n] & 0x80:
        n += 1
    return obu[n + 1 :]
