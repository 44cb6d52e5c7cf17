"""``simnet models [measure NAME]``: what the zoo holds, and its cards' figures anew."""

from __future__ import annotations

from typing import Annotated

import typer

from simnet.cli.characters import print_exactly
from simnet.cli.group import DataRoot, Device

app = typer.Typer(help="The zoo of trained models.", invoke_without_command=True)


@app.callback()
def models(context: typer.Context) -> None:
    """List the zoo's models, with the bytes of their trained slices."""
    if context.invoked_subcommand is not None:
        return
    from simnet.core.zoo import model_dir, zoo_root

    names = sorted(str(recipe.parent.relative_to(zoo_root())) for recipe in zoo_root().glob("*/*/train.yaml"))
    width = max((len(name) for name in names), default=0)
    for name in names:
        files = sorted(model_dir(name).glob("*.safetensors"))
        slices = ", ".join(f"{file.stem} {file.stat().st_size} B" for file in files if file.stem != "checkpoint")
        print(f"{name:{width}}  {slices or 'not trained: simnet train ' + str(model_dir(name) / 'train.yaml')}")


@app.command("measure")
def measure(
    name: Annotated[str, typer.Argument(help="Model, such as aesc/digits_z40.")],
    device: Device = "cpu",
    data: DataRoot = None,
) -> None:
    """Measure a model anew and rewrite the figures in its card."""
    from simnet.core.zoo import model_dir

    folder = model_dir(name)

    from simnet import training

    print(training.measure(folder / "train.yaml", data_root=data, device=device))


@app.command("over-snr")
def over_snr(
    name: Annotated[str, typer.Argument(help="An AESC-I model, such as aesc/digits_z40.")],
    device: Device = "cpu",
) -> None:
    """Measure SS, PSNR and SSIM over Es/N0 when bit errors reach decoder and code; write them into the card."""
    from simnet.core.zoo import model_dir

    folder = model_dir(name)

    from simnet.training.over_snr import measure_over_snr

    measure_over_snr(folder, device=device, tell=print)


@app.command("page")
def page() -> None:
    """Print the zoo's page, made from its cards, as Markdown."""
    from simnet.core.zoo import zoo_root
    from simnet.training import zoo_page

    print_exactly(zoo_page.page(zoo_root()), end="")


@app.command("systems")
def systems() -> None:
    """Print README's table of the five papers' systems, made from the zoo's cards, as Markdown."""
    from simnet.core.zoo import zoo_root
    from simnet.training import systems_table

    print_exactly(systems_table.table(zoo_root()))
