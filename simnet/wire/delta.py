"""Deltas: a slice as what has changed since another one of which the receiver holds a clean copy.

::

    head        ids of the old and the new slice, layout, which weight tensors changed, and the new slice's head, with
                nil for what is as in the old one's
    side        the new side; where an entry is as before, its bytes minus the old ones, mod 256
    bitmap      if the new slice is pruned: what stays, XOR what stays in the old one
    words       of the changed tensors, those that stay: the new words minus predicted ones, mod 2^bits

A word is predicted by the old tensor of that name and shape: its numbers, quantised with the new precision and peaks;
0 where there is none. So precision, peaks, pruning and shapes may differ; the delta only grows. The words travel as
bit planes of magnitudes (zigzag), whose high planes are empty where little changed, or as whole bytes, whichever
compresses better.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simnet.wire.checks import blob, integer, items
from simnet.wire.content import Content, per_word, read_payload, split_tail, stays_of
from simnet.wire.errors import EncodeError, WireError
from simnet.wire.frames import decode_frame, encode_frame, most_expanded
from simnet.wire.ids import ID_BYTE, id_bytes
from simnet.wire.kinds import Kind
from simnet.wire.layout import Entry, Head
from simnet.wire.precision import (
    Precision,
    from_byte_planes,
    from_planes,
    is_float,
    n_bit,
    to_byte_planes,
    to_planes,
    to_words,
    word_dtype,
)
from simnet.wire.slices import Slice, slice_of

PLANES, BYTES = 0, 1
"""Layouts of the words."""
Words = NDArray[Any]


def make_delta(old: Slice, new: Slice) -> bytes:
    """The frame of which :func:`apply_delta` makes the new slice for who holds the old one.

    Whether it is shorter than the new slice's payload, the caller sees.

    Raises:
        EncodeError: one of them arrived damaged, or has no bytes of its own, or the new one is so much larger than
            both the old one and the delta that a receiver would refuse it.
    """
    before, after = _content(old), _content(new)
    head = after.head
    changes = _minus(after.words, _predicted(head, after.side, after.bitmap, old), head.precision)
    of_tensor = per_word(head, after.bitmap, np.arange(len(head.weight_names)))
    changed = np.bincount(of_tensor[changes != 0], minlength=len(head.weight_names)) > 0
    changes = changes[changed[of_tensor]]
    fields = [None if new_field == old_field else new_field
              for new_field, old_field in zip(head.to_list(), before.head.to_list(), strict=True)]  # fmt: skip
    tail = _minus_bytes(after.side, _old_side(head, before)) + _xor(after.bitmap, _old_bitmap(head, before))
    bodies = (to_planes(_zigzag(changes, head.precision), head.precision), to_byte_planes(changes, head.precision))
    flags = np.packbits(changed).tobytes()
    frames = (
        encode_frame(Kind.SLICE_DELTA, [id_bytes(old.id), id_bytes(new.id), layout, flags, fields], tail + body)
        for layout, body in enumerate(bodies)
    )
    delta = min(frames, key=len)
    if head.n_element > _most_element(old, delta):
        raise EncodeError(f"delta of {len(delta)} bytes for {head.n_element} elements; send slice {new.name!r} whole")
    return delta


def apply_delta(old: Slice, payload: bytes) -> Slice:
    """The new slice, as :func:`simnet.wire.slices.make_slice` made it: same id, same bytes.

    Raises:
        WireError: no delta, or not one to this slice.
    """
    frame = decode_frame(payload)
    if frame.kind != Kind.SLICE_DELTA:
        raise WireError(f"delta: got a frame of kind {frame.kind}; allowed {Kind.SLICE_DELTA:d}")
    raw_old, raw_new, layout, flags, fields = items(frame.head, 5, 5)
    old_id, new_id = blob(raw_old, ID_BYTE, ID_BYTE).hex(), blob(raw_new, ID_BYTE, ID_BYTE).hex()
    if old.id != old_id:
        raise WireError(f"delta: it is to slice {old_id}, got {old.id}; ask for the whole slice")
    try:
        before = _content(old)
    except EncodeError as error:
        raise WireError(f"delta: {error}") from error
    as_before = zip(items(fields, 7, 7), before.head.to_list(), strict=True)
    head = Head.from_list([old_field if field is None else field for field, old_field in as_before])
    if head.n_element > _most_element(old, payload):
        raise WireError(f"delta: declares {head.n_element} elements; allowed {_most_element(old, payload)}")
    at = head.side_byte
    side = _plus_bytes(frame.tail[:at], _old_side(head, before))
    bitmap = _xor(frame.tail[at : at + head.bitmap_byte], _old_bitmap(head, before))
    side, bitmap, _, body = split_tail(head, side + bitmap + frame.tail[at + head.bitmap_byte :])
    n_tensor = len(head.weight_names)
    raw_flags = np.frombuffer(blob(flags, (n_tensor + 7) // 8, (n_tensor + 7) // 8), np.uint8)
    is_changed = per_word(head, bitmap, np.unpackbits(raw_flags, count=n_tensor).view(bool))
    words = _predicted(head, side, bitmap, old)
    changes = _read_changes(layout, body, int(np.count_nonzero(is_changed)), head.precision)
    words[is_changed] = _plus(words[is_changed], changes, head.precision)
    content = Content(head, side, bitmap, words)
    if content.id() != new_id:
        raise WireError(f"delta: it makes slice {content.id()}, not {new_id} as it says")
    try:
        return slice_of(content, content.payload(), new_id)
    except EncodeError as error:
        raise WireError(f"delta: {error}") from error


def _content(slice_: Slice) -> Content:
    if slice_.damaged:
        raise EncodeError(f"slice {slice_.id}: arrived damaged; a delta needs clean ones")
    try:
        return read_payload(slice_.payload)
    except WireError as error:
        raise EncodeError(f"slice {slice_.name!r}: no delta without bytes that can be read: {error}") from error


def _most_element(old: Slice, delta: bytes) -> int:
    return most_expanded(old.n_byte + len(delta))


def _read_changes(layout: Any, body: bytes, n_word: int, precision: Precision) -> Words:
    if integer(layout, PLANES, BYTES) == PLANES:
        return _unzigzag(from_planes(body, n_word, precision), precision)
    return from_byte_planes(body, n_word, precision)


# ---------------------------------------------------------------------- what the old slice lets expect


def _predicted(head: Head, side: bytes, bitmap: bytes, old: Slice) -> Words:
    """Words that the new slice would have if no number had changed, of those that stay."""
    words = np.zeros(head.n_weight, word_dtype(head.precision))
    at = 0
    for entry, part in _sides(head, side):
        if isinstance(entry.kind, str):
            continue
        tensor = old.tensors.get(entry.name)
        if tensor is not None and tensor.shape == entry.shape and tensor.dtype == np.float32:
            words[at : at + entry.n_element] = _quantised(tensor, head.precision, part, entry.kind)
        at += entry.n_element
    return words[stays_of(head, bitmap)] if head.pruned else words


def _quantised(tensor: NDArray[np.float32], precision: Precision, side: bytes, axis: int) -> Words:
    """Flat words of numbers that may lie beyond the peaks. Any bytes will do for the peaks."""
    limit: Any = np.finfo(f"f{n_bit(precision) // 8}").max if is_float(precision) else None
    peaks = np.frombuffer(side, "<f2")
    peaks = np.where(np.isfinite(peaks) & (peaks > 0), peaks, np.float16(0))
    if limit is None:
        limit = peaks.astype(np.float32).reshape([-1 if i == axis else 1 for i in range(tensor.ndim)])
    return to_words(np.clip(tensor, -limit, limit), precision, peaks, axis).ravel()


def _old_side(head: Head, before: Content) -> bytes:
    """For each entry of the new side the old one's bytes if it is as before, else zeros."""
    old = dict(_sides(before.head, before.side))
    return b"".join(_fitting(old.get(entry, b""), entry.side_byte(head.precision)) for entry in head.entries)


