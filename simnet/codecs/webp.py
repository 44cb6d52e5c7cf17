"""WebP (lossy, by Pillow), with its fixed header counted or stripped."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from simnet.codecs.base import Codec, CodecError
from simnet.codecs.classical.file_codec import FileCodec, FileParams
from simnet.codecs.classical.pictures import write_picture

CHUNK_START = 20
"""RIFF, file size, WEBP, VP8, chunk size: 4 bytes each."""
TAG_BYTE = 3
"""The frame's tag holds the length of its first part: the image's own (RFC 6386, 9.1)."""
FRAME_START = CHUNK_START + TAG_BYTE + 7
"""A start code of 3 bytes, width and height."""


class Webp(FileCodec, Codec):
    """Stripping leaves out the container, the start code and the size: 27 bytes, and padding."""

    kind = "WEBP"

    class Params(FileParams):
        """``quality``: 0..100."""

        quality: Annotated[int, Field(ge=0, le=100)]

    def __init__(self, params: Params, *, device: str = "cpu") -> None:
        super().__init__(params, device=device)
        self.params: Webp.Params = params

    def write(self, pixels: NDArray[np.uint8]) -> bytes:
        return write_picture(pixels, self.kind, quality=self.params.quality, method=6)

    def strip(self, file: bytes) -> bytes:
        n_frame = int.from_bytes(file[16:CHUNK_START], "little")
        if file[:4] != b"RIFF" or file[8:16] != b"WEBPVP8 " or not 10 <= n_frame <= len(file) - CHUNK_START:
            raise CodecError(f"WebP file of {len(file)} bytes: not a single lossy frame; is it damaged?")
        frame = file[CHUNK_START : CHUNK_START + n_frame]
        return frame[:TAG_BYTE] + frame[FRAME_START - CHUNK_START :]

    def restore(self, code: bytes) -> bytes:
        _, height, width = self.image_shape
        size = width.to_bytes(2, "little") + height.to_bytes(2, "little")
        frame = code[:TAG_BYTE] + b"\x9d\x01\x2a" + size + code[TAG_BYTE:]
        body = b"WEBPVP8 " + len(frame).to_bytes(4, "little") + frame + bytes(len(frame) % 2)
        return b"RIFF" + len(body).to_bytes(4, "little") + body
