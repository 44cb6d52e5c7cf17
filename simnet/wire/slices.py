"""Slices: named bundles of tensors, the unit that propagates.

A slice's tensors are what its *receiver* gets: :func:`make_slice` quantises and prunes, and hands back the
dequantised numbers, so training, measuring and decoding all see the same ones.

The id is the BLAKE2b-128 of the head and the quantised numbers, before compression: equal tensors make equal
ids and equal bytes, and a receiver checks the name by reading the thing.

``protection: none``: :func:`split_raw` gives a header that must arrive whole (it has its own CRC) and a body
of weights in a fixed layout, in which a wrong bit damages one weight and nothing else; :func:`join_raw` reads
what arrived. Unequal protection moves the high bits, or all bits, of chosen tensors from the body to the header
(:mod:`simnet.wire.protect`).

Importing this needs neither msgpack nor zstandard; making and reading slices does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simnet.core.errors import UnknownName
from simnet.wire.checks import MAX_NAME_CHAR, blob, items
from simnet.wire.content import Content, pack_tensors, per_word, read_head, read_payload, split_tail
from simnet.wire.errors import EncodeError, WireError
from simnet.wire.frames import decode_frame, encode_frame
from simnet.wire.ids import ID_BYTE, id_bytes, is_id
from simnet.wire.kinds import Kind
from simnet.wire.layout import MAX_DIMENSION, MAX_ELEMENT, MAX_REQUIRED, MAX_TENSOR, ROLES, Head, Role
from simnet.wire.precision import PRECISIONS, Precision, from_planes, n_bit
from simnet.wire.protect import Counts, join_planes, protected_bits, split_planes

__all__ = [
    "PRECISIONS", "ROLES", "Precision", "Role", "Slice",
    "join_raw", "make_slice", "read_slice", "split_raw",
]  # fmt: skip


@dataclass(frozen=True)
class Slice:
    """A named bundle of tensors with its bytes. Two slices are equal if their ids and payloads are.

    Attributes:
        name: e.g. ``"aesc/digits_z40/decoder"``.
        role: which part of a system it is.
        version: of the weights, 0 and up.
        precision: of the weights.
        requires: ids of the slices without which it is useless, sorted.
        tensors: name -> array as the receiver gets it, read-only: float32, or integers in their own dtype.
        payload: the framed bytes that travel; of a damaged slice the header and body that arrived.
        id: 32 hex digits, the content's hash; ``"<clean id>+<transfer>"`` of one that arrived damaged.
    """

    name: str = field(compare=False)
    role: Role = field(compare=False)
    version: int = field(compare=False)
    precision: Precision = field(compare=False)
    requires: tuple[str, ...] = field(compare=False)
    tensors: Mapping[str, NDArray[Any]] = field(compare=False, repr=False)
    payload: bytes = field(repr=False)
    id: str

    @cached_property
    def n_byte(self) -> int:
        return len(self.payload)

    @property
    def weight_names(self) -> tuple[str, ...]:
        """Names of the tensors that have the precision; the others travel whole."""
        return tuple(name for name, t in self.tensors.items() if t.dtype.kind == "f" and t.ndim >= 2)

    @cached_property
    def damaged(self) -> bool:
        """Some weights arrived wrong, so it must not be offered to others."""
        return not is_id(self.id)


def make_slice(
    name: str,
    role: Role,
    tensors: Mapping[str, NDArray[Any]],
    *,
    precision: Precision,
    version: int = 1,
    requires: tuple[str, ...] = (),
    sparsity: float = 0.0,
    channel_axis: Mapping[str, int] | None = None,
) -> Slice:
    """Quantise, prune and pack tensors; the same arguments always make the same bytes.

    Float tensors of two or more dimensions are weights and get the ``precision``. Those of fewer (biases,
    statistics of norms, quantiser centres) travel whole: as float32 at precision float32, else as float16 if
    that holds them, else as float32. (On AESC-I's MNIST decoder float16 costs 97 bytes of 7.6 kB more than
    int8 would, and its biases are then off by 1/2048 of their own size, instead of 1/254 of the largest's.)

    Args:
        tensors: name -> finite float array, or array of 8- to 64-bit integers, which stays exact.
        requires: ids of the slices without which this one is useless.
        sparsity: share, in [0, 1), of each weight tensor's smallest magnitudes that is set to zero. They are
            left out, and a bitmap says where, if that is shorter before compression: sparsity × bits > 1.
        channel_axis: name -> the axis that gets one quantiser per index; 0 where not named. Transposed
            convolutions want 1.

    Raises:
        EncodeError: a wrong argument; says which.
    """
    axes = channel_axis or {}
    _check(name, role, precision, version, requires, sparsity, tensors, axes)
    head = Head(name, role, version, precision, tuple(sorted(set(requires))), False, ())
    content = pack_tensors(head, tensors, sparsity=sparsity, channel_axis=axes)
    return slice_of(content, content.payload(), content.id())


def read_slice(payload: bytes) -> Slice:
    """The slice that a payload holds, exactly as :func:`make_slice` gave it.

    Raises:
        WireError: the bytes are no slice.
    """
    content = read_payload(payload)
    return slice_of(content, payload, content.id())


def split_raw(slice_: Slice, *, layers: Sequence[str] = (), high_bits: int | None = None) -> tuple[bytes, bytes]:
    """Header and body for ``protection: none``.

    Args:
        layers: globs of the names of weight tensors that are protected: these travel in the header.
        high_bits: how many of their bits, counted from the sign; None: all.

    Returns:
        The header, a frame of its own: shapes, peaks, 1-D tensors, integer tables, bitmap, id, and what is protected
        of the weights. And the body: the other weights as bit planes, highest (sign) bits first, each plane padded to
        a byte; no compression.

    Raises:
        EncodeError: the slice is damaged itself, or its weights have fewer bits.
    """
    if slice_.damaged:
        raise EncodeError(f"slice {slice_.id}: arrived damaged and is not sent on; fetch a clean copy first")
    content = read_payload(slice_.payload)
    head, tail, body = content.head, content.side + content.bitmap, content.planes()
    counts = protected_bits(head, layers, high_bits)
    protects: list[bytes] = []
    if counts.any():
        protected, body = split_planes(body, per_word(head, content.bitmap, counts))
        protects, tail = [counts.tobytes()], tail + protected
    header = encode_frame(
        Kind.SLICE_HEADER, [id_bytes(slice_.id), head.to_list(), *protects], tail, n_element=head.n_element
    )
    return header, body


def join_raw(header: bytes, body: bytes, *, transfer: str) -> Slice:
    """What arrived of a slice that was sent in two parts.

    Args:
        header: as :func:`split_raw` made it.
        body: as long as it was sent; bits may be wrong.
        transfer: name of this transfer, no two alike.

    Returns:
        The clean slice if no weight is wrong. Else one whose tensors come from the wrong weights and whose id
        ends in ``"+<transfer>"``; float weights that became NaN or infinite are 0, since a receiver can see
        that they are wrong.

    Raises:
        WireError: the header is damaged, or the body's length is not what it says.
    """
    frame = decode_frame(header)
    if frame.kind != Kind.SLICE_HEADER:
        raise WireError(f"slice: got a frame of kind {frame.kind}; allowed a header ({Kind.SLICE_HEADER:d})")
    raw_id, raw_head, *protects = items(frame.head, 2, 3)
    clean_id = blob(raw_id, ID_BYTE, ID_BYTE).hex()
    head = read_head(raw_head, len(header) + len(body))
    side, bitmap, n_word, rest = split_tail(head, frame.tail)
    if protects:
        planes = join_planes(rest, body, per_word(head, bitmap, _counts(protects[0], head)), n_bit(head.precision))
    elif rest:
        raise WireError(f"slice: {len(rest)} bytes too many in its header")
    else:
        planes = body
    content = Content(head, side, bitmap, from_planes(planes, n_word, head.precision))
    if content.id() == clean_id:
        return slice_of(content, content.payload(), clean_id)
    return slice_of(content, header + body, f"{clean_id}+{transfer}", mend=True)


def _counts(raw: Any, head: Head) -> Counts:
    """Protected bits per weight tensor, as a header says."""
    n_tensor, most = len(head.weight_names), n_bit(head.precision)
    counts = np.frombuffer(blob(raw, n_tensor, n_tensor), np.uint8)
    if counts.max(initial=0) > most:
        raise WireError(f"slice: got {counts.max()} protected bits; {head.precision} has 0..{most}")
    return counts


def slice_of(content: Content, payload: bytes, slice_id: str, *, mend: bool = False) -> Slice:
    """A slice of these parts. Weights that are NaN or infinite become 0 if ``mend``, else raise WireError."""
    head = content.head
    tensors = content.tensors(mend=mend)
    return Slice(head.name, head.role, head.version, head.precision, head.requires, tensors, payload, slice_id)


def _check(
    name: str,
    role: str,
    precision: str,
    version: int,
    requires: tuple[str, ...],
    sparsity: float,
    tensors: Mapping[str, NDArray[Any]],
    axes: Mapping[str, int],
) -> None:
    if role not in ROLES:
        raise UnknownName("slice role", role, ROLES)
    if precision not in PRECISIONS:
        raise UnknownName("slice precision", precision, PRECISIONS)
    wrong = [
        *(
            f"name of {len(n)} characters; allowed 1..{MAX_NAME_CHAR}"
            for n in (name, *tensors)
            if not 1 <= len(n) <= MAX_NAME_CHAR
        ),
        *(f"required id {i!r}; allowed 32 hex digits, of a clean slice" for i in requires if not is_id(i)),
        *(f"channel_axis of {n!r}; there is no such tensor" for n in axes if n not in tensors),
        *(
            f"tensor {n!r} of {t.ndim} dimensions; allowed {MAX_DIMENSION}"
            for n, t in tensors.items()
            if t.ndim > MAX_DIMENSION
        ),
    ]
    if not 0 <= version < 2**32:
        wrong.append(f"version {version}; allowed 0..{2**32 - 1}")
    if not 0 <= sparsity < 1:
        wrong.append(f"sparsity {sparsity}; allowed [0, 1)")
    if len(tensors) > MAX_TENSOR or len(requires) > MAX_REQUIRED:
        wrong.append(f"{len(tensors)} tensors, {len(requires)} ids required; allowed {MAX_TENSOR} and {MAX_REQUIRED}")
    n_element = sum(math.prod(t.shape) for t in tensors.values())
    if n_element > MAX_ELEMENT:
        wrong.append(f"{n_element} elements; allowed {MAX_ELEMENT}")
    if wrong:
        raise EncodeError(f"slice {name[:40]!r}: got " + "; ".join(wrong))
