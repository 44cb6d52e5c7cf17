"""``simnet run FILE``: simulate a scenario, write its run folder and report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simnet.cli.group import Device, Quiet, say
from simnet.cli.report import draw


def run(
    file: Annotated[Path, typer.Argument(help="Scenario, a YAML file.")],
    out: Annotated[Path, typer.Option(help="Folder that receives the run's own folder.")] = Path("runs"),
    seed: Annotated[int | None, typer.Option(help="In place of the scenario's.")] = None,
    device: Device = "cpu",
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY.PATH=VALUE", help="Change one value; may be repeated.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Simulate a scenario; write records, tables and figures."""
    from simnet.scenario.load import overridden, placing, scenario_of

    tree = overridden(file, [*(set_ or []), *([] if seed is None else [f"seed={seed}"])])
    scenario = scenario_of(tree, file.resolve().parent)

    from simnet.build import run_scenario

    with placing(tree):
        finished = run_scenario(scenario, out=out, device=device, quiet=quiet)
    run = finished.path
    if finished.manifest["left_out"] is not None:
        say(f"{tree.place(('traffic',))} {finished.manifest['left_out']}")
    try:
        draw(run, quiet=quiet)
    except KeyboardInterrupt:
        kept = f"the records are whole in {run}; 'simnet report {run}' draws what is missing"
        raise KeyboardInterrupt(f"stopped by Ctrl-C; {kept}") from None
