"""``simnet link calibrate``: the BLER tables of ``fidelity: table``, measured with the exact chain."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simnet.cli.group import Device, Quiet

app = typer.Typer(help="Radio links.", no_args_is_help=True)


@app.callback()
def link() -> None:
    """Radio links."""


@app.command("calibrate")
def calibrate(
    length: Annotated[list[int] | None, typer.Option(help="Codeword length in bits; may be repeated.  [2304]")] = None,
    mcs: Annotated[list[str] | None, typer.Option(help="Such as 'QPSK 1/2'; may be repeated.  [all coded]")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the tables.  [default: those that runs use]")] = None,
    device: Device = "cpu",
    max_blocks: Annotated[int, typer.Option(min=1, help="Blocks per point at most.")] = 100_000,
    target_errors: Annotated[int, typer.Option(min=1, help="Block errors that a point aims at.")] = 100,
    quiet: Quiet = False,
) -> None:
    """Measure block error rates over Es/N0 and write them as tables."""
    from simnet.core.errors import UnknownName
    from simnet.phy.bler import TABLES, table_path
    from simnet.phy.calibration import calibrate as measure
    from simnet.phy.ldpc.ieee80216e import CODEWORD_LENGTHS
    from simnet.phy.mcs import MCS_TABLE

    schemes = {scheme.name: scheme for scheme in MCS_TABLE}
    lengths, names = length or [2304], mcs or list(schemes)
    for name in set(names) - set(schemes):
        raise UnknownName("MCS", name, schemes)
    for n in set(lengths) - set(CODEWORD_LENGTHS):
        raise UnknownName("codeword length", n, map(str, CODEWORD_LENGTHS))
    folder = TABLES if out is None else out
    n_done = 0
    try:
        for n in lengths:
            for name in names:
                measure(
                    n, schemes[name], out=folder, device=device,
                    max_blocks=max_blocks, target_errors=target_errors, quiet=quiet,
                )  # fmt: skip
                print(table_path(n, schemes[name], folder))
                n_done += 1
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"stopped by Ctrl-C; {n_done} finished tables were kept in {folder}") from None
