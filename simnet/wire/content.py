"""A slice between its tensors and its bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simnet.wire.errors import EncodeError, WireError
from simnet.wire.frames import decode_frame, encode_frame, most_expanded, pack_head
from simnet.wire.ids import ID_BYTE
from simnet.wire.kinds import Kind
from simnet.wire.layout import SIDE_DTYPES, Entry, Head
from simnet.wire.precision import (
    Precision,
    from_byte_planes,
    from_planes,
    from_words,
    is_float,
    n_bit,
    peaks_of,
    to_byte_planes,
    to_planes,
    to_words,
    word_dtype,
)
from simnet.wire.pruning import keep_mask


@dataclass(frozen=True)
class Content:
    """The parts that :mod:`simnet.wire.layout` names; ``words`` are the weights that stay, flat."""

    head: Head
    side: bytes
    bitmap: bytes
    words: NDArray[Any]

    def id(self) -> str:
        """Hash of the parts: the same however the words are laid out and compressed."""
        digest = hashlib.blake2b(digest_size=ID_BYTE)
        for part in (pack_head(self.head.to_list()), self.side, self.bitmap, self.words.tobytes()):
            digest.update(part)
        return digest.hexdigest()

    def payload(self) -> bytes:
        """The shorter frame of two: bit planes (packed tight), or whole bytes (which compress)."""
        head, protected = self.head.to_list(), self.side + self.bitmap
        layouts = {Kind.SLICE_PLANES: self.planes(), Kind.SLICE_BYTES: to_byte_planes(self.words, self.head.precision)}
        n_element = self.head.n_element
        frames = (encode_frame(kind, head, protected + body, n_element=n_element) for kind, body in layouts.items())
        return min(frames, key=len)

    def planes(self) -> bytes:
        """The words in the raw layout."""
        return to_planes(self.words, self.head.precision)

    def tensors(self, *, mend: bool) -> dict[str, NDArray[Any]]:
        """What the receiver gets, read-only. Weights that are NaN or infinite become 0 if ``mend``.

        Raises:
            WireError: NaN or infinite numbers, where they are not to be mended: no slice is made with them.
        """
        words = self._all_words()
        tensors: dict[str, NDArray[Any]] = {}
        side_at = word_at = 0
        for entry in self.head.entries:
            side = self.side[side_at : side_at + entry.side_byte(self.head.precision)]
            side_at += len(side)
            if isinstance(entry.kind, str):
                whole = np.frombuffer(side, entry.kind).reshape(entry.shape)
                tensor = _finite(whole.astype("<f4"), entry.name) if whole.dtype.kind == "f" else whole.copy()
            else:
                peaks = _finite(np.frombuffer(side, "<f2"), entry.name)
                part = words[word_at : word_at + entry.n_element].reshape(entry.shape)
                word_at += entry.n_element
                tensor = from_words(part, self.head.precision, peaks, entry.kind)
                tensor = np.nan_to_num(tensor, nan=0, posinf=0, neginf=0) if mend else _finite(tensor, entry.name)
            tensor.setflags(write=False)
            tensors[entry.name] = tensor
        return tensors

    def _all_words(self) -> NDArray[Any]:
        if not self.head.pruned:
            return self.words
        words = np.zeros(self.head.n_weight, self.words.dtype)
        words[_unpack_bitmap(self.bitmap, self.head.n_weight)] = self.words
        return words


def pack_tensors(
    head: Head, tensors: Mapping[str, NDArray[Any]], *, sparsity: float, channel_axis: Mapping[str, int]
) -> Content:
    """Quantise and prune; ``head`` comes without its entries.

    Raises:
        EncodeError: a tensor that cannot be sent; says which.
    """
    entries: list[Entry] = []
    side: list[bytes] = []
    words: list[NDArray[Any]] = [np.empty(0, word_dtype(head.precision))]
    stays: list[NDArray[np.bool_]] = [np.empty(0, bool)]
    for name in sorted(tensors):
        array = np.asarray(tensors[name])
        if array.dtype.kind != "f" or array.ndim < 2:
            whole = _whole(name, array, head.precision)
            entries.append(Entry(name, whole.dtype.str, whole.shape))
            side.append(whole.tobytes())
            continue
        axis = channel_axis.get(name, 0)
        if not 0 <= axis < array.ndim:
            raise EncodeError(f"slice {head.name!r}: channel_axis of {name!r}: got {axis}; allowed 0..{array.ndim - 1}")
        tensor = _float32(name, array)
        stay = keep_mask(tensor, sparsity)
        tensor = np.where(stay, tensor, np.float32(0))
        try:
            peaks = np.empty(0, "<f2") if is_float(head.precision) else peaks_of(tensor, axis)
            words.append(to_words(tensor, head.precision, peaks, axis).ravel())
        except EncodeError as error:
            raise EncodeError(f"slice {head.name!r}: tensor {name!r}: {error}") from None
        entries.append(Entry(name, axis, tensor.shape))
        side.append(peaks.tobytes())
        stays.append(stay.ravel())

    all_words, stay = np.concatenate(words), np.concatenate(stays)
    pruned = sparsity * n_bit(head.precision) > 1  # else the bitmap is longer than what it saves
    head = Head(head.name, head.role, head.version, head.precision, head.requires, pruned, tuple(entries))
    if not pruned:
        return Content(head, b"".join(side), b"", all_words)
    return Content(head, b"".join(side), np.packbits(stay).tobytes(), all_words[stay])


def read_payload(payload: bytes) -> Content:
    """The parts of a slice's frame.

    Raises:
        WireError: no frame of a slice, or parts that do not fit the head.
    """
    frame = decode_frame(payload)
    if frame.kind not in (Kind.SLICE_PLANES, Kind.SLICE_BYTES):
        raise WireError(
            f"slice: got a frame of kind {frame.kind}; allowed {Kind.SLICE_PLANES:d} or {Kind.SLICE_BYTES:d}"
        )
    head = read_head(frame.head, len(payload))
    side, bitmap, n_word, body = split_tail(head, frame.tail)
    read_words = from_planes if frame.kind == Kind.SLICE_PLANES else from_byte_planes
    return Content(head, side, bitmap, read_words(body, n_word, head.precision))


def read_head(raw: Any, n_byte: int) -> Head:
    """The head of a slice that came in ``n_byte`` bytes.

    Raises:
        WireError: not a head, or one that declares more numbers than so many bytes can hold.
    """
    head = Head.from_list(raw)
    if head.n_element > most_expanded(n_byte):
        raise WireError(f"slice: {n_byte} bytes declare {head.n_element} elements; allowed {most_expanded(n_byte)}")
    return head


def split_tail(head: Head, tail: bytes) -> tuple[bytes, bytes, int, bytes]:
    """Side, bitmap, number of words that stay, and the rest.

    Raises:
        WireError: the tail is too short, or the bitmap's unused bits are set.
    """
    body_at = head.side_byte + head.bitmap_byte
    if len(tail) < body_at:
        raise WireError(f"slice: got {len(tail)} bytes after the head; its peaks, tables and bitmap take {body_at}")
    bitmap = tail[head.side_byte : body_at]
    n_word = head.n_weight
    if head.pruned:
        stays = _unpack_bitmap(bitmap, head.n_weight)
        n_word = int(np.count_nonzero(stays))
        if np.packbits(stays).tobytes() != bitmap:
            raise WireError("slice: bits beyond the end of the pruning bitmap are set")
    return tail[: head.side_byte], bitmap, n_word, tail[body_at:]


def per_word(head: Head, bitmap: bytes, per_tensor: NDArray[Any]) -> NDArray[Any]:
    """[n_word]: of each word that stays what its weight tensor has in ``per_tensor``, in the head's order."""
    sizes = np.array([entry.n_element for entry in head.entries if isinstance(entry.kind, int)], np.int64)
    of_all: NDArray[Any] = np.repeat(per_tensor, sizes)
    return of_all[_unpack_bitmap(bitmap, head.n_weight)] if head.pruned else of_all


