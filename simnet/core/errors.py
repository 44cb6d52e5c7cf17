"""The errors that a user can cause; each says where, what was got, what is allowed and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SimnetError(Exception):
    """Base of every error that the user, not simnet, can mend. The CLI prints it without traceback, exit code 2."""


class UnknownName(SimnetError):
    """A name that no plug-in, codec, file … answers to.

    Args:
        what: the kind of thing that was looked for, e.g. ``"store policy"``.
        got: the name that was given.
        allowed: every name that would have been right.
        hint: the command that lists them, if any.
    """

    def __init__(self, what: str, got: object, allowed: Iterable[str], hint: str = "") -> None:
        self.allowed = sorted(allowed)
        near = nearest(str(got), self.allowed)
        message = f"unknown {what}: got {got!r}"
        message += f"; did you mean {near!r}?" if near else "."
        message += f" Allowed: {', '.join(self.allowed) or '(none)'}."
        super().__init__(message + (f" See '{hint}'." if hint else ""))


MOST_NAMES = 20
"""Of nodes and links, that a message lists."""


def among(got: str, names: Iterable[str], most: int | None = None) -> str:
    """What is allowed in a name's place, at most so many, and the nearest: ``allowed: radio, lora; did you mean …``."""
    known = list(names)
    listed = ", ".join(known[:most]) + (" …" if len(known) > len(known[:most]) else "")
    near = nearest(got, known)
    return f"allowed: {listed or '(none)'}" + (f"; did you mean {near!r}?" if near else "")


def nearest(got: str, allowed: Iterable[str]) -> str | None:
    """The allowed name closest to ``got``, or None if none is close."""
    found = difflib.get_close_matches(got, list(allowed), n=1, cutoff=0.6)
    return found[0] if found else None
