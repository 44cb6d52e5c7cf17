"""What every verb shares: how errors and Ctrl-C end, and the words of common options."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from simnet.core.errors import SimnetError

USER_ERROR = 2
INTERRUPTED = 130

Device = Annotated[Literal["cpu", "cuda"], typer.Option(help="Where tensors are computed.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bar, no table.")]
DataRoot = Annotated[Path | None, typer.Option("--data", help="Folder of the data sets.  [default: $SIMNET_DATA]")]

_SYSTEM_SAYS_NO = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}


class Group(TyperGroup):
    """Turns what a verb raises into a message and an exit code; what is a bug goes on to ``main``."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except SimnetError as error:
            say(str(error))
            sys.exit(USER_ERROR)
        except OSError as error:
            if error.errno not in _SYSTEM_SAYS_NO:
                raise
            say(f"{error.filename or 'writing'}: {error.strerror}; make room, or choose another folder with --out")
            sys.exit(USER_ERROR)
        except KeyboardInterrupt as interrupt:
            say(str(interrupt) or "stopped by Ctrl-C; this call kept nothing")
            sys.exit(INTERRUPTED)


def say(message: str) -> None:
    """A line for the user, on standard error."""
    print(f"simnet: {message}", file=sys.stderr)
