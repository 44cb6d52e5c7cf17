"""A slice's message before anybody reads its bytes."""

from __future__ import annotations

from functools import cache

from simnet.wire.frames import MAX_FRAME_BYTE
from simnet.wire.ids import ID_BYTE
from simnet.wire.messages import SliceData, encode_message
from simnet.wire.slices import Slice


class SliceFrame:
    """A clean slice as a SLICE_DATA message that names no request: ``bytes`` in all that links ask of a frame.

    Its length is known at once; its bytes are made when a link reads them, and kept. Wires read none, so that a
    catalogue of thousands that only crosses wires takes no memory.

    Raises:
        EncodeError: the message would be longer than a frame may be.
    """

    __slots__ = ("_bytes", "_n_byte", "_slice")

    def __init__(self, slice_: Slice) -> None:
        self._slice = slice_
        self._bytes: bytes | None = None
        self._n_byte = _around_byte() + slice_.n_byte
        if self._n_byte > MAX_FRAME_BYTE:
            self.made()

    def __len__(self) -> int:
        return self._n_byte

    def __getitem__(self, part: slice) -> bytes:
        return self.made()[part]

    def made(self) -> bytes:
        """The bytes themselves."""
        if self._bytes is None:
            self._bytes = encode_message(SliceData(0, self._slice.id, self._slice.payload))
        return self._bytes


@cache
def _around_byte() -> int:
    """What the message adds to a payload: ids are all of one length, and what is a frame already isn't compressed."""
    return len(encode_message(SliceData(0, "00" * ID_BYTE, b"")))
