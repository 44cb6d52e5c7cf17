"""Unequal protection: protected bits travel in the header, the others in the body, and both make the slice again."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from simnet.wire.errors import EncodeError, WireError
from simnet.wire.frames import decode_frame, encode_frame
from simnet.wire.kinds import Kind
from simnet.wire.slices import PRECISIONS, Precision, Slice, join_raw, make_slice, split_raw

SHAPES = {"0.weight": (3, 5), "4.weight": (2, 3, 3), "6.weight": (7, 1)}
Array = np.ndarray[Any, np.dtype[Any]]
N_WEIGHT = 15 + 18 + 7


def bits_of(precision: str) -> int:
    return int("".join(filter(str.isdigit, precision)))


def weights(seed: int = 0) -> dict[str, Array]:
    """The largest magnitude per output channel is 1, so that steps are 1 / q_max exactly."""
    rng = np.random.default_rng(seed)
    made = {}
    for name, shape in SHAPES.items():
        tensor = rng.standard_normal(shape)
        made[name] = tensor / np.abs(tensor).max(axis=tuple(range(1, len(shape))), keepdims=True)
    return made


def some_slice(precision: Precision, sparsity: float = 0.0, seed: int = 0) -> Slice:
    tensors = {**weights(seed), "0.bias": np.ones(3)}
    return make_slice("some", "decoder", tensors, precision=precision, sparsity=sparsity)


def complement(body: bytes) -> bytes:
    return bytes(byte ^ 0xFF for byte in body)


@st.composite
def protections(draw: st.DrawFn) -> tuple[Precision, dict[str, Any]]:
    precision = draw(st.sampled_from(PRECISIONS))
    layers = draw(st.lists(st.sampled_from(["*", "0.*", "4.weight", "6.w?ight", "9.*"]), max_size=3))
    high_bits = draw(st.one_of(st.none(), st.integers(0, bits_of(precision))))
    return precision, {"layers": layers, "high_bits": high_bits}


@settings(deadline=None)
@given(protections(), st.sampled_from([0.0, 0.5]), st.integers(0, 3))
def test_header_and_body_make_the_clean_slice_again(
    protection: tuple[Precision, dict[str, Any]], sparsity: float, seed: int
) -> None:
    precision, options = protection
    clean = some_slice(precision, sparsity, seed)
    header, body = split_raw(clean, **options)
    joined = join_raw(header, body, transfer="t")
    assert joined == clean and not joined.damaged
    assert all(np.array_equal(joined.tensors[name], clean.tensors[name]) for name in clean.tensors)


@settings(deadline=None)
@given(protections(), st.data())
def test_wrong_bits_in_the_body_never_reach_a_protected_tensor(
    protection: tuple[Precision, dict[str, Any]], data: st.DataObject
) -> None:
    precision, options = protection
    clean = some_slice(precision)
    header, body = split_raw(clean, **{**options, "high_bits": None})
    noise = data.draw(st.binary(min_size=len(body), max_size=len(body)))
    damaged = join_raw(header, bytes(a ^ b for a, b in zip(body, noise, strict=True)), transfer="t")
    shielded = {
        "*": set(SHAPES), "0.*": {"0.weight"}, "4.weight": {"4.weight"}, "6.w?ight": {"6.weight"}, "9.*": set(),
    }  # fmt: skip
    for name in set().union(*(shielded[layer] for layer in options["layers"])):
        assert np.array_equal(damaged.tensors[name], clean.tensors[name])
    assert np.array_equal(damaged.tensors["0.bias"], clean.tensors["0.bias"])


@pytest.mark.parametrize("precision", ["int16", "int8", "int6", "int5", "int4"])
def test_with_all_other_bits_wrong_the_high_bits_stay(precision: Precision) -> None:
    """Words are XORed with 2^(n − b) − 1 and read as two's complement of n bits."""
    clean, n_bit = some_slice(precision), bits_of(precision)
    half = 2 ** (n_bit - 1)
    for high_bits in range(n_bit + 1):
        header, body = split_raw(clean, layers=["0.*", "6.*"], high_bits=high_bits)
        damaged = join_raw(header, complement(body), transfer="t")
        for name, tensor in weights().items():
            words = np.rint(tensor.astype(np.float32).astype(float) * (half - 1)).astype(int)
            n_wrong = n_bit if name == "4.weight" else n_bit - high_bits
            wrong = ((words ^ (2**n_wrong - 1)) + half) % (2 * half) - half
            got = damaged.tensors[name].astype(float) * (half - 1)
            assert np.abs(got - wrong).max() <= half * 2**-24  # the numbers are float32


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_parts_are_as_long_as_their_planes(precision: Precision) -> None:
    clean, n_bit = some_slice(precision), bits_of(precision)
    for high_bits in range(n_bit + 1):
        header, body = split_raw(clean, layers=["*"], high_bits=high_bits)
        assert len(body) == (n_bit - high_bits) * -(-N_WEIGHT // 8)
        header, body = split_raw(clean, layers=["4.*"], high_bits=high_bits)
        assert len(body) == high_bits * -(-(N_WEIGHT - 18) // 8) + (n_bit - high_bits) * -(-N_WEIGHT // 8)
        protected_byte = high_bits * -(-18 // 8)
        plain = decode_frame(split_raw(clean)[0]).tail
        assert len(decode_frame(header).tail) == len(plain) + protected_byte


def test_nothing_protected_is_the_plain_header() -> None:
    clean = some_slice("int8")
    assert split_raw(clean) == split_raw(clean, layers=["9.*"]) == split_raw(clean, layers=["*"], high_bits=0)


def test_the_same_damage_under_other_protection_is_another_slice() -> None:
    clean = some_slice("int8")
    one, other = (
        join_raw(header, complement(body), transfer="t")
        for header, body in (split_raw(clean, layers=["*"], high_bits=b) for b in (1, 2))
    )
    assert one.id == other.id and one != other


def test_more_bits_than_there_are_is_an_error() -> None:
    with pytest.raises(EncodeError, match=r"slice 'some': high bits to protect: got 9; int8 has 0\.\.8"):
        split_raw(some_slice("int8"), layers=["*"], high_bits=9)


def test_parts_of_wrong_length_are_refused() -> None:
    header, body = split_raw(some_slice("int8"), layers=["*"], high_bits=2)
    for wrong in (body[1:], body + b"\0", b""):
        with pytest.raises(WireError, match=rf"got 10 protected and {len(wrong)} unprotected .* take 10 and 30"):
            join_raw(header, wrong, transfer="t")
    frame = decode_frame(header)
    shorter = encode_frame(Kind.SLICE_HEADER, frame.head, frame.tail[:-1])
    with pytest.raises(WireError, match="got 9 protected and 30 unprotected"):
        join_raw(shorter, body, transfer="t")


@pytest.mark.parametrize("counts", [b"", b"\x02", b"\x02\x02\x02\x02", b"\x02\x02\x09", 7, None])
def test_a_header_that_lies_about_its_protection_is_refused(counts: Any) -> None:
    header, body = split_raw(some_slice("int8"), layers=["*"], high_bits=2)
    frame = decode_frame(header)
    lying = encode_frame(Kind.SLICE_HEADER, [*frame.head[:2], counts], frame.tail)
    with pytest.raises(WireError, match="got"):
        join_raw(lying, body, transfer="t")
