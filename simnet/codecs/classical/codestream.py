"""JPEG 2000 codestreams of images of one shape, at most so many bytes long, and without their fixed header."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from simnet.codecs.base import CodecError
from simnet.codecs.classical.pictures import MID_GREY, read_picture, write_picture

KIND = "JPEG2000"
"""Pillow's name."""
COM, SOT, SOD = b"\xff\x64", b"\xff\x90", b"\xff\x93"
START, END = b"\xff\x4f", b"\xff\xd9"
N_SOT = 12
TILE_BYTE = N_SOT + len(SOD) + len(END)
"""Start of the tile part, start of its data, end of the stream: OpenJPEG's rate control forgets them."""
COMMENT = b"-"
"""Without one, OpenJPEG writes its name and version, 37 bytes; an empty one counts as none. We leave it out anyway."""
N_COMMENT = 6 + len(COMMENT)


@dataclass(frozen=True)
class Codestreams:
    """Bare codestreams (ISO/IEC 15444-1, Annex A; no JP2 boxes, no comment) of one tile, one layer, LRCP, by OpenJPEG.

    Marker segments of such a stream, and what strips: all but the packets, since both ends know the shape and setting.

        SOC SIZ COD QCD | SOT (Psot = 14 + length of the packets) SOD | packets | EOC

    Args:
        shape: (C, H, W) of the images, C = 1 or 3. Three components pass through the standard's colour transform.
        reversible: 5/3 wavelet and integers, lossless if no length is asked for; otherwise 9/7.
    """

    shape: tuple[int, int, int]
    reversible: bool = False

    def encode(self, pixels: NDArray[np.uint8], n_byte: int | None = None) -> bytes:
        """The codestream of one image.

        Args:
            pixels: [C, H, W] uint8.
            n_byte: the longest that it may be, header and all; None sets no bound. OpenJPEG gives the packets at
                least about 30 bytes, so that no stream fits a smaller bound: then its smallest comes back, and the
                caller compares lengths.

        Raises:
            CodecError: another shape or type, or ``n_byte`` below 1.
        """
        if pixels.shape != self.shape or pixels.dtype != np.uint8:
            raise CodecError(f"JPEG 2000: got {pixels.dtype} {list(pixels.shape)}; allowed uint8 {list(self.shape)}")
        if n_byte is None:
            return self._write(pixels, ratio=0)
        if n_byte < 1:
            raise CodecError(f"JPEG 2000: got a bound of {n_byte} bytes; allowed at least 1")
        # OpenJPEG counts the comment, and not the tile's markers; where it still exceeds, ask for ever less.
        asked, step = max(1, n_byte + N_COMMENT - TILE_BYTE), 0
        while True:
            stream = self._write(pixels, ratio=math.prod(self.shape) / asked)
            if len(stream) <= n_byte or asked == 1:
                return stream
            step = max(len(stream) - n_byte, 2 * step)
            asked = max(1, asked - step)

    def decode(self, stream: bytes) -> NDArray[np.uint8]:
        """[C, H, W] uint8.

        Raises:
            CodecError: not a codestream of this shape, or damaged so that OpenJPEG gives up.
        """
        return read_picture(stream, KIND, self.shape)

    def strip(self, stream: bytes) -> bytes:
        """The packets alone.

        Raises:
            CodecError: not a stream of this shape and setting.
        """
        packets = stream[len(self._main_header) + N_SOT + len(SOD) : -len(END)]
        if self.restore(packets) != stream:
            raise CodecError(
                f"JPEG 2000 stream of {len(stream)} bytes: not the header of {self.shape} images and this wavelet; "
                "is it another setting's, or damaged?"
            )
        return packets

    def restore(self, packets: bytes) -> bytes:
        """The stream that :meth:`strip` was given."""
        return _stream(self._main_header, packets)

    @property
    def header_byte(self) -> int:
        """How many bytes :meth:`strip` leaves out of each stream."""
        return len(self.restore(b""))

    @cached_property
    def _main_header(self) -> bytes:
        header, _ = split_stream(self._write(np.full(self.shape, MID_GREY, np.uint8), ratio=0))
        return header

    def _write(self, pixels: NDArray[np.uint8], *, ratio: float) -> bytes:
        """``ratio``: bytes of the image over bytes of the stream, as OpenJPEG counts them; up to 1: all it can."""
        file = write_picture(
            pixels, KIND, no_jp2=True, irreversible=not self.reversible, mct=int(len(pixels) == 3),
            quality_mode="rates", quality_layers=[ratio], comment=COMMENT,
        )  # fmt: skip
        return _stream(*split_stream(file))


def split_stream(stream: bytes) -> tuple[bytes, bytes]:
    """Main header without comments, and the packets of the only tile part.

    Raises:
        CodecError: not a codestream of one tile part.
    """
    header, position = START, len(START)
    while stream[position : position + 2] != SOT:
        length = 2 + int.from_bytes(stream[position + 2 : position + 4], "big")
        if stream[position : position + 1] != b"\xff" or length < 4 or position + length > len(stream):
            raise CodecError(f"JPEG 2000 stream of {len(stream)} bytes: no marker at byte {position}; is it damaged?")
        if stream[position : position + 2] != COM:
            header += stream[position : position + length]
        position += length
    packets = stream[position + N_SOT + len(SOD) : -len(END)]
    if stream != stream[: len(START)] + stream[len(START) : position] + _tile(packets):
        raise CodecError(f"JPEG 2000 stream of {len(stream)} bytes: not one whole tile part; is it damaged?")
    return header, packets


def _stream(header: bytes, packets: bytes) -> bytes:
    return header + _tile(packets)


def _tile(packets: bytes) -> bytes:
    """Tile part 0 of 1 of tile 0 (A.4.2), and the end of the stream."""
    n_tile_part = N_SOT + len(SOD) + len(packets)
    sot = SOT + (10).to_bytes(2, "big") + bytes(2) + n_tile_part.to_bytes(4, "big") + b"\x00\x01"
    return sot + SOD + packets + END
