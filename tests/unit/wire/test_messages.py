"""Messages: round trips of every kind, sizes on the wire, and fields that are refused on either side."""

from __future__ import annotations

from typing import get_args

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from simnet.wire.errors import EncodeError, WireError
from simnet.wire.frames import encode_frame
from simnet.wire.kinds import Kind
from simnet.wire.messages import (
    Ack,
    Code,
    Enhance,
    Find,
    Found,
    Message,
    Nack,
    Publish,
    Reason,
    Request,
    SliceData,
    SliceDelta,
    SliceRef,
    SliceRequest,
    UpdateRequest,
    decode_message,
    encode_message,
)

ID = "0123456789abcdef" * 2

counts = st.integers(0, 2**63 - 1)
names = st.text(max_size=30)
ids = st.binary(min_size=16, max_size=16).map(bytes.hex)
id_lists = st.lists(ids, max_size=5).map(tuple)
short_ids = st.lists(st.binary(min_size=8, max_size=8), max_size=5).map(tuple)
bodies = st.binary(max_size=200)
messages = st.one_of(
    st.builds(Request, counts, counts, names, st.floats(0, 1), st.floats(0, 1e9), short_ids),
    st.builds(Code, counts, names, bodies),
    st.builds(SliceData, counts, ids, bodies),
    st.builds(SliceDelta, counts, bodies),
    st.builds(SliceRequest, counts, id_lists),
    st.builds(UpdateRequest, counts, id_lists, short_ids),
    st.builds(SliceRef, counts, id_lists, names),
    st.builds(Ack, counts, bodies),
    st.builds(Nack, counts, st.sampled_from(get_args(Reason))),
    st.builds(Publish, names, id_lists, id_lists),
    st.builds(Find, counts, ids, names, counts),
    st.builds(Found, counts, ids, names),
    st.builds(Enhance, counts, counts),
)


@settings(max_examples=400)
@given(messages)
def test_round_trip(message):
    payload = encode_message(message)
    assert decode_message(payload) == message
    assert encode_message(decode_message(payload)) == payload


def test_every_kind_of_message_is_one_class():
    kinds = [each.kind for each in get_args(Message)]
    assert sorted(kinds) == [kind for kind in Kind if kind >= Kind.REQUEST]


SIZES = {
    # 8 bytes of frame and array, then: number < 128: 1, text: 1 + length, float: 9, bytes: 2 + length
    Request(1, 100, "recognition", 0.95, 10.0, (b"12345678", b"abcdefgh")): 8 + 1 + 1 + 12 + 9 + 9 + 18,
    Request(1, 100, "recognition", 0.95, 10.0, ()): 8 + 1 + 1 + 12 + 9 + 9 + 2,
    Code(1, "aesc", bytes(range(40))): 8 + 1 + 5 + 40,
    SliceData(1, ID, b""): 8 + 1 + 18,
    SliceDelta(1, b""): 8 + 1,
    SliceRequest(1, (ID,)): 8 + 1 + 18,
    UpdateRequest(1, (ID,), (b"12345678",)): 8 + 1 + 18 + 10,
    SliceRef(1, (ID,), "edge3"): 8 + 1 + 18 + 6,
    Ack(1, b"\xff"): 8 + 1 + 3,
    Nack(1, "no_provider"): 8 + 1 + 1,
    Publish("edge3", (ID,), ()): 8 + 6 + 18 + 2,
    Find(1, ID, "edge3", 4): 8 + 1 + 18 + 6 + 1,
    Found(1, ID, "edge3"): 8 + 1 + 18 + 6,
    Enhance(1, 1): 8 + 1 + 1,
}


@pytest.mark.parametrize("message", SIZES, ids=lambda message: type(message).__name__)
def test_sizes(message):
    assert len(encode_message(message)) == SIZES[message]


REFUSED = {
    r"Request.wish_ss: .* allowed a float 0.0..1.0": Request(1, 1, "t", 1.5, 1.0, ()),
    r"Request.deadline_s: .*got nan": Request(1, 1, "t", 1.0, float("nan"), ()),
    r"Request.task: .*at most 255": Request(1, 1, "t" * 256, 1.0, 1.0, ()),
    r"Request.held: .*short ids take 8 bytes": Request(1, 1, "t", 1.0, 1.0, (b"1234567",)),
    r"Request.request_id: .*got -1": Request(-1, 1, "t", 1.0, 1.0, ()),
    r"Request.item_id: .*allowed an integer": Request(1, 2**63, "t", 1.0, 1.0, ()),
    r"SliceData.slice_id: .*arrived damaged": SliceData(1, ID + "+link3", b""),
    r"SliceRequest.slice_ids: .*allowed 0..65536 bytes": SliceRequest(1, (ID,) * 4097),
    r"Nack.reason: unknown reason: got 'lost'": Nack(1, "lost"),
}


@pytest.mark.parametrize("message", REFUSED)
def test_fields_without_bytes_are_refused(message):
    with pytest.raises(EncodeError, match=message):
        encode_message(REFUSED[message])


HOSTILE = {
    "kind": (encode_frame(99, [1, 1]), "got a frame of kind 99"),
    "slice": (encode_frame(Kind.SLICE_BYTES, []), "got a frame of kind 2"),
    "too few fields": (encode_frame(Kind.NACK, [1]), "list of 2..2"),
    "too many fields": (encode_frame(Kind.NACK, [1, 1, 1]), "list of 2..2"),
    "no list": (encode_frame(Kind.NACK, 5), "list of 2..2"),
    "bytes behind": (encode_frame(Kind.NACK, [1, 1], b"x"), "1 bytes follow the fields of Nack"),
    "reason": (encode_frame(Kind.NACK, [1, 5]), "0..4"),
    "bool for a number": (encode_frame(Kind.NACK, [True, 1]), "allowed an integer"),
    "float for a number": (encode_frame(Kind.NACK, [1.0, 1]), "allowed an integer"),
    "beyond 63 bits": (encode_frame(Kind.NACK, [2**63, 1]), "allowed an integer"),
    "text for bytes": (encode_frame(Kind.ACK, [1, "x"]), "bytes"),
    "bytes for text": (encode_frame(Kind.CODE, [1, b"x"]), "name"),
    "cut id": (encode_frame(Kind.FOUND, [1, bytes(15), "n"]), r"16\.\.16 bytes"),
    "cut ids": (encode_frame(Kind.SLICE_REQUEST, [1, bytes(17)]), "ids take 16 bytes each"),
    "SS of NaN": (encode_frame(Kind.REQUEST, [1, 1, "t", float("nan"), 1.0, b""]), "allowed a float"),
    "deadline for ever": (encode_frame(Kind.REQUEST, [1, 1, "t", 1.0, float("inf"), b""]), "allowed a float"),
    "SS as integer": (encode_frame(Kind.REQUEST, [1, 1, "t", 1, 1.0, b""]), "allowed a float"),
    "nested for a number": (encode_frame(Kind.NACK, [[[[]]], 1]), "got list of 1; allowed an integer"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_messages_are_refused(case):
    payload, message = HOSTILE[case]
    with pytest.raises(WireError, match=message):
        decode_message(payload)
