"""Slices: exact round trips, one id and one byte string per content, sizes, and what hostile heads may not do."""

from __future__ import annotations

import math
import tracemalloc

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from simnet.core.errors import SimnetError
from simnet.wire.errors import WireError
from simnet.wire.frames import decode_frame, encode_frame
from simnet.wire.ids import short_id
from simnet.wire.kinds import Kind
from simnet.wire.slices import PRECISIONS, make_slice, read_slice

SOME_ID = "0123456789abcdef" * 2

numbers = st.floats(-9, 9, width=32).filter(lambda x: x == 0 or abs(x) > 2**-14)  # float16's normal range
floats = hnp.arrays(np.float32, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5), elements=numbers)
integers = hnp.arrays(st.sampled_from(["<i1", "<i2", "<i4", "<i8", "<u1", "<u2", "<u4", "<u8"]), st.integers(0, 9))
bundles = st.dictionaries(st.text(min_size=1, max_size=12), floats | integers, max_size=5)


def mnist_decoder(seed: int = 0) -> dict[str, np.ndarray]:
    """AESC-I's MNIST decoder at Z = 40, 7,409 parameters, with normal weights as training leaves them."""
    rng = np.random.default_rng(seed)
    shapes = {"1.weight": (64, 40), "1.bias": (64,)}
    for layer, n_out in ((3, 16), (5, 16), (7, 1)):
        shapes |= {f"{layer}.weight": (16, n_out, 3, 3), f"{layer}.bias": (n_out,)}
    assert sum(math.prod(shape) for shape in shapes.values()) == 7409
    return {name: rng.normal(0, 0.1, shape).astype(np.float32) for name, shape in shapes.items()}


MNIST_AXES = {f"{layer}.weight": 1 for layer in (3, 5, 7)}


def same(a, b):
    return (
        a == b
        and (a.name, a.role, a.version, a.precision, a.requires) == (b.name, b.role, b.version, b.precision, b.requires)
        and list(a.tensors) == list(b.tensors)
        and all(a.tensors[n].dtype == b.tensors[n].dtype for n in a.tensors)
        and all(np.array_equal(a.tensors[n], b.tensors[n]) for n in a.tensors)
    )


@settings(max_examples=200)
@given(bundles, st.sampled_from(PRECISIONS), st.sampled_from([0.0, 0.1, 0.5, 0.9]))
def test_reading_gives_back_the_slice_that_was_made(tensors, precision, sparsity):
    made = make_slice("a", "decoder", tensors, precision=precision, sparsity=sparsity, requires=(SOME_ID,), version=3)
    assert same(read_slice(made.payload), made)
    assert made.requires == (SOME_ID,)
    assert made.n_byte == len(made.payload)
    for name, tensor in tensors.items():
        assert made.tensors[name].shape == tensor.shape
        if tensor.dtype.kind != "f":
            assert made.tensors[name].dtype == tensor.dtype
            assert np.array_equal(made.tensors[name], tensor)


@given(bundles, st.sampled_from(PRECISIONS))
def test_equal_tensors_make_equal_bytes_however_they_lie_in_memory(tensors, precision):
    made = make_slice("a", "decoder", tensors, precision=precision)
    other = {
        name: np.array(tensors[name], tensors[name].dtype.newbyteorder(">"), order="F")
        for name in reversed(list(tensors))
    }
    assert make_slice("a", "decoder", other, precision=precision) == made
    doubled = {n: t.astype(np.float64) if t.dtype.kind == "f" else t for n, t in tensors.items()}
    assert make_slice("a", "decoder", doubled, precision=precision) == made


@given(bundles, st.sampled_from([p for p in PRECISIONS if p not in ("int16", "int20")]))
def test_sending_on_what_was_received_changes_nothing(tensors, precision):
    received = make_slice("a", "decoder", tensors, precision=precision)
    assert make_slice("a", "decoder", received.tensors, precision=precision) == received


