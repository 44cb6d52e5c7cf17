"""``simnet link calibrate``: the BLER tables of ``fidelity: table``, measured with the exact chain."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simnet.cli.characters import print_exactly
from simnet.cli.group import Device, Quiet

app = typer.Typer(help="Radio links.", no_args_is_help=True)


@app.callback()
def link() -> None:
    """Radio links."""


@app.command("calibrate")
def calibrate(
    code: Annotated[str, typer.Option(help="LDPC code family: ieee80216e or nr.")] = "ieee80216e",
    bits: Annotated[
        list[int] | None, typer.Option(help="Information bits of a block; may be repeated.  [288, 576, 1152]")
    ] = None,
    mcs: Annotated[list[str] | None, typer.Option(help="Such as 'QPSK 1/2'; may be repeated.  [all coded]")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the tables.  [default: the zoo's]")] = None,
    device: Device = "cpu",
    max_blocks: Annotated[int, typer.Option(min=1, help="Blocks per point at most.")] = 200_000,
    target_errors: Annotated[int, typer.Option(min=1, help="Block errors that a point aims at.")] = 100,
    workers: Annotated[int, typer.Option(min=1, help="Tables that are made at the same time.")] = 1,
    again: Annotated[bool, typer.Option("--again", help="Make tables anew that are there already.")] = False,
    quiet: Quiet = False,
) -> None:
    """Measure block error rates over Es/N0 and write them as tables. Goes on where it was stopped."""
    from simnet.core.mcs import MCS_NAMES
    from simnet.phy.blocks import BLOCK_BITS
    from simnet.phy.tables.calibration import StopRule
    from simnet.phy.tables.making import block_formats, make_tables

    formats = block_formats(code, bits or BLOCK_BITS, mcs or MCS_NAMES)
    stop = StopRule(target_errors, max_blocks)
    n_done = 0
    try:
        making = make_tables(formats, out=out, device=device, stop=stop, workers=workers, again=again, quiet=quiet)
        for path, made in making:
            print_exactly(path if made else f"{path} (was there; --again makes it anew)")
            n_done += 1
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"stopped by Ctrl-C; {n_done} tables are finished, the points of others kept") from None


from simnet.cli import link_curves  # noqa: E402, F401  its verbs join this app
