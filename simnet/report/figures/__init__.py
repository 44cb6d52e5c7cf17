"""The figures of a report, one file each: ``TITLE``, ``caption`` and ``draw`` (None: nothing to show).

No pyplot: nothing here keeps state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import matplotlib

from simnet.report.figures import break_even, city_map, hit_ratio, latency, outcomes, over_snr, ss_traffic, traffic
from simnet.report.figures.style import RC, save
from simnet.report.run_folder import RunFolder

FIGURES = {
    "traffic": traffic,
    "break_even": break_even,
    "ss_traffic": ss_traffic,
    "over_snr": over_snr,
    "latency": latency,
    "outcomes": outcomes,
    "hit_ratio": hit_ratio,
    "city_map": city_map,
}
"""File name -> module, in the order of the page."""


@dataclass(frozen=True)
class Drawn:
    """A figure that was drawn into ``figures/<name>.svg`` and ``.png``."""

    name: str
    title: str
    caption: str


def draw_all(run: RunFolder, summary: dict[str, Any]) -> list[Drawn]:
    """Draw what the run has, remove what an earlier report left of the others."""
    folder = run.path / "figures"
    folder.mkdir(exist_ok=True)
    drawn = []
    for name, module in FIGURES.items():
        with matplotlib.rc_context(RC):
            figure = module.draw(run, summary)
        if figure is None:
            for suffix in ("svg", "png"):
                (folder / f"{name}.{suffix}").unlink(missing_ok=True)
            continue
        save(figure, folder, name)
        drawn.append(Drawn(name, module.TITLE, module.caption(run, summary)))
    return drawn
