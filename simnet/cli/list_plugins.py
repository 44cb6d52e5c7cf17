"""``simnet list [FOLDER]``: every plug-in with its one-line docstring, read without importing it."""

from __future__ import annotations

from typing import Annotated

import typer

OTHER_WORDS = {"policies": "store", "topologies": "topology", "strategies": "propagation", "datasets": "data"}


def list_plugins(
    folder: Annotated[str | None, typer.Argument(help="codecs, store (policies), topology … Without: all.")] = None,
) -> None:
    """List the plug-ins that a scenario can name."""
    from simnet.core.errors import UnknownName
    from simnet.core.plugins import KINDS

    if folder is not None and folder not in {*KINDS, *OTHER_WORDS}:
        raise UnknownName("folder of plug-ins", folder, KINDS)
    for name in KINDS if folder is None else [OTHER_WORDS.get(folder, folder)]:
        kind = KINDS[name]
        print(f"{name} ({kind.word}):" if folder is None else f"{kind.word}:")
        width = max((len(plugin) for plugin in kind.names()), default=0)
        for plugin in kind.names():
            print(f"  {plugin:{width}}  {kind.summary(plugin)}")
