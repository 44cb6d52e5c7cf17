"""The messages of the request protocol, each with its bytes.

A message is a frame whose head lists its fields in the order in which the class declares them; a ``Blob``
rides in the frame's tail. The annotated types below say how each field looks on the wire and what is allowed
there. Ids of slices are those of clean ones: a slice that arrived damaged has no name by which it could be
offered.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, get_args, get_type_hints

from simnet.core.errors import SimnetError, UnknownName
from simnet.wire.checks import blob, integer, items, number, text
from simnet.wire.errors import EncodeError, WireError
from simnet.wire.frames import decode_frame, encode_frame
from simnet.wire.ids import ID_BYTE, SHORT_ID_BYTE, id_bytes
from simnet.wire.kinds import Kind

MAX_LIST_BYTE = 1 << 16
"""Of ids or of a bitmap in one message: half a million bits."""
MAX_IDS = MAX_LIST_BYTE // ID_BYTE
MAX_SHORT_IDS = MAX_LIST_BYTE // SHORT_ID_BYTE
"""So many ids of slices fit into one message, and so many short ones."""


@dataclass(frozen=True)
class _Form:
    """How a field looks in the head: to msgpack's types and back, both with every check."""

    pack: Callable[[Any], Any]
    unpack: Callable[[Any], Any]


def _cut(raw: Any, size: int) -> tuple[bytes, ...]:
    joined = blob(raw, 0, MAX_LIST_BYTE)
    if len(joined) % size:
        raise WireError(f"message: ids take {size} bytes each, got {len(joined)} in all")
    return tuple(joined[i : i + size] for i in range(0, len(joined), size))


def _join(slice_ids: tuple[str, ...]) -> bytes:
    return blob(b"".join(map(id_bytes, slice_ids)), 0, MAX_LIST_BYTE)


def _join_short(short_ids: tuple[bytes, ...]) -> bytes:
    if any(len(short) != SHORT_ID_BYTE for short in short_ids):
        raise EncodeError(f"message: short ids take {SHORT_ID_BYTE} bytes each")
    return blob(b"".join(short_ids), 0, MAX_LIST_BYTE)


def _pack_reason(reason: str) -> int:
    if reason not in get_args(Reason):
        raise UnknownName("reason", reason, get_args(Reason))
    return get_args(Reason).index(reason)


def _unpack_reason(raw: Any) -> str:
    reasons: tuple[str, ...] = get_args(Reason)
    return reasons[integer(raw, 0, len(reasons) - 1)]


Reason = Literal["no_provider", "no_decoder", "not_held", "rejected_full", "timeout"]
"""Why a request is refused; ``not_held``: the slice was evicted since it was announced."""


def _count(raw: Any) -> int:
    return integer(raw, 0, 2**63 - 1)


def _share(raw: Any) -> float:
    return number(raw, 0.0, 1.0)


def _seconds(raw: Any) -> float:
    return number(raw, 0.0, sys.float_info.max)


def _bitmap(raw: Any) -> bytes:
    return blob(raw, 0, MAX_LIST_BYTE)


Count: TypeAlias = Annotated[int, _Form(_count, _count)]
Share: TypeAlias = Annotated[float, _Form(lambda value: _share(float(value)), _share)]
Seconds: TypeAlias = Annotated[float, _Form(lambda value: _seconds(float(value)), _seconds)]
Name: TypeAlias = Annotated[str, _Form(text, text)]
SliceId: TypeAlias = Annotated[str, _Form(id_bytes, lambda raw: blob(raw, ID_BYTE, ID_BYTE).hex())]
SliceIds: TypeAlias = Annotated[
    tuple[str, ...],
    _Form(_join, lambda raw: tuple(part.hex() for part in _cut(raw, ID_BYTE))),
]
ShortIds: TypeAlias = Annotated[tuple[bytes, ...], _Form(_join_short, lambda raw: _cut(raw, SHORT_ID_BYTE))]
Bitmap: TypeAlias = Annotated[bytes, _Form(_bitmap, _bitmap)]
Why: TypeAlias = Annotated[Reason, _Form(_pack_reason, _unpack_reason)]
Blob: TypeAlias = Annotated[bytes, "tail"]


@dataclass(frozen=True)
class Request:
    """A consumer asks an item's owner for it. ``held``: :func:`simnet.wire.ids.short_id` of what it holds."""

    kind: ClassVar[Kind] = Kind.REQUEST
    request_id: Count
    item_id: Count
    task: Name
    wish_ss: Share
    deadline_s: Seconds
    held: ShortIds


@dataclass(frozen=True)
class Code:
    """The item, encoded. ``codec`` names codec, rate and precision, so that the receiver picks the slices."""

    kind: ClassVar[Kind] = Kind.CODE
    request_id: Count
    codec: Name
    body: Blob


@dataclass(frozen=True)
class SliceData:
    """A slice. ``body`` is its payload, or under ``protection: none`` the header whose raw body follows."""

    kind: ClassVar[Kind] = Kind.SLICE_DATA
    request_id: Count
    slice_id: SliceId
    body: Blob


