"""``protection: none``: wrong bits reach weights and nothing else; the result is never taken for the clean slice."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from simnet.wire.errors import EncodeError, WireError
from simnet.wire.frames import decode_frame, encode_frame
from simnet.wire.kinds import Kind
from simnet.wire.slices import PRECISIONS, join_raw, make_slice, read_slice, split_raw

N_WEIGHT = 3 * 4 * 5
PEAK = 8 / 7


def some_slice(precision="int8", **options):
    tensors = {
        "weight": (np.arange(N_WEIGHT, dtype=np.float32) % 17 - 8).reshape(3, 4, 5) / 7,
        "bias": np.array([0.1, -0.2, 0.3], np.float32),
        "table": np.arange(5, dtype=np.uint16),
    }
    return make_slice("some", "decoder", tensors, precision=precision, **options)


def flip(body: bytes, *bits: int) -> bytes:
    wrong = bytearray(body)
    for bit in bits:
        wrong[bit // 8] ^= 0x80 >> bit % 8
    return bytes(wrong)


@pytest.mark.parametrize("sparsity", [0.0, 0.6])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_body_without_errors_is_the_clean_slice(precision, sparsity):
    clean = some_slice(precision, sparsity=sparsity)
    header, body = split_raw(clean)
    joined = join_raw(header, body, transfer="link3/77")
    assert joined == clean
    assert all(np.array_equal(joined.tensors[name], clean.tensors[name]) for name in clean.tensors)
    n_bit = int("".join(c for c in precision if c.isdigit()))
    assert len(body) == n_bit * -(-(N_WEIGHT - int(sparsity * N_WEIGHT)) // 8)


@pytest.mark.parametrize("precision", [p for p in PRECISIONS if p.startswith("int")])
def test_a_wrong_bit_moves_one_weight_by_its_place(precision):
    clean = some_slice(precision)
    header, body = split_raw(clean)
    n_bit, plane_bit = int(precision[3:]), 8 * -(-N_WEIGHT // 8)
    assert len(body) * 8 == n_bit * plane_bit
    for plane in range(n_bit):
        for index in (0, 7, 33, N_WEIGHT - 1):
            damaged = join_raw(header, flip(body, plane * plane_bit + index), transfer="t")
            moved = (damaged.tensors["weight"] - clean.tensors["weight"]).ravel()
            assert np.flatnonzero(moved).tolist() == [index]
            peak = float(np.abs(clean.tensors["weight"][index // 20]).max())
            step = peak / (2 ** (n_bit - 1) - 1)
            # the peak was rounded up to float16: 1 in 2^10; the weights to float32, and so their difference
            expected = 2 ** (n_bit - 1 - plane) * step
            assert abs(moved[index]) == pytest.approx(expected, rel=0, abs=expected * 2**-10 + 4 * 2**-24 * peak)
            assert np.array_equal(damaged.tensors["bias"], clean.tensors["bias"])
            assert np.array_equal(damaged.tensors["table"], clean.tensors["table"])


def test_a_damaged_slice_is_never_taken_for_the_clean_one():
    clean = some_slice()
    header, body = split_raw(clean)
    damaged = join_raw(header, flip(body, 5), transfer="link3/77")
    assert damaged.id == f"{clean.id}+link3/77"
    assert damaged.damaged
    assert not clean.damaged
    assert damaged != clean
    assert (damaged.name, damaged.role, damaged.precision) == ("some", "decoder", "int8")
    assert damaged.n_byte == len(header) + len(body)
    with pytest.raises(WireError):
        read_slice(damaged.payload)
    with pytest.raises(EncodeError, match="arrived damaged and is not sent on"):
        split_raw(damaged)
    with pytest.raises(EncodeError, match="required id"):
        make_slice("next", "decoder", {}, precision="int8", requires=(damaged.id,))


@given(st.sets(st.integers(0, 8 * 64 - 1)))
def test_any_errors_give_a_slice_with_finite_weights(bits):
    clean = some_slice()
    header, body = split_raw(clean)
    joined = join_raw(header, flip(body, *bits), transfer="t")
    padding = {plane * 64 + unused for plane in range(8) for unused in range(N_WEIGHT, 64)}
    assert (joined.id == clean.id) == (bits <= padding)  # padding is no weight
    # symmetric integers are bounded: at most 128/127 of the peak
    assert np.abs(joined.tensors["weight"]).max() <= PEAK * (1 + 2**-10) * 128 / 127


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_float_weights_that_become_infinite_or_nan_are_zero(precision):
    tensors = {"weight": np.full((1, 8), 1.5, np.float32)}
    header, body = split_raw(make_slice("f", "decoder", tensors, precision=precision))
    # plane by plane, 1.5 has exponent 01…1: setting plane 1 of the first weight makes all exponent bits 1, so NaN
    damaged = join_raw(header, flip(body, 8), transfer="t")
    assert damaged.tensors["weight"].tolist() == [[0.0] + [1.5] * 7]
    sign = join_raw(header, flip(body, 0), transfer="t")
    assert sign.tensors["weight"].tolist() == [[-1.5] + [1.5] * 7]


@pytest.mark.parametrize("cut", [slice(0, -1), slice(0, 0), slice(1, None)])
def test_a_body_of_wrong_length_is_refused(cut):
    header, body = split_raw(some_slice())
    with pytest.raises(WireError, match=f"got {len(body[cut])} bytes of weights; 60 at int8 take 64"):
        join_raw(header, body[cut], transfer="t")
    with pytest.raises(WireError, match="got 65 bytes"):
        join_raw(header, body + b"\0", transfer="t")


def test_the_header_must_arrive_whole():
    header, body = split_raw(some_slice(sparsity=0.6))
    for bit in range(8 * len(header)):
        with pytest.raises(WireError):
            join_raw(flip(header, bit), body, transfer="t")
    with pytest.raises(WireError, match="allowed a header"):
        join_raw(some_slice().payload, body, transfer="t")


def test_a_header_that_lies_is_refused_or_damaged():
    clean = some_slice()
    header, body = split_raw(clean)
    frame = decode_frame(header)
    longer = encode_frame(Kind.SLICE_HEADER, frame.head, frame.tail + b"x")
    with pytest.raises(WireError, match="1 bytes too many in its header"):
        join_raw(longer, body, transfer="t")
    with pytest.raises(WireError, match=r"allowed 16\.\.16 bytes"):
        join_raw(encode_frame(Kind.SLICE_HEADER, [b"short", frame.head[1]], frame.tail), body, transfer="t")
    other_id = encode_frame(Kind.SLICE_HEADER, [bytes(16), frame.head[1]], frame.tail)
    assert join_raw(other_id, body, transfer="t").id == "00" * 16 + "+t"
