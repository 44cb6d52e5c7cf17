"""``simnet rate FILE``: rate, distortion and SS of codecs, without a network."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from simnet.cli.characters import print_exactly
from simnet.cli.group import Quiet
from simnet.cli.table_file import write_rows
from simnet.core.folders import file_to_write


def rate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Codecs and settings, such as a points.yaml.")],
    out: Annotated[Path | None, typer.Option(help="Table of the points.  [default: points.csv beside FILE]")] = None,
    data_root: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Folder of the data sets.  [default: $SIMNET_DATA]")
    ] = None,
    sample: Annotated[bool, typer.Option("--sample", help="Only the pictures that are shipped.")] = False,
    quiet: Quiet = False,
) -> None:
    """Send every picture of a data set through codecs at many settings; bits, PSNR, SSIM, mIoU and SS of each."""
    import torch

    from simnet.signal.rate_points import measure_points, read_points

    def tell(name: str) -> None:
        if not quiet:
            print(f"{name} …", file=sys.stderr)

    torch.set_num_threads(1)  # results must not depend on the number of cores
    points = read_points(file)
    if sample:
        points = points.model_copy(update={"split": "sample"})
    target = file_to_write(out if out is not None else file.with_name("points.csv"))
    write_rows(target, list(measure_points(points, str(file), data_root=data_root, tell=tell)))
    print_exactly(target)
