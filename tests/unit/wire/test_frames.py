"""Frames: round trips, every wrong bit found, and hostile lengths refused before anything is allocated."""

from __future__ import annotations

import ast
import subprocess
import sys
import tracemalloc
import zlib
from pathlib import Path

import hypothesis.strategies as st
import msgpack
import numpy as np
import pytest
import zstandard
from hypothesis import given, settings

import simnet
import simnet.wire
from simnet.wire.errors import EncodeError, WireError
from simnet.wire.frames import FREE_RATIO, MAX_FRAME_BYTE, MAX_HEAD_BYTE, MAX_RATIO, decode_frame, encode_frame

MAGIC, COMPRESSED = 0xB1, 0x80

plain = st.integers(-(2**63), 2**64 - 1) | st.text(max_size=20) | st.binary(max_size=20) | st.floats(allow_nan=False)
heads = st.lists(st.recursive(plain, lambda inner: st.lists(inner, max_size=4), max_leaves=10), max_size=6)


def sealed(kind: int, content: bytes) -> bytes:
    """A frame with a right CRC around whatever content."""
    frame = bytes((MAGIC, kind)) + content
    return frame + zlib.crc32(frame).to_bytes(4, "little")


def compressed(content: bytes, **options: object) -> bytes:
    parameters = zstandard.ZstdCompressionParameters.from_level(
        1, format=zstandard.FORMAT_ZSTD1_MAGICLESS, write_content_size=options.get("write_content_size", True)
    )
    return zstandard.ZstdCompressor(compression_params=parameters).compress(content)


@given(st.integers(1, 127), heads, st.binary(max_size=300) | st.integers(0, 3000).map(bytes))
def test_round_trip(kind, head, tail):
    frame = decode_frame(encode_frame(kind, head, tail))
    assert (frame.kind, frame.head, frame.tail) == (kind, head, tail)


