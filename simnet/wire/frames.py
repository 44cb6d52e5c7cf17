"""Frames: what every message and slice travels in.

::

    byte 0      magic and version
    byte 1      kind; the top bit says that the content is compressed
    content     varint length of the head · head (msgpack) · tail (raw bytes), compressed if shorter
    last 4      CRC-32 of all before, little endian

A frame knows its length from the payload that it came in. The CRC stands last so that no flipped bit can move
it: every burst of up to 32 wrong bits is found. Overhead: 7 or 8 bytes and msgpack's own.

Hostile bytes: every length is checked against what is there, and against the limits below, before anything is
allocated. Only the head, at most 256 KiB, becomes Python objects; large things ride in the tail as they are.
There is no pickle.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from simnet.wire.errors import EncodeError, WireError

# msgpack and zstandard are imported inside the functions: codecs and training import simnet.wire.slices on
# machines that lack zstandard (GPU servers), and use only its names there.

MAX_FRAME_BYTE = 1 << 28
"""256 MiB: the longest frame, and the longest content."""
MAX_HEAD_BYTE = 1 << 18
_MAX_WINDOW_BYTE = 1 << 23
"""What zstd may allocate besides the content itself; level 1 uses less."""
MAX_RATIO = 256
"""A content may be this many times as long as compressed, a slice this many numbers per byte …"""
FREE_RATIO = 1 << 16
"""… or up to this many at any ratio."""
LEAST_COMPRESSED_BYTE = 48
"""Shorter contents travel as they are: ids don't compress, and the compressor's own header takes what is left."""
ZSTD_LEVEL = 1
"""Quantised weights have no repeats, only a skewed histogram: higher levels find spurious matches and grow
(measured: int4, 600,000 values: 3.25 bit per value at level 1, 3.77 at level 3; entropy 3.19)."""

_MAGIC = 0xB1
_COMPRESSED = 0x80
_CRC_BYTE = 4


@dataclass(frozen=True)
class Frame:
    """A frame's content: ``kind`` 0..127, ``head`` as msgpack gave it (untrusted!), ``tail`` raw bytes."""

    kind: int
    head: Any
    tail: bytes


def encode_frame(kind: int, head: object, tail: bytes = b"", *, n_element: int = 0, compress: bool = True) -> bytes:
    """The frame's bytes, compressed if that is shorter and not too good to pass the receiver's guard.

    Args:
        n_element: how many numbers the receiver will make of it.
        compress: false: the tail is a frame, which can't be compressed again.

    Raises:
        EncodeError: the content is longer than the limits allow.
    """
    packed = pack_head(head)
    content = _varint(len(packed)) + packed + tail
    if len(packed) > MAX_HEAD_BYTE or len(content) + 2 + _CRC_BYTE > MAX_FRAME_BYTE:
        raise EncodeError(
            f"frame of kind {kind}: got a head of {len(packed)} bytes and {len(content)} bytes in all;"
            f" allowed {MAX_HEAD_BYTE} and {MAX_FRAME_BYTE}. Lower the precision, or cut it up."
        )
    if compress and len(content) >= LEAST_COMPRESSED_BYTE:
        compressed = _compress(content)
        believable = max(len(content), n_element) <= most_expanded(len(compressed))
        if believable and len(compressed) < len(content):
            kind, content = kind | _COMPRESSED, compressed
    frame = b"%c%c%b" % (_MAGIC, kind, content)
    return frame + zlib.crc32(frame).to_bytes(_CRC_BYTE, "little")