def _fitting(part: bytes, n_byte: int) -> bytes:
    return part if len(part) == n_byte else bytes(n_byte)


def _old_bitmap(head: Head, before: Content) -> bytes:
    """What stays of the old slice's weights, where tensors are as before; all of the others."""
    if not head.pruned:
        return b""
    old: dict[Entry, NDArray[np.bool_]] = {}
    if before.head.pruned:
        stays, at = stays_of(before.head, before.bitmap), 0
        for entry in before.head.entries:
            if isinstance(entry.kind, int):
                old[entry] = stays[at : at + entry.n_element]
                at += entry.n_element
    stay = np.ones(head.n_weight, bool)
    at = 0
    for entry in head.entries:
        if isinstance(entry.kind, int):
            stay[at : at + entry.n_element] = old.get(entry, True)
            at += entry.n_element
    return np.packbits(stay).tobytes()


def _sides(head: Head, side: bytes) -> Iterator[tuple[Entry, bytes]]:
    """Each entry with its bytes in the side."""
    at = 0
    for entry in head.entries:
        n_byte = entry.side_byte(head.precision)
        yield entry, side[at : at + n_byte]
        at += n_byte


# ---------------------------------------------------------------------- arithmetic mod 2^bits, and mod 256


def _minus(words: Words, others: Words, precision: Precision) -> Words:
    return _wrapped(_unsigned(words) - _unsigned(others), precision)