def stays_of(head: Head, bitmap: bytes) -> NDArray[np.bool_]:
    """[n_weight]: which weights stay."""
    return _unpack_bitmap(bitmap, head.n_weight) if head.pruned else np.ones(head.n_weight, bool)


def _unpack_bitmap(bitmap: bytes, n_weight: int) -> NDArray[np.bool_]:
    return np.unpackbits(np.frombuffer(bitmap, np.uint8), count=n_weight).view(bool)


def _whole(name: str, array: NDArray[Any], precision: Precision) -> NDArray[Any]:
    """A tensor as it lies in the side: integers exact, few floats as float16, which
    keeps 11 bits of what lies between 6e-5 and 65504 and fewer of what is smaller, unless one is larger."""
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(array.shape)
    if little.dtype.kind in "iu" and little.dtype.str in SIDE_DTYPES:
        return little
    if little.dtype.kind != "f":
        raise EncodeError(f"tensor {name!r}: got dtype {array.dtype}; allowed float, or integers of 8 to 64 bits")
    tensor = _float32(name, little)
    if precision == "float32" or np.abs(tensor).max(initial=0.0) > np.finfo(np.float16).max:
        return tensor
    return tensor.astype("<f2")


def _float32(name: str, array: NDArray[Any]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        tensor = array.astype("<f4")
    if not np.isfinite(tensor).all():
        raise EncodeError(f"tensor {name!r}: got NaN, infinity or numbers beyond float32; did training diverge?")
    return tensor


def _finite(array: NDArray[Any], name: str) -> NDArray[Any]:
    if not np.isfinite(array).all():
        raise WireError(f"slice: tensor {name[:40]!r} holds NaN or infinity")
    return array
