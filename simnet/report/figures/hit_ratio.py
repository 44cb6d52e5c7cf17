"""Store hit ratio over time: one panel per tier, one line per arm."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from simnet.core.terms import TIERS
from simnet.report.figures.style import arm_colours, line_style, page, time_scale
from simnet.report.run_folder import RunFolder
from simnet.statistics.rate import Rate

TITLE = "Store hit ratio over time"
MAX_BINS, LOOKUPS_PER_BIN = 24, 40


def caption(run: RunFolder, summary: dict[str, Any]) -> str:
    """What the figure shows, for the page."""
    return (
        f"Hits of all look-ups in a tier's stores, in up to {MAX_BINS} equal spans of time; the band is the "
        "95 % Wilson interval. Spans without look-ups are left out."
    )


def draw(run: RunFolder, summary: dict[str, Any]) -> Figure | None:
    """Only tiers whose stores were asked get a panel."""
    stores = run.stores
    lookups = stores[stores["event"].isin(["hit", "miss"])]
    tiers = [tier for tier in TIERS if (lookups["tier"] == tier).any()]
    if not tiers:
        return None
    colours = arm_colours(run.arms)
    end_s = max(run.duration_s, float(lookups["time_s"].max()))
    figure = page(9.0, 3.6)
    panels = figure.subplots(1, len(tiers), sharey=True, squeeze=False)[0]
    per_x, unit = time_scale(end_s)
    for axes, tier in zip(panels, tiers, strict=True):
        of_tier = lookups[lookups["tier"] == tier]
        n_arms = of_tier["arm"].nunique()
        n_bins = int(np.clip(len(of_tier) / n_arms / LOOKUPS_PER_BIN, 4, MAX_BINS))
        edges_s = np.linspace(0, end_s, n_bins + 1)
        middle = (edges_s[1:] + edges_s[:-1]) / 2 / per_x
        for i, arm in enumerate(run.arms):
            chosen = of_tier[of_tier["arm"] == arm]
            time_s = chosen["time_s"].to_numpy(float)
            n = np.histogram(time_s, edges_s)[0]
            hits = np.histogram(time_s[(chosen["event"] == "hit").to_numpy()], edges_s)[0]
            asked = n > 0
            if not asked.any():
                continue
            low, high = _wilson(hits[asked], n[asked])
            axes.fill_between(middle[asked], 100 * low, 100 * high, color=colours[arm], alpha=0.15, linewidth=0)
            axes.plot(
                middle[asked],
                100 * hits[asked] / n[asked],
                color=colours[arm],
                linestyle=line_style(i),
                marker="o",
                markersize=3,
                linewidth=1.5,
                label=arm,
            )
        axes.set_title(f"{tier} stores")
        axes.set_xlabel(f"simulated time ({unit})")
        axes.set_xlim(0, end_s / per_x)
    panels[0].set_ylim(-2, 102)
    panels[0].set_ylabel("hit ratio (%)")
    seen: dict[str, Artist] = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            seen.setdefault(label, handle)
    figure.legend(list(seen.values()), list(seen), loc="outside upper center", ncols=6)
    return figure


def _wilson(hits: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """95 % Wilson interval of each of [B] shares."""
    pairs = [Rate(int(h), int(k)).interval for h, k in zip(hits, n, strict=True)]
    low, high = np.array(pairs).T
    return low, high