def decode_frame(frame: bytes) -> Frame:
    """The content of a frame.

    A head's numbers and texts in longer forms of msgpack than need be, and content that another compressor of zstd
    made, are taken too, though :func:`encode_frame` makes neither: equal content doesn't promise equal bytes.

    Raises:
        WireError: wrong or missing bits, another version, lengths that don't fit or that the limits forbid, a head
            that isn't msgpack of the allowed types.
    """
    if not 2 + _CRC_BYTE < len(frame) <= MAX_FRAME_BYTE:
        raise WireError(f"frame: got {len(frame)} bytes; allowed {3 + _CRC_BYTE}..{MAX_FRAME_BYTE}")
    if frame[0] != _MAGIC:
        raise WireError(f"frame: got first byte {frame[0]:#04x}; this version speaks {_MAGIC:#04x}")
    covered = memoryview(frame)[:-_CRC_BYTE]
    if zlib.crc32(covered) != int.from_bytes(frame[-_CRC_BYTE:], "little"):
        raise WireError(f"frame of {len(frame)} bytes: CRC-32 does not match; bits are wrong or missing")
    content = bytes(covered[2:])
    if frame[1] & _COMPRESSED:
        content = _decompress(content)
    n_head, start = _read_varint(content)
    if n_head > min(MAX_HEAD_BYTE, len(content) - start):
        raise WireError(
            f"frame: head declares {n_head} bytes; {len(content) - start} are there, {MAX_HEAD_BYTE} allowed"
        )
    head = _unpack_head(content[start : start + n_head])
    return Frame(frame[1] & ~_COMPRESSED, head, content[start + n_head :])


def pack_head(head: object) -> bytes:
    """The head as msgpack: shortest forms, so equal heads give equal bytes."""
    packed: bytes = _packer()(head)
    return packed


@cache
def _packer() -> Any:
    import msgpack

    return msgpack.Packer(use_bin_type=True).pack


def _unpack_head(packed: bytes) -> Any:
    import msgpack

    size = len(packed)
    try:
        # No extension types (their timestamps would become objects), no maps: heads are arrays.
        return msgpack.unpackb(
            packed, max_str_len=size, max_bin_len=size, max_array_len=size, max_map_len=0, max_ext_len=0
        )
    except (ValueError, TypeError, OverflowError, RecursionError) as error:  # msgpack's own are ValueErrors
        raise WireError(f"frame: the head is not msgpack of the allowed types ({type(error).__name__})") from error


def most_expanded(n_byte: int) -> int:
    """How many bytes, or numbers, so many bytes may claim to hold: the guard against bombs."""
    return min(MAX_FRAME_BYTE, max(FREE_RATIO, MAX_RATIO * n_byte))


def _compress(content: bytes) -> bytes:
    compressed: bytes = _compressor(len(content)).compress(content)
    return compressed


@lru_cache(maxsize=64)
def _compressor(n_byte: int) -> Any:
    """Messages of few sizes make up most of the traffic, and setting up takes longer than compressing them."""
    import zstandard

    parameters = zstandard.ZstdCompressionParameters.from_level(
        ZSTD_LEVEL,
        source_size=n_byte,
        format=zstandard.FORMAT_ZSTD1_MAGICLESS,  # our own magic stands in front
        write_content_size=True,
        write_checksum=False,
        write_dict_id=False,
    )
    return zstandard.ZstdCompressor(compression_params=parameters)


def _decompress(compressed: bytes) -> bytes:
    import zstandard

    magicless = zstandard.FORMAT_ZSTD1_MAGICLESS
    try:
        # Checked here because the library allocates whatever the stream declares, even beyond
        # max_output_size.
        declared_byte = zstandard.get_frame_parameters(compressed, magicless).content_size
        if declared_byte > most_expanded(len(compressed)):
            raise WireError(
                f"frame: {len(compressed)} compressed bytes declare {declared_byte};"
                f" allowed {most_expanded(len(compressed))} (decompression bomb?)"
            )
        decompressor = zstandard.ZstdDecompressor(format=magicless, max_window_size=_MAX_WINDOW_BYTE)
        return decompressor.decompress(compressed, allow_extra_data=False)
    except (zstandard.ZstdError, MemoryError) as error:
        raise WireError(f"frame: the compressed content cannot be read ({error})") from error


_ONE_GROUP = [bytes((value,)) for value in range(0x80)]


def _varint(value: int) -> bytes:
    """Little-endian groups of seven bits; the top bit says that another follows."""
    if value <= 0x7F:
        return _ONE_GROUP[value]
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(groups + bytes((value,)))


def _read_varint(content: bytes) -> tuple[int, int]:
    """The value at the start of ``content``, and where it ends."""
    value = 0
    for index, group in enumerate(content[:5]):
        value |= (group & 0x7F) << 7 * index
        if group < 0x80:
            if index and not group:
                break  # padded
            return value, index + 1
    raise WireError("frame: the length of the head is not a varint of at most 5 bytes, the fewest that hold it")
