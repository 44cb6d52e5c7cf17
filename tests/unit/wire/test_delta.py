"""Deltas: exactly the new slice, whatever differs; sizes that the arithmetic demands; and nothing else is taken."""

from __future__ import annotations

import math
import tracemalloc

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from simnet.wire.delta import apply_delta, make_delta
from simnet.wire.errors import EncodeError, WireError
from simnet.wire.frames import decode_frame, encode_frame
from simnet.wire.kinds import Kind
from simnet.wire.slices import PRECISIONS, Slice, join_raw, make_slice, read_slice, split_raw
from simnet.wire.stand_in import StandIn

SHAPES = {"a.weight": (64, 40), "b.weight": (16, 16, 3, 3), "c.weight": (16, 1, 3, 3), "a.bias": (64,)}


def weights(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.normal(0, 0.1, shape).astype(np.float32) for name, shape in SHAPES.items()}


def nudged(tensors: dict[str, np.ndarray], by: float, seed: int = 1) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: (t + by * 0.1 * rng.normal(size=t.shape)).astype(np.float32) for name, t in tensors.items()}


def some(tensors, precision="int8", **options) -> Slice:
    return make_slice("some", "decoder", tensors, precision=precision, **{"version": 2, **options})


def same(a: Slice, b: Slice) -> bool:
    return (
        (a.id, a.payload, a.name, a.role, a.version, a.precision, a.requires)
        == (b.id, b.payload, b.name, b.role, b.version, b.precision, b.requires)
        and list(a.tensors) == list(b.tensors)
        and all(a.tensors[n].dtype == b.tensors[n].dtype and np.array_equal(a.tensors[n], b.tensors[n])
                for n in a.tensors)
    )  # fmt: skip


numbers = st.floats(-9, 9, width=32).filter(lambda x: x == 0 or abs(x) > 2**-14)
floats = hnp.arrays(np.float32, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4), elements=numbers)
integers = hnp.arrays(st.sampled_from(["<i1", "<i4", "<u2"]), st.integers(0, 9))
names = st.sampled_from(["v", "w", "x", "y"])
bundles = st.dictionaries(names, floats | integers, max_size=4)
variants = st.builds(
    lambda tensors, precision, sparsity: some(tensors, precision, sparsity=sparsity),
    bundles, st.sampled_from(PRECISIONS), st.sampled_from([0.0, 0.4, 0.9]),
)  # fmt: skip


@settings(max_examples=300)
@given(variants, variants)
def test_any_two_slices_have_a_delta(old, new):
    delta = make_delta(old, new)
    assert same(apply_delta(old, delta), new)


@settings(max_examples=200)
@given(bundles, st.sampled_from(PRECISIONS), st.sampled_from(PRECISIONS), st.sampled_from([0.0, 0.6]), st.data())
def test_one_bundle_changed_here_and_there(tensors, before, after, sparsity, data):
    changed = {name: t + np.asarray(data.draw(st.sampled_from([0, 1])), t.dtype) for name, t in tensors.items()}
    old = make_slice("some", "decoder", tensors, precision=before, version=1, requires=("ab" * 16,))
    new = some(changed, after, sparsity=sparsity, requires=("cd" * 16,))
    assert same(apply_delta(old, make_delta(old, new)), new)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("sparsity", [0.0, 0.8])
def test_a_realistic_retraining(precision, sparsity):
    before = weights()
    old = make_slice("some", "decoder", before, precision=precision, sparsity=sparsity)
    new = some(nudged(before, 0.01), precision, sparsity=sparsity)
    delta = make_delta(old, new)
    assert same(apply_delta(read_slice(old.payload), delta), new)
    assert len(delta) < 0.95 * new.n_byte or (precision, sparsity) == ("int2", 0.0)


def test_int8_deltas_take_little_more_than_the_entropy_of_the_differences():
    before, n_weight = weights(), sum(math.prod(s) for s in SHAPES.values() if len(s) > 1)
    old, new = some(before, version=1), some(nudged(before, 0.02))
    # an independent count: dequantised numbers, divided by the new steps
    histogram: dict[int, int] = {}
    for name, t in new.tensors.items():
        if t.ndim > 1:
            peaks = np.abs(t).reshape(len(t), -1).max(1).reshape([-1] + [1] * (t.ndim - 1))
            for q in np.rint((t - np.clip(old.tensors[name], -peaks, peaks)) / (peaks / 127)).ravel():
                histogram[int(q)] = histogram.get(int(q), 0) + 1
    shares = np.array(list(histogram.values())) / n_weight
    entropy_byte = -(shares * np.log2(shares)).sum() * n_weight / 8
    delta = make_delta(old, new)
    side_byte = 2 * (64 + 16 + 16) + 2 * 64
    # Huffman within 10 % here, 32 bytes of ids, and framing
    assert entropy_byte < len(delta) < 1.1 * entropy_byte + side_byte + 32 + 60
    assert len(delta) < 0.65 * new.n_byte


