"""Numbers at a precision: derived error bounds, layouts by hand, and what pruning keeps."""

from __future__ import annotations

import warnings

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from simnet.wire.errors import EncodeError, WireError
from simnet.wire.precision import (
    PRECISIONS,
    from_byte_planes,
    from_planes,
    from_words,
    n_bit,
    peaks_of,
    to_byte_planes,
    to_planes,
    to_words,
    word_dtype,
)
from simnet.wire.pruning import keep_mask

INTEGERS = [p for p in PRECISIONS if p.startswith("int")]

weights = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=4, max_side=6),
    elements=st.floats(-60000, 60000, width=32) | st.floats(-(2**-10), 2**-10, width=32),
)


@given(weights, st.sampled_from(INTEGERS), st.data())
def test_a_quantised_weight_is_off_by_at_most_half_a_step(tensor, precision, data):
    axis = data.draw(st.integers(0, tensor.ndim - 1))
    peaks = peaks_of(tensor, axis)
    received = from_words(to_words(tensor, precision, peaks, axis), precision, peaks, axis)

    q_max = 2 ** (int(precision[3:]) - 1) - 1
    largest = np.abs(np.moveaxis(tensor, axis, 0).reshape(tensor.shape[axis], -1).astype(np.float64)).max(1)
    # float16 rounded up: at most one unit in the 11th place above the largest, 2^-24 where float16 is subnormal
    assert (peaks >= largest).all()
    assert (peaks <= largest * (1 + 2**-10) + 2**-24).all()
    step = peaks.astype(np.float64) / q_max  # [C], against errors with the channels last
    error = np.abs(np.moveaxis(received.astype(np.float64) - tensor, axis, -1))
    float32_rounding = 3 * 2.0**-24 * np.abs(np.moveaxis(received, axis, -1)) + 2.0**-149
    assert (error <= step / 2 + float32_rounding).all()


def test_steps_by_hand():
    tensor = np.array([[1.0, -0.5, 0.25], [0.0, 0.0, 0.0]], np.float32)
    peaks = peaks_of(tensor, 0)
    assert peaks.tolist() == [1.0, 0.0]
    words = to_words(tensor, "int4", peaks, 0)  # steps of 1/7: 7, −3.5 (to even: −4), 1.75
    assert words.tolist() == [[7, -4, 2], [0, 0, 0]]
    assert np.allclose(from_words(words, "int4", peaks, 0), [[1, -4 / 7, 2 / 7], [0, 0, 0]], rtol=1e-6)


def test_two_bits_are_ternary():
    tensor = np.array([[1.0, 0.49, -0.51, -1.0], [0.03, 0.0, -0.01, -0.02]], np.float32)
    peaks = peaks_of(tensor, 0)
    words = to_words(tensor, "int2", peaks, 0)
    assert words.tolist() == [[1, 0, -1, -1], [1, 0, 0, -1]]
    assert np.array_equal(from_words(words, "int2", peaks, 0), words * peaks[:, None].astype(np.float32))


def test_the_channel_axis_keeps_small_channels_exact():
    tensor = np.outer(np.ones(8), [100.0, 0.01]).astype(np.float32)  # two channels on axis 1
    received = {
        a: from_words(to_words(tensor, "int8", p, a), "int8", p, a) for a in (0, 1) for p in [peaks_of(tensor, a)]
    }
    assert (received[0][:, 1] == 0).all()
    assert np.allclose(received[1][:, 1], 0.01, rtol=2**-10)


@given(weights)
def test_float16_rounds_to_nearest_and_float32_is_exact(tensor):
    none = np.empty(0, "<f2")
    assert np.array_equal(from_words(to_words(tensor, "float32", none, 0), "float32", none, 0), tensor)
    halves = from_words(to_words(tensor, "float16", none, 0), "float16", none, 0)
    # unit roundoff 2^-11, half the subnormal spacing 2^-25
    assert (np.abs(halves.astype(np.float64) - tensor) <= np.maximum(2.0**-11 * np.abs(tensor), 2.0**-25)).all()


def test_the_largest_peak_that_float16_holds_passes_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert peaks_of(np.array([[65504.0, 1.0]], np.float32), 0).tolist() == [65504.0]


def test_magnitudes_beyond_float16_are_refused():
    tensor = np.full((2, 2), 1e5, np.float32)
    with pytest.raises(EncodeError, match="got 100000; use float32"):
        to_words(tensor, "float16", np.empty(0, "<f2"), 0)
    with pytest.raises(EncodeError, match="allow up to 65504; use float32"):
        peaks_of(tensor, 0)


@st.composite
def words_of(draw):
    precision = draw(st.sampled_from(PRECISIONS))
    bits = n_bit(precision)
    low = 0 if precision.startswith("float") else -(1 << bits - 1)
    values = draw(st.lists(st.integers(low, low + (1 << bits) - 1), max_size=40))
    return precision, np.array(values, word_dtype(precision))


@given(words_of())
def test_both_layouts_round_trip(drawn):
    precision, words = drawn
    planes, in_bytes = to_planes(words, precision), to_byte_planes(words, precision)
    assert len(planes) == n_bit(precision) * ((len(words) + 7) // 8)
    assert len(in_bytes) == len(words) * -(-n_bit(precision) // 8)
    for back in (from_planes(planes, len(words), precision), from_byte_planes(in_bytes, len(words), precision)):
        assert back.dtype == words.dtype
        assert np.array_equal(back, words)


def test_planes_by_hand():
    # int4 −8 = 1000, 7 = 0111, −1 = 1111: sign bits 101, then 011, 011, 011
    words = np.array([-8, 7, -1], np.int8)
    assert to_planes(words, "int4") == bytes([0b10100000, 0b01100000, 0b01100000, 0b01100000])


def test_byte_planes_by_hand():
    assert to_byte_planes(np.array([0x0102, 0x0304], "<i2"), "int16") == bytes([1, 3, 2, 4])
    # 20 bits take three bytes: 0x51234 as it is, −1 as all ones
    assert to_byte_planes(np.array([0x51234, -1], "<i4"), "int20") == bytes([0x05, 0xFF, 0x12, 0xFF, 0x34, 0xFF])


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_wrong_number_of_bytes_is_refused(precision):
    words = np.arange(9).astype(word_dtype(precision)) % 2
    with pytest.raises(WireError, match="got"):
        from_planes(to_planes(words, precision)[:-1], 9, precision)
    with pytest.raises(WireError, match="got"):
        from_byte_planes(to_byte_planes(words, precision) + b"\0", 9, precision)


def test_bytes_beyond_the_precision_are_refused():
    with pytest.raises(WireError, match=r"got weights -8..8; beyond int4"):
        from_byte_planes(np.array([-8, 8], np.int8).tobytes(), 2, "int4")
    with pytest.raises(WireError, match=r"got weights 0..524288; beyond int20"):
        from_byte_planes(bytes([0x08, 0, 0, 0, 0, 0]), 2, "int20")


@given(weights, st.floats(0, 1, exclude_max=True))
def test_pruning_removes_exactly_the_smallest(tensor, sparsity):
    keep = keep_mask(tensor, sparsity)
    assert np.count_nonzero(~keep) == int(sparsity * tensor.size)
    if (~keep).any():
        assert np.abs(tensor[~keep]).max() <= np.abs(tensor[keep]).min()


def test_among_equals_the_first_go():
    assert keep_mask(np.ones((2, 3)), 0.5).tolist() == [[False, False, False], [True, True, True]]
