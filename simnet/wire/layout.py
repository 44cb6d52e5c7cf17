"""The parts of a slice on the wire: what the head says, and how long that makes each part of the tail.

::

    head        name, role, version, precision, ids required, whether pruned, and one entry per tensor
    side        what is small and must arrive whole: channels' peaks, 1-D tensors, integer tables
    bitmap      if pruned: one bit per weight, set where it stays; all tensors flat, one after another
    words       the weights that stay, at the slice's precision

Side and bitmap belong to the protected header under ``protection: none`` (a wrong bit in the bitmap would
shift all later weights); the words are the body that may be damaged, but for what ``protocol.protect`` adds to the
header.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from simnet.wire.checks import blob, integer, items, text
from simnet.wire.errors import WireError
from simnet.wire.ids import ID_BYTE
from simnet.wire.precision import PRECISIONS, Precision, is_float

Role: TypeAlias = Literal["encoder", "decoder", "channel", "task", "agent"]
ROLES: tuple[Role, ...] = get_args(Role)

MAX_TENSOR = 4096
MAX_REQUIRED = 255
MAX_DIMENSION = 8
MAX_ELEMENT = 1 << 28
"""Of all tensors together: 1 GiB once they are float32. See also :func:`simnet.wire.frames.most_expanded`."""
SIDE_DTYPES = ("<f2", "<f4", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4", "<u8")


@dataclass(frozen=True)
class Entry:
    """One tensor. ``kind``: its channel axis if its elements are words; its dtype if it lies in the side."""

    name: str
    kind: int | str
    shape: tuple[int, ...]

    @property
    def n_element(self) -> int:
        return math.prod(self.shape)

    def side_byte(self, precision: Precision) -> int:
        """Its length in the side: all of it, or its peaks (2 bytes each), which float precisions lack."""
        if isinstance(self.kind, str):
            return self.n_element * np.dtype(self.kind).itemsize
        return 0 if is_float(precision) else 2 * self.shape[self.kind]


@dataclass(frozen=True)
class Head:
    """What a slice is, without its numbers."""

    name: str
    role: Role
    version: int
    precision: Precision
    requires: tuple[str, ...]
    pruned: bool
    entries: tuple[Entry, ...]

    @property
    def side_byte(self) -> int:
        return sum(entry.side_byte(self.precision) for entry in self.entries)

    @property
    def n_weight(self) -> int:
        """Elements that are words, or were before pruning."""
        return sum(entry.n_element for entry in self.entries if isinstance(entry.kind, int))

    @property
    def weight_names(self) -> tuple[str, ...]:
        """Names of the tensors whose elements are words."""
        return tuple(entry.name for entry in self.entries if isinstance(entry.kind, int))

    @property
    def n_element(self) -> int:
        return sum(entry.n_element for entry in self.entries)

    @property
    def bitmap_byte(self) -> int:
        return (self.n_weight + 7) // 8 if self.pruned else 0

    def to_list(self) -> list[Any]:
        """For msgpack."""
        return [
            self.name,
            ROLES.index(self.role),
            self.version,
            PRECISIONS.index(self.precision),
            b"".join(map(bytes.fromhex, self.requires)),
            int(self.pruned),
            [
                [e.name, SIDE_DTYPES.index(e.kind) - 16 if isinstance(e.kind, str) else e.kind, *e.shape]
                for e in self.entries
            ],
        ]

    @classmethod
    def from_list(cls, raw: Any) -> Head:
        """The inverse of :meth:`to_list`, for bytes that anyone may have sent.

        Raises:
            WireError: anything but what :meth:`to_list` makes.
        """
        name, role, version, precision, requires, pruned, entries = items(raw, 7, 7)
        required = blob(requires, 0, MAX_REQUIRED * ID_BYTE)
        if len(required) % ID_BYTE:
            raise WireError(f"slice: required ids take {ID_BYTE} bytes each, got {len(required)} in all")
        head = cls(
            name=text(name),
            role=ROLES[integer(role, 0, len(ROLES) - 1)],
            version=integer(version, 0, 2**32 - 1),
            precision=PRECISIONS[integer(precision, 0, len(PRECISIONS) - 1)],
            requires=tuple(required[i : i + ID_BYTE].hex() for i in range(0, len(required), ID_BYTE)),
            pruned=bool(integer(pruned, 0, 1)),
            entries=tuple(_entry(item) for item in items(entries, 0, MAX_TENSOR)),
        )
        names = [entry.name for entry in head.entries]
        if names != sorted(set(names)):
            raise WireError("slice: the names of its tensors are not distinct and sorted")
        if sum(max(entry.n_element, 1) for entry in head.entries) > MAX_ELEMENT:
            raise WireError(f"slice: declares more than {MAX_ELEMENT} elements")
        return head


def _entry(raw: Any) -> Entry:
    name, code, *shape = items(raw, 2, 2 + MAX_DIMENSION)
    dims = tuple(integer(size, 0, MAX_ELEMENT) for size in shape)
    if math.prod(size for size in dims if size) > MAX_ELEMENT:  # numpy overflows on (0, 2^28, 2^28, 2^28)
        raise WireError(f"slice: tensor of shape {dims}; allowed {MAX_ELEMENT} elements")
    kind = integer(code, -16, len(dims) - 1)
    if kind >= 0:
        return Entry(text(name), kind, dims)
    return Entry(text(name), SIDE_DTYPES[integer(kind + 16, 0, len(SIDE_DTYPES) - 1)], dims)