@dataclass(frozen=True)
class SliceDelta:
    """A slice for who holds another version of it. ``body``: of :func:`simnet.wire.delta.make_delta`, ids and all."""

    kind: ClassVar[Kind] = Kind.SLICE_DELTA_DATA
    request_id: Count
    body: Blob


@dataclass(frozen=True)
class SliceRequest:
    """A node asks a holder for slices."""

    kind: ClassVar[Kind] = Kind.SLICE_REQUEST
    request_id: Count
    slice_ids: SliceIds


@dataclass(frozen=True)
class UpdateRequest:
    """A node asks a holder for slices, or for deltas to them. ``held``: short ids of the other versions it holds."""

    kind: ClassVar[Kind] = Kind.UPDATE_REQUEST
    request_id: Count
    slice_ids: SliceIds
    held: ShortIds


@dataclass(frozen=True)
class SliceRef:
    """Instead of slices: which node to fetch them from."""

    kind: ClassVar[Kind] = Kind.SLICE_REF
    request_id: Count
    slice_ids: SliceIds
    holder: Name


@dataclass(frozen=True)
class Ack:
    """Which blocks of a transfer arrived whole: one bit each, first block in the highest bit; the rest are
    due again."""

    kind: ClassVar[Kind] = Kind.ACK
    transfer_id: Count
    arrived: Bitmap


@dataclass(frozen=True)
class Nack:
    """A request is refused."""

    kind: ClassVar[Kind] = Kind.NACK
    request_id: Count
    reason: Why


@dataclass(frozen=True)
class Publish:
    """To the registry: what a node has stored and evicted since it last said so."""

    kind: ClassVar[Kind] = Kind.PUBLISH
    holder: Name
    stored: SliceIds
    evicted: SliceIds


@dataclass(frozen=True)
class Find:
    """Who holds this slice? To the registry, or to all neighbours while ``hops_left`` is above 0."""

    kind: ClassVar[Kind] = Kind.FIND
    request_id: Count
    slice_id: SliceId
    seeker: Name
    hops_left: Count


@dataclass(frozen=True)
class Found:
    """The answer to :class:`Find`."""

    kind: ClassVar[Kind] = Kind.FOUND
    request_id: Count
    slice_id: SliceId
    holder: Name


@dataclass(frozen=True)
class Enhance:
    """The consumer asks for more of an item whose SS is short of the wish; ``level`` 1 is the first
    enhancement."""

    kind: ClassVar[Kind] = Kind.ENHANCE
    request_id: Count
    level: Count


Message: TypeAlias = (
    Request
    | Code
    | SliceData
    | SliceDelta
    | SliceRequest
    | UpdateRequest
    | SliceRef
    | Ack
    | Nack
    | Publish
    | Find
    | Found
    | Enhance
)


def encode_message(message: Message) -> bytes:
    """The message's bytes.

    Raises:
        EncodeError: a field holds what the wire has no room for.
    """
    kind, head, name = message.kind, [], ""
    packers, tail = _PACKERS[kind]
    try:
        for name, pack in packers:
            head.append(pack(getattr(message, name)))
    except SimnetError as error:
        raise EncodeError(f"{type(message).__name__}.{name}: {error}") from None
    return encode_frame(kind, head, getattr(message, tail) if tail else b"", compress=kind not in _FRAMED)


def decode_message(payload: bytes) -> Message:
    """The message that :func:`encode_message` made these bytes of.

    Raises:
        WireError: the bytes are no message.
    """
    frame = decode_frame(payload)
    if frame.kind not in _CLASSES:
        raise WireError(f"message: got a frame of kind {frame.kind}; allowed {sorted(_CLASSES)}")
    message_class = _CLASSES[frame.kind]
    forms = _FORMS[message_class.kind]
    n_head = sum(isinstance(form, _Form) for _, form in forms)
    head = iter(items(frame.head, n_head, n_head))
    if n_head == len(forms) and frame.tail:
        raise WireError(f"message: {len(frame.tail)} bytes follow the fields of {message_class.__name__}")
    values: dict[str, Any] = {
        name: form.unpack(next(head)) if isinstance(form, _Form) else frame.tail for name, form in forms
    }
    return message_class(**values)


def _forms(message_class: type[Any]) -> list[tuple[str, object]]:
    """Field name and what its annotation says, in order."""
    hints = get_type_hints(message_class, include_extras=True)
    return [(each.name, hints[each.name].__metadata__[0]) for each in fields(message_class)]


_FRAMED = (Kind.SLICE_DATA, Kind.SLICE_DELTA_DATA)
"""Their tails are frames, which can't be compressed again."""
_CLASSES: dict[int, type[Message]] = {int(each.kind): each for each in get_args(Message)}
_FORMS = {each.kind: _forms(each) for each in get_args(Message)}
_PACKERS = {
    kind: (
        [(name, form.pack) for name, form in forms if isinstance(form, _Form)],
        "".join(name for name, form in forms if not isinstance(form, _Form)),
    )
    for kind, forms in _FORMS.items()
}
"""Kind -> what packs each field of the head, and the field that is the tail, if there is one."""
