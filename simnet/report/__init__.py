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
        RunError: the folder is incomplete, one of its files is missing or damaged, or what is to be written has the
            name of something else there.
    """
    from simnet.report.errors import RunError
    from simnet.report.figures import draw_all
    from simnet.report.html import write_page
    from simnet.report.run_folder import RunFolder
    from simnet.report.summary import summarise_folder, write_summary

    folder = RunFolder.open(run)
    summary = summarise_folder(folder)
    try:
        write_summary(folder, summary)
        figures = draw_all(folder, summary)
        write_page(folder, summary, figures)
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        raise RunError(
            f"{error.filename2 or error.filename}: {error.strerror}, where the report writes; allowed in "
            f"{run}: a folder figures, files summary.json and report.html, or none of them: move it away"
        ) from None
