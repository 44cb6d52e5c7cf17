"""JPEG (baseline, by Pillow), with its fixed header counted or stripped."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from simnet.codecs.base import Codec, CodecError
from simnet.codecs.classical.file_codec import FileCodec, FileParams
from simnet.codecs.classical.pictures import MID_GREY, write_picture

DHT, SOS = 0xC4, 0xDA
START, END = b"\xff\xd8", b"\xff\xd9"


class Jpeg(FileCodec, Codec):
    """Stripping leaves out all but the scan and, if they are the image's own, the Huffman tables."""

    kind = "JPEG"

    class Params(FileParams):
        """``optimize``: Huffman tables made for each image; then they are no fixed header, and travel.

        ``subsampling``: of the colours (4:4:4, 4:2:2, 4:2:0); without meaning for grey images.
        """

        quality: Annotated[int, Field(ge=0, le=100)]
        optimize: bool = False
        subsampling: Literal["4:4:4", "4:2:2", "4:2:0"] = "4:2:0"

    def __init__(self, params: Params, *, device: str = "cpu") -> None:
        super().__init__(params, device=device)
        self.params: Jpeg.Params = params

    @classmethod
    def rates(cls, image_shape: tuple[int, int, int]) -> tuple[str, Sequence[float]]:
        """Quality 0 is 1."""
        return "quality", range(1, 101)

    def write(self, pixels: NDArray[np.uint8]) -> bytes:
        p = self.params
        # Pillow takes quality 0 for "not given".
        quality = max(1, p.quality)
        return write_picture(pixels, self.kind, quality=quality, optimize=p.optimize, subsampling=p.subsampling)

    def strip(self, file: bytes) -> bytes:
        segments, scan = split_jpeg(file)
        tables = [s for s in segments if s[1] == DHT] if self.params.optimize else []
        return b"".join(tables) + scan

    def restore(self, code: bytes) -> bytes:
        tables, start = [], 0
        while self.params.optimize and code[start : start + 2] == bytes((0xFF, DHT)):
            tables.append(_segment(code, start))
            start += len(tables[-1])
        fixed = [s for s in self._fixed if not (self.params.optimize and s[1] == DHT)]
        return b"".join([START, *fixed[:-1], *tables, fixed[-1], code[start:], END])

    @cached_property
    def _fixed(self) -> list[bytes]:
        """The segments of a mid-grey image's file; the last starts the scan."""
        segments, _ = split_jpeg(self.write(np.full(self.image_shape, MID_GREY, np.uint8)))
        return segments


def split_jpeg(file: bytes) -> tuple[list[bytes], bytes]:
    """The header's segments, the last of which starts the scan, and the scan without the end marker.

    Raises:
        CodecError: not a JPEG file of one scan.
    """
    if not (file.startswith(START) and file.endswith(END)):
        raise CodecError(f"JPEG file of {len(file)} bytes: no start or end marker; is it damaged?")
    segments: list[bytes] = []
    position = len(START)
    while not segments or segments[-1][1] != SOS:
        segments.append(_segment(file, position))
        position += len(segments[-1])
    return segments, file[position : -len(END)]


def _segment(file: bytes, start: int) -> bytes:
    """Marker, length and content of the segment that starts here (ISO/IEC 10918-1, B.1.1.4)."""
    length = int.from_bytes(file[start + 2 : start + 4], "big")
    if file[start : start + 1] != b"\xff" or length < 2 or start + 2 + length > len(file):
        raise CodecError(f"JPEG file of {len(file)} bytes: no segment at byte {start}; is it damaged?")
    return file[start : start + 2 + length]
