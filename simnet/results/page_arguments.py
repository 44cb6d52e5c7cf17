"""What ``python page.py …`` of an experiment is given."""

from __future__ import annotations

import argparse
from pathlib import Path

SWEEP = "folder of the finished sweep, such as sweeps/NAME"
RUN = "folder of the finished run, such as runs/NAME-HASH"
HERE = "folder of this page: its points are read from there, figures and tables are written there"
DRAW = "draw only, from the points that an earlier call has measured"


def page_arguments(about: str | None, flags: dict[str, str] | None = None, **folders: str) -> argparse.Namespace:
    """Read the command line of a page; ends with its usage, exit code 2, if that isn't right.

    Args:
        about: the page's docstring, which ``--help`` shows.
        flags: name -> meaning, of options without a value.
        folders: name -> meaning, in their order.

    Returns:
        Each folder as a ``Path``, each flag as a bool.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, meaning in folders.items():
        parser.add_argument(name, type=_folder, help=meaning)
    for name, meaning in (flags or {}).items():
        parser.add_argument(f"--{name}", action="store_true", help=meaning)
    return parser.parse_args()


def _folder(text: str) -> Path:
    if not (path := Path(text)).is_dir():
        raise argparse.ArgumentTypeError(f"got {text!r}; allowed: a folder that is there")
    return path
