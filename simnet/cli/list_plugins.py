"""``simnet list [FOLDER]``: every plug-in with its one-line docstring, read without importing it; or every MCS."""

from __future__ import annotations

from typing import Annotated

import typer

OTHER_WORDS = {"policies": "store", "topologies": "topology", "strategies": "propagation", "datasets": "data"}
MCS = "mcs"


def list_plugins(
    folder: Annotated[
        str | None, typer.Argument(help="codecs, store (policies), topology …, or mcs. Without: all plug-ins.")
    ] = None,
) -> None:
    """List the plug-ins that a scenario can name, or its modulation and coding schemes."""
    if folder == MCS:
        _list_mcs()
        return

    from simnet.core.errors import UnknownName
    from simnet.core.plugins import KINDS

    if folder is not None and folder not in {*KINDS, *OTHER_WORDS}:
        raise UnknownName("folder of plug-ins", folder, [*KINDS, MCS])
    for name in KINDS if folder is None else [OTHER_WORDS.get(folder, folder)]:
        kind = KINDS[name]
        print(f"{name} ({kind.word}):" if folder is None else f"{kind.word}:")
        width = max((len(plugin) for plugin in kind.names()), default=0)
        for plugin in kind.names():
            print(f"  {plugin:{width}}  {kind.summary(plugin)}")


def _list_mcs() -> None:
    from simnet.phy.curves.schemes import TARGETS, K, schemes

    print(f"modulation and coding schemes; Es/N0 in dB for BLER {' and '.join(map(str, TARGETS))}, k = {K}, AWGN:")
    needs = "".join(f"{f'dB at {target}':>13}" for target in TARGETS)
    print(f"  {'name':12}{'bit/symbol':>12}{'rate':>6}{'bit/use':>9}{needs}")
    for scheme in schemes():
        mcs = scheme.mcs
        needs = "".join(f"{'-' if least is None else f'{least:.2f}':>13}" for least in scheme.least_esno_db)
        print(f"  {mcs.name:12}{mcs.bits_per_symbol:>12}{mcs.rate!s:>6}{mcs.efficiency:>9.3f}{needs}")