def bitwise_crc32(data: bytes) -> int:
    """IEEE 802.3, reflected, one bit at a time: the definition, to hold the frames against."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0xEDB88320 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def test_a_small_frame_byte_by_byte():
    expected = bytes.fromhex("b1 15 03 92 07 01")  # magic, kind, length of the head, msgpack of [7, 1]
    assert encode_frame(0x15, [7, 1]) == expected + bitwise_crc32(expected).to_bytes(4, "little")


def test_overhead_of_a_small_message_is_eight_bytes_with_msgpack():
    assert len(encode_frame(0x15, [])) == 2 + 1 + 1 + 4


def test_compressed_only_if_shorter():
    noise = np.random.default_rng(1).bytes(5000)
    assert not encode_frame(1, [], noise)[1] & COMPRESSED
    assert len(encode_frame(1, [], noise)) == 5000 + 8
    assert encode_frame(1, [], bytes(5000))[1] & COMPRESSED
    assert len(encode_frame(1, [], bytes(5000))) < 50


def test_a_content_too_good_to_be_believed_is_sent_uncompressed():
    tail = bytes(MAX_RATIO * FREE_RATIO)  # zeros compress far better than MAX_RATIO
    frame = encode_frame(1, [], tail)
    assert not frame[1] & COMPRESSED
    assert decode_frame(frame).tail == tail


@pytest.mark.parametrize("tail", [b"", b"abc" * 100, np.random.default_rng(2).bytes(200)], ids=["none", "zstd", "raw"])
def test_every_single_wrong_bit_is_found(tail):
    frame = encode_frame(20, [1, "digits", 0.5], tail)
    for bit in range(8 * len(frame)):
        wrong = bytearray(frame)
        wrong[bit // 8] ^= 1 << bit % 8
        with pytest.raises(WireError):
            decode_frame(bytes(wrong))


@given(st.integers(0, 8 * 60 - 1), st.integers(1, 2**32 - 1))
def test_every_burst_of_up_to_32_bits_is_found(start, pattern):
    frame = encode_frame(20, [1, "digits", 0.5], np.random.default_rng(3).bytes(60))
    wrong = int.from_bytes(frame, "little") ^ pattern << start
    with pytest.raises(WireError):
        decode_frame(wrong.to_bytes(len(frame) + 4, "little")[: len(frame)])


def test_every_truncation_and_extension_is_found():
    frame = encode_frame(20, [1, "digits", 0.5], b"abc" * 100)
    for length in range(len(frame)):
        with pytest.raises(WireError):
            decode_frame(frame[:length])
    with pytest.raises(WireError, match="CRC-32"):
        decode_frame(frame + b"\0")


def test_another_magic_is_named():
    with pytest.raises(WireError, match="got first byte 0x1f; this version speaks 0xb1"):
        decode_frame(b"\x1f\x8b" + bytes(20))


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes((value & 127 | 128,))
        value >>= 7
    return out + bytes((value,))


def _head(packed: bytes) -> bytes:
    return _varint(len(packed)) + packed


ZSTD_DECLARES_1_TIB = bytes([0b11100000]) + (1 << 40).to_bytes(8, "little") + b"\x01\x00\x00"
ZSTD_WINDOW_1_GIB = bytes([0b10000000, 20 << 3]) + (100).to_bytes(4, "little") + b"\x01\x00\x00"

HOSTILE = {
    "head longer than the content": (0, _varint(100) + b"\x90", "head declares 100 bytes; 1 are there"),
    "head of 32 GiB": (0, _varint(2**35 - 1) + b"\x90", "head declares"),
    "head over the limit": (
        0,
        _head(b"\xc6" + MAX_HEAD_BYTE.to_bytes(4, "big") + bytes(MAX_HEAD_BYTE)),
        "262144 allowed",
    ),
    "endless varint": (0, b"\xff" * 20, "varint"),
    "padded varint": (0, b"\x81\x00\x90", "varint of at most 5 bytes, the fewest that hold it"),
    "varint padded twice": (0, b"\x81\x80\x00\x90", "varint"),
    "array of 4 billion": (0, _head(b"\xdd\xff\xff\xff\xff"), "not msgpack"),
    "string of 4 GiB": (0, _head(b"\xdb\xff\xff\xff\xff"), "not msgpack"),
    "bytes of 4 GiB": (0, _head(b"\xc6\xff\xff\xff\xff"), "not msgpack"),
    "map": (0, _head(b"\x81\x01\x02"), "not msgpack"),
    "map of 4 billion": (0, _head(b"\xdf\xff\xff\xff\xff"), "not msgpack"),
    "extension": (0, _head(b"\xd4\x05\x00"), "not msgpack"),
    "timestamp": (0, _head(msgpack.packb(msgpack.Timestamp(1))), "not msgpack"),
    "nested 200,000 deep": (0, _head(b"\x91" * 200_000 + b"\x90"), "not msgpack"),
    "two heads": (0, _head(b"\x90\x90"), "not msgpack"),
    "empty head": (0, _head(b""), "not msgpack"),
    "not UTF-8": (0, _head(b"\xa1\xff"), "not msgpack"),
    "reserved byte": (0, _head(b"\xc1"), "not msgpack"),
    "zstd that declares 1 TiB": (COMPRESSED, ZSTD_DECLARES_1_TIB, "declare 1099511627776"),
    "zstd with a window of 1 GiB": (COMPRESSED, ZSTD_WINDOW_1_GIB, "cannot be read"),
    "zstd of unknown length": (COMPRESSED, compressed(bytes(9), write_content_size=False), "bomb"),
    "zstd bomb": (COMPRESSED, compressed(bytes(1 << 25)), "bomb"),
    "zstd cut off": (COMPRESSED, compressed(bytes(999))[:-2], "cannot be read"),
    "zstd with more behind it": (COMPRESSED, compressed(_head(b"\x90")) + b"x", "cannot be read"),
    "no zstd": (COMPRESSED, b"hello", "cannot be read|bomb"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_frames_are_refused_in_bounded_memory(case):
    flag, content, message = HOSTILE[case]
    frame = sealed(20 | flag, content)
    tracemalloc.start()
    try:
        with pytest.raises(WireError, match=message):
            decode_frame(frame)
        peak_byte = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # copies of the frame, and msgpack's objects: at most 8 + 56 bytes for each byte of the head
    assert peak_byte < 2 * len(frame) + 64 * min(len(frame), MAX_HEAD_BYTE) + FREE_RATIO


def test_longer_forms_that_are_taken_give_what_the_shortest_would():
    longer = sealed(20, _head(b"\xdc\x00\x01" + b"\xcd\x00\x07"))  # an array of 16-bit length, a 16-bit 7
    assert longer != encode_frame(20, [7])
    assert decode_frame(longer) == decode_frame(encode_frame(20, [7]))


def test_one_byte_more_than_a_frame_may_have():
    with pytest.raises(WireError, match=f"allowed 7..{MAX_FRAME_BYTE}"):
        decode_frame(bytes(MAX_FRAME_BYTE + 1))
    with pytest.raises(EncodeError, match="Lower the precision"):
        encode_frame(1, [], bytes(MAX_FRAME_BYTE))
    with pytest.raises(EncodeError, match="head"):
        encode_frame(1, ["x" * MAX_HEAD_BYTE])


@settings(max_examples=300)
@given(st.binary(max_size=80), st.booleans())
def test_any_sealed_bytes_give_a_frame_or_wire_error(content, zstd):
    try:
        frame = decode_frame(sealed(20 | COMPRESSED * zstd, content))
    except WireError as error:
        assert "frame" in str(error)
    else:
        assert frame.kind == 20 and (zstd or content.endswith(frame.tail))


def test_nothing_in_the_wire_can_run_code():
    files = sorted(Path(simnet.wire.__file__).parent.glob("*.py"))
    assert len(files) > 5
    for file in files:
        imported = {
            name.split(".")[0]
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        assert not imported & {"pickle", "marshal", "shelve", "dill", "torch", "yaml"}, file.name


def test_importing_slices_and_messages_needs_neither_msgpack_nor_zstandard():
    program = (
        "import sys; sys.modules['msgpack'] = sys.modules['zstandard'] = None\n"
        "import simnet.wire.slices, simnet.wire.messages\n"
        "print('torch' in sys.modules)"
    )
    root = Path(simnet.__file__).parents[1]
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=root)
    assert (ran.stdout, ran.returncode) == ("False\n", 0), ran.stderr
