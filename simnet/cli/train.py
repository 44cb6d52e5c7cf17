"""``simnet train RECIPE``: a recipe to weights, curve and card."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simnet.cli.characters import print_exactly
from simnet.cli.group import DataRoot, Device, Quiet


def train(
    recipe: Annotated[Path, typer.Argument(help="Recipe, such as models/aesc/digits_z40/train.yaml.")],
    device: Device = "cpu",
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last finished epoch.")] = False,
    data: DataRoot = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the results.  [default: the recipe's]")] = None,
    quiet: Quiet = False,
) -> None:
    """Train a model of the zoo: weights, learning curve and card."""
    from simnet import training

    try:
        folder = training.train(recipe, data_root=data, device=device, resume=resume, out=out, quiet=quiet)
    except KeyboardInterrupt:
        checkpoint = (recipe.parent if out is None else out) / "checkpoint.safetensors"
        kept = f"{checkpoint} holds the last finished epoch; go on with --resume"
        raise KeyboardInterrupt(f"stopped by Ctrl-C; {kept if checkpoint.exists() else 'nothing was kept'}") from None
    print_exactly(folder)
