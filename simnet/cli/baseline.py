"""``simnet baseline FILE``: picture codec + LDPC + QAM at equal bandwidth, without a network."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from simnet.cli.characters import print_exactly
from simnet.cli.group import DataRoot, Quiet
from simnet.cli.table_file import write_rows
from simnet.core.folders import file_to_write


def baseline(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Codecs, channels and bandwidths, such as a digital.yaml.")
    ],
    out: Annotated[Path | None, typer.Option(help="Table of the points.  [default: FILE with the suffix .csv]")] = None,
    data_root: DataRoot = None,
    quiet: Quiet = False,
) -> None:
    """The best of picture codec, LDPC rate and QAM order at each bandwidth and Es/N0, and the bound of capacity."""
    import torch

    from simnet.signal.digital.points import measure_points, read_points

    def tell(name: str) -> None:
        if not quiet:
            print(f"{name} …", file=sys.stderr)

    torch.set_num_threads(1)  # results must not depend on the number of cores
    points = read_points(file)
    target = file_to_write(out if out is not None else file.with_suffix(".csv"))
    write_rows(target, list(measure_points(points, str(file), data_root=data_root, tell=tell)))
    print_exactly(target)