def test_anything_that_differs_gives_another_id():
    tensors = {"w": np.arange(12, dtype=np.float32).reshape(3, 4), "t": np.arange(3)}
    variants = [
        make_slice("a", "decoder", tensors, precision="int8"),
        make_slice("b", "decoder", tensors, precision="int8"),
        make_slice("a", "encoder", tensors, precision="int8"),
        make_slice("a", "decoder", tensors, precision="int6"),
        make_slice("a", "decoder", tensors, precision="int8", version=2),
        make_slice("a", "decoder", tensors, precision="int8", requires=(SOME_ID,)),
        make_slice("a", "decoder", tensors, precision="int8", sparsity=0.5),
        make_slice("a", "decoder", tensors, precision="int8", channel_axis={"w": 1}),
        make_slice("a", "decoder", tensors | {"w": tensors["w"] + 1}, precision="int8"),
        make_slice("a", "decoder", tensors | {"t": np.arange(1, 4)}, precision="int8"),
        make_slice("a", "decoder", tensors | {"w": tensors["w"].reshape(4, 3)}, precision="int8"),
        make_slice("a", "decoder", {"v": tensors["w"], "t": tensors["t"]}, precision="int8"),
    ]
    assert len({each.id for each in variants}) == len(variants)


GOLDEN_IDS = {
    "float32": "21fb19d858104f497f1dfda40eef4698",
    "float16": "94ccaaa5915539dbc131362388d25680",
    "int16": "644f7fbd20481d46839be74ff9da71dd",
    "int8": "f36c5b981777454ec3fba0c724b14bf9",
    "int6": "f5f2b0f0372e29a6b5417bd5e82562a4",
    "int5": "5189b64ded298390fb286e8b2cdae96e",
    "int4": "a1cf5a93d618c54e504d209ad3372373",
    "int20": "e3d1a8e185c9f4dba21ebf6f8e002e73",
    "int2": "8dffa362b50450ca797ccc8ce7404332",
}


@pytest.mark.parametrize("precision", PRECISIONS)
def test_ids_are_the_same_on_every_machine(precision):
    tensors = {
        "weight": (np.arange(60, dtype=np.float32) % 17 - 8).reshape(3, 4, 5) / 7,
        "bias": np.array([0.1, -0.2, 0.3], np.float32),
        "table": np.arange(5, dtype=np.uint16),
    }
    made = make_slice("golden", "decoder", tensors, precision=precision, sparsity=0.3)
    assert made.id == GOLDEN_IDS[precision]


@pytest.mark.parametrize(
    ("precision", "low_byte", "high_byte"),
    [("float32", 24500, 27500), ("float16", 13000, 15100), ("int16", 14000, 15500), ("int8", 7400, 7700),
     ("int6", 5600, 6100), ("int5", 4700, 5200), ("int4", 3900, 4300), ("int20", 17000, 19200), ("int2", 1600, 2000)],
)  # fmt: skip
def test_sizes_of_a_decoder_with_7409_parameters(precision, low_byte, high_byte):
    made = make_slice("aesc/digits_z40", "decoder", mnist_decoder(), precision=precision, channel_axis=MNIST_AXES)
    assert low_byte <= made.n_byte <= high_byte


def test_pruning_leaves_zeros_and_costs_a_bit_per_weight():
    dense = make_slice("d", "decoder", mnist_decoder(), precision="int8", channel_axis=MNIST_AXES)
    pruned = make_slice("d", "decoder", mnist_decoder(), precision="int8", channel_axis=MNIST_AXES, sparsity=0.9)
    weights = pruned.tensors["1.weight"]
    assert np.count_nonzero(weights) == 2560 - 2304
    kept = weights != 0
    assert np.array_equal(weights[kept], dense.tensors["1.weight"][kept])
    # biases stay whole; a tenth of the bytes, and a bitmap of 7312 bits
    assert np.array_equal(pruned.tensors["1.bias"], dense.tensors["1.bias"])
    assert pruned.n_byte < dense.n_byte - 0.9 * 7312 * 7 / 8 + 7312 / 8


def test_a_bitmap_that_would_not_pay_is_left_out():
    # sparsity × bits = 0.8: zeros are cheaper than a bitmap
    plain = make_slice("d", "decoder", mnist_decoder(), precision="int4", channel_axis=MNIST_AXES)
    pruned = make_slice("d", "decoder", mnist_decoder(), precision="int4", channel_axis=MNIST_AXES, sparsity=0.2)
    assert pruned.n_byte <= plain.n_byte + 50
    assert np.count_nonzero(pruned.tensors["1.weight"]) <= 2560 - 512


