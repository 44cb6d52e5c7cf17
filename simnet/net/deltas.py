"""Deltas between slices of one name: what an arm's nodes send in place of whole slices."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from simnet.wire.delta import apply_delta, make_delta
from simnet.wire.errors import EncodeError
from simnet.wire.lazy_frames import SliceFrame
from simnet.wire.messages import SliceDelta, encode_message
from simnet.wire.slices import Slice


@dataclass(frozen=True)
class Delta:
    """From an old slice to a new one.

    Args:
        frame: the message.
        n_byte: of the delta itself, which compares with ``new.n_byte``.
    """

    old: Slice
    new: Slice
    frame: bytes
    n_byte: int


class Deltas:
    """Versions and variants of slices by their names, and the deltas between them, each made once.

    Args:
        slices: all that an arm may send, by id.
        wanted: ``protocol.deltas``; if false, there are none.
    """

    def __init__(self, slices: Mapping[str, Slice], *, wanted: bool) -> None:
        named: dict[str, list[Slice]] = {}
        for slice_ in slices.values() if wanted else ():
            named.setdefault(slice_.name, []).append(slice_)
        self._others = {
            slice_.id: tuple(other for other in group if other is not slice_)
            for group in named.values()
            if len(group) > 1
            for slice_ in group
        }
        self._made: dict[tuple[str, str], Delta | None] = {}

    def others(self, slice_: Slice) -> tuple[Slice, ...]:
        """The other slices of this one's name."""
        return self._others.get(slice_.id, ())

    def best(self, new: Slice, bases: Collection[str]) -> Delta | None:
        """The smallest delta from one of these slices, by id; None if none takes fewer bytes than the new one whole."""
        olds = [old for old in self.others(new) if old.id in bases]
        found = [delta for old in olds if (delta := self._between(old, new)) is not None]
        return min(found, key=lambda delta: delta.n_byte, default=None)

    def _between(self, old: Slice, new: Slice) -> Delta | None:
        key = old.id, new.id
        if key not in self._made:
            self._made[key] = _smaller(old, new)
        return self._made[key]


def _smaller(old: Slice, new: Slice) -> Delta | None:
    """The delta, tried out; None if it doesn't pay."""
    try:
        body = make_delta(old, new)
    except EncodeError:  # slices of which only the size is known
        return None
    frame = encode_message(SliceDelta(0, body))
    if len(frame) >= len(SliceFrame(new)):
        return None
    if apply_delta(old, body) != new:
        raise AssertionError(f"the delta from {old.id} to {new.id} makes another slice: a bug in simnet.wire.delta")
    return Delta(old, new, frame, len(body))
