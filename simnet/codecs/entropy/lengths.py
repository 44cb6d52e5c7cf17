"""Parts of a code, each behind its length: one byte, or 255 and four more."""

from __future__ import annotations

from simnet.codecs.entropy.static import EntropyError

LONG = 255


def with_length(part: bytes) -> bytes:
    n = len(part)
    return (bytes([n]) if n < LONG else bytes([LONG]) + n.to_bytes(4, "big")) + part


def part_at(code: bytes, at: int, what: str) -> tuple[bytes, int]:
    """A part that begins at a byte of a code, and where the next thing begins.

    Args:
        what: the part's name, for the error.

    Raises:
        EntropyError: the code ends before its part does.
    """
    n, start = (code[at], at + 1) if at < len(code) else (0, len(code) + 1)
    if n == LONG:
        n, start = int.from_bytes(code[start : start + 4], "big"), start + 4
    if len(code) < start + n:
        raise EntropyError(f"code of {len(code)} bytes: too short for its {what} of {n}")
    return code[start : start + n], start + n
