"""Characters that standard output cannot show: legible for people, never altered for programs.

A terminal gets the nearest ASCII character, or '?'. A file or a pipe gets UTF-8, whatever the locale; where
PYTHONIOENCODING asks for another encoding, texts for people degrade as on a terminal, and what programs read
(:func:`print_exactly`) is refused. Standard error needs nothing: Python writes ``\\u2265`` for what it lacks.
"""

from __future__ import annotations

import codecs
import io
import os
import sys

from simnet.core.errors import SimnetError

_LEGIBLE = "simnet-legible"
_NEAREST = str.maketrans("−–×·…→“”‘’\u00a0", "--x..>\"\"'' ")
"""One for one, so that columns stay columns; only where the meaning stays."""


def prepare_stdout() -> None:
    """Once, before anything is printed."""
    out = sys.stdout
    if not isinstance(out, io.TextIOWrapper):
        return
    codecs.register_error(_LEGIBLE, _legible)
    if not out.isatty() and not os.environ.get("PYTHONIOENCODING"):
        out.reconfigure(encoding="utf-8", errors="surrogateescape")  # names of files are bytes
    elif out.errors in ("strict", "surrogateescape"):  # else the user chose: PYTHONIOENCODING=ascii:replace
        out.reconfigure(errors=_LEGIBLE)


def print_exactly(text: object, end: str = "\n") -> None:
    """Print what programs read, such as JSON or a path.

    Raises:
        SimnetError: a file or a pipe would get other characters.
    """
    out = sys.stdout
    if out.errors == _LEGIBLE and not out.isatty():
        try:
            str(text).encode(out.encoding)
        except UnicodeEncodeError as error:
            lacking = error.object[error.start]
            raise SimnetError(
                f"standard output: its encoding is {out.encoding}, which has no {lacking!r}; nothing was printed. "
                "Unset PYTHONIOENCODING, or set it to utf-8"
            ) from None
    print(text, end=end)


def _legible(error: UnicodeError) -> tuple[str, int]:
    """What stands for characters that an encoding lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    near = error.object[error.start : error.end].translate(_NEAREST)
    return "".join(c if c.isascii() else "?" for c in near), error.end
