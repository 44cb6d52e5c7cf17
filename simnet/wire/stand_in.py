"""Slices of which only the size is known: their bytes mean nothing, and are the same whenever they are asked for."""

from __future__ import annotations

import hashlib

from simnet.wire.ids import ID_BYTE
from simnet.wire.slices import Role, Slice


class StandIn(Slice):
    """A slice that takes a real one's room in stores and on links, but holds no numbers.

    Its payload travels as it is, like that of any slice, and is made anew whenever it is asked for: a catalogue of
    thousands takes no memory. Its id hashes all that the payload depends on, so that equal ids mean equal bytes.

    Args:
        name: of this content: another size, or other requirements, give another id.
        n_byte: of the payload, ≥ 1.
        requires: ids of the slices without which it is useless.
    """

    def __init__(self, name: str, role: Role, n_byte: int, requires: tuple[str, ...] = ()) -> None:
        if n_byte < 1:
            raise ValueError(f"slice {name!r}: got {n_byte} bytes; allowed: >= 1")
        content = "\n".join(("stand-in", name, role, str(n_byte), *requires))
        values = {
            "name": name, "role": role, "version": 1, "precision": "int8", "requires": requires, "tensors": {},
            "id": hashlib.blake2b(content.encode(), digest_size=ID_BYTE).hexdigest(), "n_byte": n_byte,
            "damaged": False,
        }  # fmt: skip
        for key, value in values.items():
            object.__setattr__(self, key, value)

    @property
    def payload(self) -> bytes:
        seed = bytes.fromhex(self.id)
        return (seed * (self.n_byte // len(seed) + 1))[: self.n_byte]

    def __eq__(self, other: object) -> bool:
        return self.id == other.id if isinstance(other, StandIn) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.id)
