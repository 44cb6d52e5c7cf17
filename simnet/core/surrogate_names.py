"""Names of surrogate source types, and how reports that can't list thousands call them together."""

from __future__ import annotations

from collections.abc import Collection


def surrogate_name(like: str, index: int) -> str:
    """``digits_0017``: the surrogate of this number, of all, which is like ``digits``."""
    return f"{like}_{index:04d}"


def group_name(like: str) -> str:
    """All surrogates that are like one source type."""
    return f"{like} surrogates"


def group_of(source_type: str, sources: Collection[str], likes: Collection[str]) -> str:
    """The name under which a source type is reported: a surrogate's group, any other's own.

    Args:
        sources: source types that the scenario writes out.
        likes: those of them that surrogates are like.
    """
    like = source_type.rpartition("_")[0]
    return group_name(like) if source_type not in sources and like in likes else source_type