def test_few_numbers_travel_whole():
    tensors = {"bias": np.float32([1e-3, 5.0]), "variance": np.float32([1e5, 1e-5]), "steps": np.int64(7)}
    made = make_slice("a", "task", tensors, precision="int4")
    assert np.array_equal(made.tensors["bias"], np.float16([1e-3, 5.0]).astype(np.float32))
    assert np.array_equal(made.tensors["variance"], tensors["variance"])  # beyond float16: float32
    assert made.tensors["steps"].shape == ()
    assert made.tensors["steps"] == 7
    exact = make_slice("a", "task", tensors, precision="float32")
    assert np.array_equal(exact.tensors["bias"], tensors["bias"])


def test_tensors_are_read_only():
    made = make_slice("a", "decoder", {"w": np.ones((2, 2), np.float32), "t": np.arange(3)}, precision="int8")
    for tensor in made.tensors.values():
        with pytest.raises(ValueError, match="read-only"):
            tensor[0] = 5


def test_short_id():
    made = make_slice("a", "decoder", {}, precision="int8")
    assert short_id(made.id).hex() == made.id[:16]
    assert not made.damaged
    with pytest.raises(SimnetError, match="arrived damaged has no name"):
        short_id(made.id + "+transfer")


WRONG = {
    "name of 0": {"name": ""},
    "role": {"role": "decodr"},
    "did you mean 'int8'": {"precision": "int_8"},
    "version -1": {"version": -1},
    "sparsity 1.0; allowed": {"sparsity": 1.0},
    "required id 'abc'; allowed 32 hex digits": {"requires": ("abc",)},
    "of a clean slice": {"requires": (SOME_ID + "+link3",)},
    "channel_axis of 'v'; there is no such tensor": {"channel_axis": {"v": 1}},
    "channel_axis of 'w': got 2; allowed 0..1": {"channel_axis": {"w": 2}},
    "did training diverge": {"tensors": {"w": np.array([[np.nan, 1]])}},
    "'b': got NaN, infinity": {"tensors": {"b": np.array([np.inf])}},
    "beyond float32": {"tensors": {"w": np.array([[1e300]])}},
    "'w': weights: got magnitude 100000": {"tensors": {"w": np.full((2, 2), 1e5)}},
    "got dtype bool; allowed": {"tensors": {"w": np.zeros((2, 2), bool)}},
    "got dtype complex": {"tensors": {"w": np.zeros((2, 2), complex)}},
    "of 9 dimensions; allowed 8": {"tensors": {"w": np.zeros((1,) * 9)}},
    "elements; allowed 268435456": {"tensors": {"w": np.broadcast_to(np.float32(0), (2**15, 2**14))}},
    "4097 tensors": {"tensors": {str(i): np.float32(0) for i in range(4097)}},
}


@pytest.mark.parametrize("message", WRONG)
def test_a_slice_that_cannot_be_made_says_why(message):
    arguments = {"name": "a", "role": "decoder", "tensors": {"w": np.ones((2, 2))}, "precision": "int8"}
    arguments |= WRONG[message]
    with pytest.raises(SimnetError, match=message):
        make_slice(arguments.pop("name"), arguments.pop("role"), arguments.pop("tensors"), **arguments)


def _head(*, entries=(), name="a", role=1, version=1, precision=3, requires=b"", pruned=0):
    return [name, role, version, precision, requires, pruned, list(entries)]