def _plus(words: Words, others: Words, precision: Precision) -> Words:
    return _wrapped(_unsigned(words) + _unsigned(others), precision)


def _unsigned(words: Words) -> Words:
    return words.view(f"<u{words.itemsize}")


def _wrapped(words: Words, precision: Precision) -> Words:
    """Unsigned integers, mod 2^bits, as words."""
    bits, dtype = n_bit(precision), words.dtype.type
    if bits == 8 * words.itemsize:
        return words.view(word_dtype(precision))
    half, mask = dtype(1 << bits - 1), dtype((1 << bits) - 1)
    wrapped: Words = ((words & mask) ^ half) - half
    return wrapped.view(word_dtype(precision))


def _zigzag(words: Words, precision: Precision) -> Words:
    """0, −1, 1, −2, 2 … become 0, 1, 2, 3, 4 …; the words' numbers taken as signed, of ``bits`` bits."""
    unsigned = _unsigned(words)
    one, top = unsigned.dtype.type(1), unsigned.dtype.type(n_bit(precision) - 1)
    return _wrapped((unsigned << one) ^ (~(unsigned >> top & one) + one), precision)


def _unzigzag(words: Words, precision: Precision) -> Words:
    """The inverse of :func:`_zigzag`."""
    unsigned = _unsigned(words)
    one, mask = unsigned.dtype.type(1), unsigned.dtype.type((1 << n_bit(precision)) - 1)
    unsigned &= mask
    return _wrapped((unsigned >> one) ^ (~(unsigned & one) + one), precision)


def _minus_bytes(part: bytes, other: bytes) -> bytes:
    return (np.frombuffer(part, np.uint8) - np.frombuffer(other, np.uint8)).tobytes()


def _plus_bytes(part: bytes, other: bytes) -> bytes:
    """Part may be too short: then what it lacks is left out."""
    return (np.frombuffer(part, np.uint8) + np.frombuffer(other[: len(part)], np.uint8)).tobytes()


def _xor(part: bytes, other: bytes) -> bytes:
    return (np.frombuffer(part, np.uint8) ^ np.frombuffer(other[: len(part)], np.uint8)).tobytes()
