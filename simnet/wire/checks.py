"""Checks of what msgpack gave: right type and range, or WireError."""

from __future__ import annotations

from typing import Any

from simnet.wire.errors import WireError

MAX_NAME_CHAR = 255


def integer(raw: Any, low: int, high: int) -> int:
    if type(raw) is not int or not low <= raw <= high:
        raise WireError(f"wire: got {_short(raw)}; allowed an integer {low}..{high}")
    return raw


def text(raw: Any) -> str:
    if not isinstance(raw, str) or len(raw) > MAX_NAME_CHAR:
        raise WireError(f"wire: got {_short(raw)}; allowed a name of at most {MAX_NAME_CHAR} characters")
    return raw


def blob(raw: Any, fewest: int, most: int) -> bytes:
    if not isinstance(raw, bytes) or not fewest <= len(raw) <= most:
        raise WireError(f"wire: got {_short(raw)}; allowed {fewest}..{most} bytes")
    return raw


def items(raw: Any, fewest: int, most: int) -> list[Any]:
    if not isinstance(raw, list) or not fewest <= len(raw) <= most:
        raise WireError(f"wire: got {_short(raw)}; allowed a list of {fewest}..{most} items")
    return raw


def _short(raw: Any) -> str:
    """A hostile value for a message, without printing megabytes of it."""
    size = f" of {len(raw)}" if hasattr(raw, "__len__") else ""
    return f"{type(raw).__name__}{size}" if size else repr(raw)[:40]


def number(raw: Any, low: float, high: float) -> float:
    if type(raw) is not float or not low <= raw <= high:  # NaN is refused too
        raise WireError(f"wire: got {_short(raw)}; allowed a float {low}..{high}")
    return raw
