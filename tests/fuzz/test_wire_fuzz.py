"""Fuzz: whatever bytes come, decoding gives a value or WireError, in bounded memory. Seeded, so that a failure stays.

Random damage nearly always stops at the CRC, so most cases are damaged *inside* and sealed with a right CRC again.
"""

from __future__ import annotations

import tracemalloc
import zlib
from collections.abc import Callable

import numpy as np
import pytest

from simnet.wire.delta import apply_delta, make_delta
from simnet.wire.errors import WireError
from simnet.wire.frames import decode_frame, encode_frame
from simnet.wire.messages import Ack, Code, Find, Publish, Request, SliceData, decode_message, encode_message
from simnet.wire.slices import PRECISIONS, join_raw, make_slice, read_slice, split_raw

N_CASE = 4000
MAX_PEAK_BYTE = 32 * 2**20

ID = "0123456789abcdef" * 2
RNG = np.random.default_rng(2)
TENSORS = {
    "weight": RNG.normal(size=(8, 5, 3)).astype(np.float32),
    "other": RNG.normal(size=(6, 7)).astype(np.float32),
    "bias": RNG.normal(size=8).astype(np.float32),
    "table": np.arange(9, dtype=np.uint16),
}
SLICES = [
    make_slice("a", "decoder", TENSORS, precision=precision, sparsity=sparsity, requires=(ID,))
    for precision in PRECISIONS
    for sparsity in (0.0, 0.7)
]
DENSE, PRUNED = (each for each in SLICES if each.precision == "int8")
HEADERS = [split_raw(DENSE), split_raw(PRUNED, layers=["*"], high_bits=3)]
OLD = make_slice("a", "decoder", {**TENSORS, "other": TENSORS["other"] + 1}, precision="int6", sparsity=0.5)
DELTAS = [make_delta(OLD, each) for each in SLICES]
MESSAGES = [
    encode_message(message)
    for message in (
        Request(1, 4711, "recognition", 0.95, 10.0, (b"12345678",)),
        Code(1, "aesc", bytes(100)),
        SliceData(7, ID, SLICES[3].payload),
        Publish("edge3", (ID, ID), (ID,)),
        Find(1, ID, "edge3", 4),
        Ack(5, b"\xff\x0f"),
    )
]


def join_any(header: bytes) -> object:
    """Reads a header with the dense body, or else with the pruned one, of which bits are protected."""
    try:
        return join_raw(header, HEADERS[0][1], transfer="t")
    except WireError:
        return join_raw(header, HEADERS[1][1], transfer="t")


DECODERS: dict[str, tuple[Callable[[bytes], object], list[bytes]]] = {
    "slices": (read_slice, [each.payload for each in SLICES]),
    "deltas": (lambda payload: apply_delta(OLD, payload), DELTAS),
    "headers": (join_any, [header for header, _ in HEADERS]),
    "messages": (decode_message, MESSAGES),
}

NASTY = [
    b"\xff" * 4,
    b"\xdd\xff\xff\xff\xff",
    b"\xc6\xff\xff\xff\xff",
    b"\x91" * 40,
    b"\xc1",
    b"\xcf" + b"\xff" * 8,
    b"\xcb\x7f\xf8",
]


def damage(data: bytes, rng: np.random.Generator) -> bytes:
    """One to four random edits: flipped bits, bytes set, cut, doubled, or something nasty put in."""
    damaged = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        at = int(rng.integers(0, len(damaged) + 1))
        match int(rng.integers(0, 5)):
            case 0 if at < len(damaged):
                damaged[at] ^= 1 << int(rng.integers(0, 8))
            case 1 if at < len(damaged):
                damaged[at] = int(rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.integers(0, 256)]))
            case 2:
                del damaged[at : at + int(rng.integers(1, 9))]
            case 3:
                damaged[at:at] = damaged[at : at + int(rng.integers(1, 20))]
            case _:
                damaged[at:at] = NASTY[int(rng.integers(0, len(NASTY)))]
    return bytes(damaged)


def reseal(frame: bytes) -> bytes:
    return frame[:-4] + zlib.crc32(frame[:-4]).to_bytes(4, "little")


def damage_inside(payload: bytes, rng: np.random.Generator) -> bytes:
    """Damages what is framed, before compression, and frames it rightly again."""
    frame = decode_frame(payload)
    if rng.integers(0, 2):
        return encode_frame(frame.kind, edit(frame.head, rng), frame.tail)
    return encode_frame(frame.kind, frame.head, damage(frame.tail, rng))


def edit(value: object, rng: np.random.Generator) -> object:
    """The head with one of its values changed for another, of any type."""
    if isinstance(value, list) and value and rng.integers(0, 8):
        at = int(rng.integers(0, len(value)))
        return [*value[:at], edit(value[at], rng), *value[at + 1 :]]
    others = [
        0,
        1,
        -1,
        2**20,
        2**28,
        2**63,
        True,
        None,
        0.5,
        float("nan"),
        "",
        "x" * 300,
        b"",
        bytes(16),
        [],
        [[[]]],
        value,
    ]
    return others[int(rng.integers(0, len(others)))]


def run(
    decode: Callable[[bytes], object], make_case: Callable[[np.random.Generator], bytes], seed: int
) -> tuple[int, int]:
    """How many cases were read, and how many refused; anything but WireError fails."""
    rng = np.random.default_rng(seed)
    n_read = n_refused = 0
    tracemalloc.start()
    try:
        for _ in range(N_CASE):
            case = make_case(rng)
            try:
                decode(case)
                n_read += 1
            except WireError:
                n_refused += 1
        assert tracemalloc.get_traced_memory()[1] < MAX_PEAK_BYTE
    finally:
        tracemalloc.stop()
    return n_read, n_refused


def pick(corpus: list[bytes], rng: np.random.Generator) -> bytes:
    return corpus[int(rng.integers(0, len(corpus)))]


@pytest.mark.parametrize("name", DECODERS)
def test_random_bytes(name):
    decode, _ = DECODERS[name]
    assert run(decode, lambda rng: rng.bytes(int(rng.integers(0, 200))), seed=1) == (0, N_CASE)


@pytest.mark.parametrize("name", DECODERS)
def test_damaged_frames(name):
    decode, corpus = DECODERS[name]
    n_read, n_refused = run(decode, lambda rng: damage(pick(corpus, rng), rng), seed=2)
    # what is read was damaged back into itself (a byte set to what it was); the CRC misses 1 in 4 billion
    assert n_refused > 0.8 * N_CASE
    assert n_read + n_refused == N_CASE


@pytest.mark.parametrize("name", DECODERS)
def test_damaged_frames_with_a_right_crc(name):
    decode, corpus = DECODERS[name]
    n_read, n_refused = run(decode, lambda rng: reseal(damage(pick(corpus, rng), rng)), seed=3)
    assert min(n_read, n_refused) > 0  # it gets past the CRC, both ways


@pytest.mark.parametrize("name", DECODERS)
def test_damaged_contents_framed_rightly(name):
    decode, corpus = DECODERS[name]
    n_read, n_refused = run(decode, lambda rng: damage_inside(pick(corpus, rng), rng), seed=4)
    assert min(n_read, n_refused) > 0.01 * N_CASE


@pytest.mark.parametrize("name", DECODERS)
def test_truncations(name):
    decode, corpus = DECODERS[name]
    for payload in corpus:
        for length in range(0, len(payload), 3):
            with pytest.raises(WireError):
                decode(payload[:length])
            if length > 6:
                try:
                    decode(reseal(payload[:length]))
                except WireError:
                    continue
