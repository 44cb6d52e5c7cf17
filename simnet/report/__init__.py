"""Records -> summary, figures, tables, HTML: reads a run's files only, never the simulation (DESIGN §7).

Importing this package loads neither matplotlib nor pandas.
"""

from __future__ import annotations

from pathlib import Path


def redraw(run: Path) -> None:
    """Write ``summary.json``, ``figures/`` and ``report.html`` of a finished run anew, from its files alone.

    Args:
        run: a folder ``runs/<name>-<hash>/``.

    Raises:
        RunError: the folder is incomplete, or one of its files is missing or damaged.
    """
    from simnet.report.figures import draw_all
    from simnet.report.html import write_page
    from simnet.report.run_folder import RunFolder
    from simnet.report.summary import summarise_folder, write_summary

    folder = RunFolder.open(run)
    summary = summarise_folder(folder)
    write_summary(folder, summary)
    figures = draw_all(folder, summary)
    write_page(folder, summary, figures)
