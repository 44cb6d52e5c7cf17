"""``simnet check FILE``: say what is wrong with a scenario, without running it.

All that a run makes before its first request is made: network, models, images. Every wish is looked at. What that takes
is seconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simnet.cli.group import say


def check(
    file: Annotated[Path, typer.Argument(help="Scenario, a YAML file.")],
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY.PATH=VALUE", help="Change one value; may be repeated.")
    ] = None,
) -> None:
    """Say what is wrong with a scenario, without running it."""
    from simnet.scenario.checks import arm_protocols
    from simnet.scenario.load import overridden, placing, scenario_of

    tree = overridden(file, set_ or [])
    scenario = scenario_of(tree, file.resolve().parent)

    from simnet.build import build
    from simnet.traffic.named import left_out

    with placing(tree):
        for _ in build(scenario).requests():
            pass
        missed = left_out(scenario)
    if missed is not None:
        say(f"{tree.place(('traffic',))} {missed}")
    arms = ", ".join(arm_protocols(scenario))
    print(f"{file}: ok: scenario {scenario.name!r}, {scenario.duration_s:g} s; arms: {arms}")
