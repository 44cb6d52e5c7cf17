"""Numbers of a slice at a named precision: real weights <-> integers <-> bytes.

Integer precisions are symmetric: value = q · peak / q_max, q in −q_max..q_max, q_max = 2^(bits−1) − 1. One
peak per output channel: the largest magnitude there, kept as float16 rounded *up*. So nothing is clipped, and
|x − value| ≤ peak / q_max / 2 (plus float32's rounding). int2 is ternary: −peak, 0, peak. float16 and float32 travel
as their bit patterns.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from simnet.wire.errors import EncodeError, WireError

Precision: TypeAlias = Literal["float32", "float16", "int16", "int8", "int6", "int5", "int4", "int20", "int2"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
"""A precision's place here is its number on the wire: new ones come last."""

Array: TypeAlias = NDArray[Any]


def n_bit(precision: Precision) -> int:
    """Bits per weight."""
    return int("".join(filter(str.isdigit, precision)))


def is_float(precision: Precision) -> bool:
    return precision.startswith("float")


def word_dtype(precision: Precision) -> np.dtype[Any]:
    """The smallest numpy integer that holds one weight: bit pattern of a float, or signed integer."""
    kind, n_byte = "u" if is_float(precision) else "i", _n_byte(precision)
    return np.dtype(f"<{kind}{4 if n_byte == 3 else n_byte}")


def peaks_of(tensor: NDArray[np.float32], axis: int) -> NDArray[np.float16]:
    """Largest magnitude per index of ``axis``, [C] float16, rounded up.

    Raises:
        EncodeError: a peak is beyond float16 (65504).
    """
    others = tuple(i for i in range(tensor.ndim) if i != axis)
    exact = np.abs(tensor).max(axis=others, initial=0.0)
    with np.errstate(over="ignore"):
        rounded = exact.astype("<f2")
        peaks = np.where(rounded < exact, np.nextafter(rounded, np.float16(np.inf)), rounded)
    if not np.isfinite(peaks).all():
        raise EncodeError(f"weights: got magnitude {exact.max():g}; integer precisions allow up to 65504; use float32")
    little: NDArray[np.float16] = peaks.astype("<f2")
    return little


def to_words(tensor: NDArray[np.float32], precision: Precision, peaks: Array, axis: int) -> Array:
    """The tensor's weights as words, same shape; ``peaks`` and ``axis`` count for integer precisions only.

    Raises:
        EncodeError: a weight is beyond float16 at precision float16.
    """
    if is_float(precision):
        with np.errstate(over="ignore"):
            as_float = tensor.astype(f"<f{n_bit(precision) // 8}")
        if not np.isfinite(as_float).all():
            raise EncodeError(
                f"weights: float16 allows magnitudes up to 65504, got {np.abs(tensor).max():g}; use float32"
            )
        return as_float.view(word_dtype(precision))
    spread = _along(peaks, axis, tensor.ndim)
    steps = np.divide(
        tensor.astype(np.float64) * q_max(precision), spread, out=np.zeros(tensor.shape), where=spread > 0
    )
    return np.rint(steps).astype(word_dtype(precision))


def from_words(words: Array, precision: Precision, peaks: Array, axis: int) -> NDArray[np.float32]:
    """The weights that the receiver gets, float32, same shape; damaged float words may be NaN or infinite."""
    if is_float(precision):
        with np.errstate(invalid="ignore"):
            return words.view(f"<f{n_bit(precision) // 8}").astype("<f4")
    weights = words.astype("<f4")
    weights *= _along(peaks, axis, words.ndim)  # in place: a slice may have 2^28 weights
    weights /= q_max(precision)
    return weights


def to_planes(words: Array, precision: Precision) -> bytes:
    """Raw layout: bit planes of the flat words, highest bit of all words first, each padded to bytes.

    Also the packing of words under 8 bits. The k highest bits of all weights are the first k/bits of these
    bytes, so protecting them is protecting a prefix.
    """
    bits = n_bit(precision)
    return b"".join(np.packbits((words >> k & 1).astype(np.uint8)).tobytes() for k in reversed(range(bits)))


def from_planes(planes: bytes, n_word: int, precision: Precision) -> Array:
    """The inverse of :func:`to_planes`, flat.

    Raises:
        WireError: there are not exactly as many bytes as ``n_word`` words take.
    """
    bits, plane_byte = n_bit(precision), (n_word + 7) // 8
    if len(planes) != bits * plane_byte:
        raise WireError(f"slice: got {len(planes)} bytes of weights; {n_word} at {precision} take {bits * plane_byte}")
    rows = np.frombuffer(planes, np.uint8).reshape(bits, plane_byte)
    dtype = word_dtype(precision)
    words = np.unpackbits(rows[0], count=n_word).astype(dtype)
    if not is_float(precision):
        words = -words  # the sign bit weighs −2^(bits−1): −1, doubled bits − 1 times
    for row in rows[1:]:
        words <<= 1
        words |= np.unpackbits(row, count=n_word).astype(dtype)
    return words


def to_byte_planes(words: Array, precision: Precision) -> bytes:
    """Layout that compresses best: bytes of the words, all high ones first, then the lower ones."""
    n_byte = _n_byte(precision)
    rows = words.astype(words.dtype.newbyteorder(">")).view(np.uint8).reshape(-1, words.itemsize)
    return rows[:, words.itemsize - n_byte :].T.tobytes()  # int20 lies in int32, whose first byte says only the sign


def from_byte_planes(planes: bytes, n_word: int, precision: Precision) -> Array:
    """The inverse of :func:`to_byte_planes`, flat.

    Raises:
        WireError: wrong length, or a word beyond the precision's bits.
    """
    dtype, n_byte = word_dtype(precision), _n_byte(precision)
    if len(planes) != n_word * n_byte:
        raise WireError(f"slice: got {len(planes)} bytes; {n_word} weights at {precision} take {n_word * n_byte}")
    in_words = np.zeros((n_word, dtype.itemsize), np.uint8)  # low bytes last, so that high ones come from the sign
    in_words[:, :n_byte] = np.frombuffer(planes, np.uint8).reshape(n_byte, n_word).T
    words = in_words.view(dtype.newbyteorder(">")).reshape(n_word).astype(dtype) >> 8 * (dtype.itemsize - n_byte)
    if (
        not is_float(precision)
        and n_word
        and not -q_max(precision) - 1 <= words.min() <= words.max() <= q_max(precision)
    ):
        raise WireError(f"slice: got weights {words.min()}..{words.max()}; beyond {precision}")
    return words


def _n_byte(precision: Precision) -> int:
    """Whole bytes that one weight takes."""
    return (n_bit(precision) + 7) // 8


def q_max(precision: Precision) -> int:
    """The largest integer that stands for a weight."""
    return (1 << n_bit(precision) - 1) - 1


def _along(peaks: Array, axis: int, n_dim: int) -> NDArray[np.float32]:
    """[C] as float32, shaped to broadcast along ``axis`` of an array of ``n_dim`` dimensions."""
    return peaks.astype(np.float32).reshape([-1 if i == axis else 1 for i in range(n_dim)])