HOSTILE_HEADS = {
    "weights of 16 GiB": (_head(entries=[["w", 0, 2**16, 2**16]]), b"", "elements"),
    "many of them": (_head(entries=[[chr(65 + i), 0, 2**14, 2**13] for i in range(9)]), b"", "elements"),
    "overflow behind a zero": (_head(entries=[["w", 0, 0, 2**28, 2**28, 2**28]]), b"", "elements"),
    "more numbers than bytes can hold": (_head(entries=[["w", 0, 2**10, 2**10]]), b"", "declare 1048576 elements"),
    "zeros by bitmap": (
        _head(pruned=1, entries=[["w", 0, 1, 2**19 - 1024]]),
        bytes(2 + 65408),
        "declare 523264 elements",
    ),
    "table of 2 GiB": (_head(entries=[["t", -7, 2**28]]), b"", "declare 268435456"),
    "negative size": (_head(entries=[["w", 0, -1]]), b"", "allowed an integer 0"),
    "size is a float": (_head(entries=[["w", 0, 2.0]]), b"", "allowed an integer 0"),
    "size is true": (_head(entries=[["w", 0, True]]), b"", "allowed an integer 0"),
    "9 dimensions": (_head(entries=[["w", 0, *[1] * 9]]), b"", "list of 2..10"),
    "axis beyond": (_head(entries=[["w", 2, 1, 1]]), b"", "allowed an integer -16..1"),
    "unknown dtype": (_head(entries=[["w", -6, 1]]), b"", "allowed an integer 0..9"),
    "names unsorted": (_head(entries=[["b", -16, 1], ["a", -16, 1]]), bytes(4), "distinct and sorted"),
    "names twice": (_head(entries=[["a", -16, 1], ["a", -16, 1]]), bytes(4), "distinct and sorted"),
    "name is bytes": (_head(name=b"a"), b"", "allowed a name"),
    "name too long": (_head(name="a" * 256), b"", "allowed a name of at most 255"),
    "entry is a number": (_head(entries=[5]), b"", "got 5; allowed a list"),
    "entries too many": (_head(entries=[["a", -16]] * 4097), b"", "0..4096"),
    "unknown role": (_head(role=5), b"", "allowed an integer 0..4"),
    "unknown precision": (_head(precision=9), b"", "allowed an integer 0..8"),
    "requires cut": (_head(requires=b"123"), b"", "required ids take 16 bytes"),
    "requires is text": (_head(requires="x" * 16), b"", "allowed 0..4080 bytes"),
    "head too short": (["a", 1], b"", "list of 7..7"),
    "head is a number": (7, b"", "list of 7..7"),
    "tail too short": (_head(entries=[["b", -16, 100]]), bytes(199), "take 200"),
    "tail too long": (_head(entries=[["b", -16, 100]]), bytes(201), "got 1 bytes"),
    "peaks missing": (_head(entries=[["w", 0, 4, 4]]), bytes(7), "take 8"),
    "bits behind the bitmap": (_head(pruned=1, entries=[["w", 0, 1, 4]]), b"\0\0\x0f", "bitmap are set"),
    "peak is NaN": (_head(entries=[["w", 0, 1, 4]]), b"\x00\x7e" + bytes(4), "'w' holds NaN"),
    "weight is NaN": (_head(precision=0, entries=[["w", 0, 1, 1]]), b"\xff" * 4, "'w' holds NaN"),
    "bias is infinite": (_head(entries=[["b", -16, 1]]), b"\x00\x7c", "'b' holds NaN"),
}


@pytest.mark.parametrize("case", HOSTILE_HEADS)
def test_hostile_heads_are_refused_in_bounded_memory(case):
    head, tail, message = HOSTILE_HEADS[case]
    payload = encode_frame(Kind.SLICE_BYTES, head, tail)
    tracemalloc.start()
    try:
        with pytest.raises(WireError, match=message):
            read_slice(payload)
        peak_byte = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_byte < 2**21


def test_reading_takes_memory_in_proportion_to_the_numbers():
    tensors = {"w": np.random.default_rng(5).normal(size=(1000, 1000)).astype(np.float32)}
    payload = make_slice("a", "decoder", tensors, precision="int8").payload
    tracemalloc.start()
    read_slice(payload)
    peak_byte = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # float32 numbers (4), their finiteness (1), words, content, tail and the copy that is hashed (1 each)
    assert peak_byte < 10 * 10**6


def test_another_frame_is_no_slice():
    with pytest.raises(WireError, match="got a frame of kind 21; allowed 1 or 2"):
        read_slice(encode_frame(Kind.ACK, [1, b""]))


def test_extreme_sparsity_can_still_be_read():
    tensors = {"w": np.random.default_rng(6).normal(size=(1024, 1024)).astype(np.float32)}
    made = make_slice("a", "decoder", tensors, precision="int8", sparsity=0.9999)
    assert same(read_slice(made.payload), made)


def test_zstd_is_used_for_a_slice_only_if_it_helps():
    rng = np.random.default_rng(7)
    uniform = {"w": rng.integers(-127, 128, (1, 4096)).astype(np.float32)}  # all levels equally likely: incompressible
    made = make_slice("a", "decoder", uniform, precision="int8")
    assert not made.payload[1] & 0x80
    assert 4096 <= made.n_byte < 4096 + 40
    assert decode_frame(made.payload).kind in (Kind.SLICE_PLANES, Kind.SLICE_BYTES)
