"""A message has its length before it has its bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simnet.wire.errors import EncodeError
from simnet.wire.frames import MAX_FRAME_BYTE
from simnet.wire.lazy_frames import SliceFrame, SliceRequestFrame
from simnet.wire.messages import SliceData, SliceRequest, encode_message
from simnet.wire.slices import Slice, make_slice
from simnet.wire.stand_in import StandIn

REAL = make_slice("a/b/decoder", "decoder", {"w": np.linspace(-1, 1, 600, dtype=np.float32)}, precision="int8")


@pytest.mark.parametrize("slice_", [REAL, *(StandIn("s", "decoder", n) for n in (1, 15, 127, 128, 5_000, 70_000))])
def test_is_the_message(slice_: Slice) -> None:
    frame, message = SliceFrame(slice_), encode_message(SliceData(0, slice_.id, slice_.payload))
    assert len(frame) == len(message)
    assert frame[:] == frame.made() == message
    assert frame[3:40] == message[3:40]


def test_makes_no_bytes_to_tell_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[StandIn] = []
    monkeypatch.setattr(StandIn, "payload", property(lambda self: asked.append(self) or bytes(self.n_byte)))
    frame = SliceFrame(StandIn("s", "decoder", 1_000))
    assert len(frame) > 1_000
    assert not asked
    assert len(frame[:]) == len(frame)
    assert len(asked) == 1


@given(index=st.integers(0, 2**63 - 1), slice_id=st.binary(min_size=16, max_size=16).map(bytes.hex))
def test_a_request_for_a_slice_is_the_message(index: int, slice_id: str) -> None:
    frame, message = SliceRequestFrame(index, slice_id), encode_message(SliceRequest(index, (slice_id,)))
    assert len(frame) == len(message)
    assert frame[:] == message


@pytest.mark.parametrize("index", [limit + step for limit in (2**7, 2**8, 2**16, 2**32) for step in (-1, 0)])
def test_where_msgpack_s_integers_grow(index: int) -> None:
    assert len(SliceRequestFrame(index, "ab" * 16)) == len(encode_message(SliceRequest(index, ("ab" * 16,))))


def test_longer_than_a_frame_may_be() -> None:
    with pytest.raises(EncodeError, match="allowed"):
        SliceFrame(StandIn("s", "decoder", MAX_FRAME_BYTE))
