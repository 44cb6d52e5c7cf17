"""The command line: one file per verb; nothing heavy is imported before a verb needs it.

Exit codes: 0 done · 1 our own bug, with traceback · 2 the user can mend it, without traceback unless it is a plug-in's
code that broke · 3 done, but 'simnet validate' found that the simulator contradicts theory, or runs of 'simnet sweep'
failed · 130 Ctrl-C.
"""

from __future__ import annotations

import sys
import traceback

import typer

from simnet.cli import (
    baseline,
    check,
    data,
    link,
    list_plugins,
    models,
    rate,
    report,
    run,
    schema,
    sweep,
    train,
    validate,
)
from simnet.cli.characters import prepare_stdout
from simnet.cli.group import USER_ERROR, Group

app = typer.Typer(
    cls=Group,
    help="Simulate semantic networks in which decoders and codes travel.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("run")(run.run)
app.command("sweep")(sweep.sweep)
app.command("check")(check.check)
app.command("schema")(schema.schema)
app.command("list")(list_plugins.list_plugins)
app.command("report")(report.report)
app.command("train")(train.train)
app.command("validate")(validate.validate)
app.command("rate")(rate.rate)
app.command("baseline")(baseline.baseline)
app.add_typer(models.app, name="models")
app.add_typer(link.app, name="link")
app.add_typer(data.app, name="data")


def main() -> None:
    """Entry point of ``simnet`` and of ``python -m simnet``."""
    prepare_stdout()
    try:
        app(prog_name="simnet")
    except Exception as error:
        from simnet.core.plugin_fault import plugin_fault

        traceback.print_exc()
        if (fault := plugin_fault(error)) is not None:
            print(f"\nsimnet: {fault}", file=sys.stderr)
            sys.exit(USER_ERROR)
        print("\nsimnet: a bug of simnet, not of your input; please report it with the lines above", file=sys.stderr)
        sys.exit(1)
