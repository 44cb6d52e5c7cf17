"""Slices of noise: they cost on the wire what real ones of their size cost."""

from __future__ import annotations

import numpy as np
import pytest

from simnet.wire.ids import is_id
from simnet.wire.messages import SliceData, decode_message, encode_message
from simnet.wire.slices import make_slice
from simnet.wire.stand_in import StandIn


def test_a_message_with_a_stand_in_is_as_long_as_one_with_a_real_slice_of_its_size() -> None:
    weights = np.random.default_rng(1).normal(size=(64, 90))
    real = make_slice("real", "decoder", {"w": weights}, precision="int8")
    stand_in = StandIn("real", "decoder", real.n_byte)
    messages = [encode_message(SliceData(0, s.id, s.payload)) for s in (real, stand_in)]
    assert len(messages[0]) == len(messages[1]) > 5000
    arrived = decode_message(messages[1])
    assert isinstance(arrived, SliceData) and arrived.body == stand_in.payload


def test_equal_content_equal_id_equal_bytes() -> None:
    first, again = StandIn("a", "decoder", 100), StandIn("a", "decoder", 100)
    assert first == again and hash(first) == hash(again)
    assert first.payload == again.payload and len(first.payload) == first.n_byte == 100
    assert is_id(first.id) and not first.damaged
    others = [StandIn("b", "decoder", 100), StandIn("a", "decoder", 101), StandIn("a", "decoder", 100, (first.id,))]
    assert len({first.id, *(other.id for other in others)}) == 4
    assert len({first.payload, *(other.payload for other in others)}) == 4
    assert all(other != first for other in others)


def test_nothing_has_no_size() -> None:
    with pytest.raises(ValueError, match="slice 'a': got 0 bytes; allowed: >= 1"):
        StandIn("a", "decoder", 0)