def test_another_version_of_the_same_numbers_takes_a_head():
    tensors = weights()
    old, new = some(tensors, version=1), some(tensors, version=2)
    assert len(make_delta(old, new)) < 130


def test_a_tensor_that_did_not_change_takes_nothing():
    tensors = weights()
    old, new = some(tensors, version=1), some({**tensors, "c.weight": tensors["c.weight"] + 1})
    assert len(make_delta(old, new)) < 200 + 16 * 9
    assert same(apply_delta(old, make_delta(old, new)), new)


def test_a_coarse_variant_refines_to_a_fine_one():
    tensors = weights()
    coarse, fine = some(tensors, "int4"), some(tensors, "int8")
    delta = make_delta(coarse, fine)
    assert same(apply_delta(coarse, delta), fine)
    # a coarse step holds 127/7 fine ones: log2(18.1) = 4.2 bits of 8, and Huffman's share
    assert len(delta) < 4.7 / 8 * fine.n_byte


def test_a_delta_fits_only_its_own_slice():
    old, other, new = some(weights(), version=1), some(weights(5), version=1), some(nudged(weights(), 0.1))
    with pytest.raises(WireError, match=f"to slice {old.id}, got {other.id}; ask for the whole slice"):
        apply_delta(other, make_delta(old, new))
    with pytest.raises(WireError, match="got a frame of kind 2; allowed 4"):
        apply_delta(old, some(weights()).payload)


def test_slices_without_clean_bytes_have_no_deltas():
    clean = some(weights())
    header, body = split_raw(clean)
    damaged = join_raw(header, bytes([body[0] ^ 1]) + body[1:], transfer="t")
    for old, new in ((damaged, clean), (clean, damaged)):
        with pytest.raises(EncodeError, match="arrived damaged"):
            make_delta(old, new)
    with pytest.raises(EncodeError, match="no delta without bytes"):
        make_delta(StandIn("some", "decoder", 100), clean)
    delta = make_delta(clean, some(nudged(weights(), 0.1)))
    with pytest.raises(WireError, match="ask for the whole slice"):
        apply_delta(damaged, delta)
    stand_in = StandIn("some", "decoder", 100)
    frame = decode_frame(delta)
    to_stand_in = encode_frame(frame.kind, [bytes.fromhex(stand_in.id), *frame.head[1:]], frame.tail)
    with pytest.raises(WireError, match="no delta without bytes"):
        apply_delta(stand_in, to_stand_in)


HOSTILE = {
    "list of 5..5": lambda head, tail: (head[:4], tail),
    "list of 7..7": lambda head, tail: ([*head[:4], head[4][:6]], tail),
    r"allowed 16\.\.16 bytes": lambda head, tail: ([b"x", *head[1:]], tail),
    r"allowed an integer 0\.\.1": lambda head, tail: ([*head[:2], 2, *head[3:]], tail),
    r"allowed 1\.\.1 bytes": lambda head, tail: ([*head[:3], b"xx", head[4]], tail),
    "it makes slice": lambda head, tail: (head, bytes([tail[0] ^ 1]) + tail[1:]),
    "bytes after the head": lambda head, tail: (head, tail[:5]),
    "weights": lambda head, tail: (head, tail + b"x"),
    "declares 16777216 elements": lambda head, tail: ([*head[:4], [*head[4][:6], [["w", 0, 2**12, 2**12]]]], tail),
    "allowed 268435456 elements": lambda head, tail: ([*head[:4], [*head[4][:6], [["w", 0, 2**16, 2**16]]]], tail),
}


@pytest.mark.parametrize("message", HOSTILE)
def test_hostile_deltas_are_refused_in_bounded_memory(message):
    old, new = some(weights(), version=1), some(nudged(weights(), 0.1))
    frame = decode_frame(make_delta(old, new))
    head, tail = HOSTILE[message](frame.head, frame.tail)
    tracemalloc.start()
    try:
        with pytest.raises(WireError, match=message):
            apply_delta(old, encode_frame(Kind.SLICE_DELTA, head, tail))
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


def test_no_peaks_get_through_or_warn():
    old, new = some(weights(), version=1), some(nudged(weights(), 0.1))
    frame = decode_frame(make_delta(old, new))
    for at in range(2 * 64, 4 * 64, 7):  # behind a.bias: the peaks of a.weight
        for high in (0x7C, 0x7E, 0xFC, 0x80):
            tail = bytearray(frame.tail)
            tail[at] ^= high
            with pytest.raises(WireError, match=r"NaN or infinity|it makes slice"):
                apply_delta(old, encode_frame(Kind.SLICE_DELTA, frame.head, bytes(tail)))
