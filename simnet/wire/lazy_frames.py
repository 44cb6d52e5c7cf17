"""Messages before anybody reads their bytes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cache

from simnet.wire.frames import LEAST_COMPRESSED_BYTE, MAX_FRAME_BYTE
from simnet.wire.ids import ID_BYTE
from simnet.wire.messages import SliceData, SliceRequest, encode_message
from simnet.wire.slices import Slice

_SOME_ID = "00" * ID_BYTE


class LazyFrame(ABC):
    """``bytes`` in all that links ask of a frame.

    Its length is known at once; its bytes are made when a link reads them, and kept. Wires read none, so that what
    only crosses wires takes neither memory nor time.
    """

    __slots__ = ("_bytes", "_n_byte")

    def __init__(self, n_byte: int) -> None:
        self._bytes: bytes | None = None
        self._n_byte = n_byte

    def __len__(self) -> int:
        return self._n_byte

    def __getitem__(self, part: slice) -> bytes:
        return self.made()[part]

    def made(self) -> bytes:
        """The bytes themselves."""
        if self._bytes is None:
            self._bytes = self._encoded()
        return self._bytes

    @abstractmethod
    def _encoded(self) -> bytes: ...


class SliceFrame(LazyFrame):
    """A clean slice as a SLICE_DATA message that names no request.

    Raises:
        EncodeError: the message would be longer than a frame may be.
    """

    __slots__ = ("_slice",)

    def __init__(self, slice_: Slice) -> None:
        super().__init__(_around_slice_byte() + slice_.n_byte)
        self._slice = slice_
        if len(self) > MAX_FRAME_BYTE:
            self.made()

    def _encoded(self) -> bytes:
        return encode_message(SliceData(0, self._slice.id, self._slice.payload))


class SliceRequestFrame(LazyFrame):
    """A SLICE_REQUEST for one slice."""

    __slots__ = ("_index", "_slice_id")

    def __init__(self, index: int, slice_id: str) -> None:
        super().__init__(_slice_request_byte(index.bit_length()))
        self._index = index
        self._slice_id = slice_id

    def _encoded(self) -> bytes:
        return encode_message(SliceRequest(self._index, (self._slice_id,)))


@cache
def _around_slice_byte() -> int:
    """What the message adds to a payload: ids are all of one length, and what is a frame already isn't compressed."""
    return len(encode_message(SliceData(0, _SOME_ID, b"")))


@cache
def _slice_request_byte(n_bit: int) -> int:
    """Of a request for one slice, whose index has so many bits: too short to be compressed, whatever the id."""
    n_byte = len(encode_message(SliceRequest((1 << n_bit) - 1, (_SOME_ID,))))
    assert n_byte < LEAST_COMPRESSED_BYTE
    return n_byte
