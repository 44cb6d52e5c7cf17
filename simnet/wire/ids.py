"""Names of slices on the wire: 16 bytes, or the first 8 where a node only says what it holds."""

from __future__ import annotations

import re
from functools import lru_cache

from simnet.wire.errors import EncodeError

ID_BYTE = 16
SHORT_ID_BYTE = 8
_is_id = re.compile(f"[0-9a-f]{{{2 * ID_BYTE}}}").fullmatch


def is_id(slice_id: str) -> bool:
    """32 lower-case hex digits; the id of a damaged slice is none."""
    return _is_id(slice_id) is not None


@lru_cache(maxsize=4096)
def id_bytes(slice_id: str) -> bytes:
    """The 16 bytes of an id.

    Raises:
        EncodeError: not the id of a clean slice.
    """
    if not is_id(slice_id):
        raise EncodeError(
            f"slice id: got {slice_id[:80]!r}; allowed 32 hex digits"
            " (a slice that arrived damaged has no name on the wire)"
        )
    return bytes.fromhex(slice_id)


def short_id(slice_id: str) -> bytes:
    """The id's first 8 bytes: how a REQUEST says which slices its sender holds."""
    return id_bytes(slice_id)[:SHORT_ID_BYTE]
