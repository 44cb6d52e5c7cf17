"""The map: nodes by tier, who is attached where, and which decoders each store holds when the run ends."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.path import Path as Outline
from matplotlib.ticker import MaxNLocator

from simnet.report.figures.style import FAINT, INK, page, source_colours
from simnet.report.run_folder import RunFolder

TITLE = "Where the slices live"
TIERS = {"cloud": ("H", 330.0), "edge": ("D", 190.0), "gateway": ("s", 120.0), "device": ("o", 16.0)}
"""Tier -> marker and its area in points², drawn in this order."""
TIER_COLOURS = {"cloud": "#222222", "edge": "#5A5A5A", "gateway": "#8F8F8F", "device": "#C6C6C6"}
GLYPH_AREA, AREA_PER_SLICE = 26.0, 10.0
MAX_SLICES = 18
OTHER, SHARED = "other slices", "several types"
APART, SPREAD_STEPS, MAX_SPREAD = 0.035, 25, 400
"""Devices nearer to another node than this share of the city's side move apart, if nodes aren't too many."""
FAR = 0.5
"""Nodes further outside the city than this share of its side are moved to its rim."""


def caption(run: RunFolder, summary: dict[str, Any]) -> str:
    """What the figure shows, for the page."""
    return (
        f"Arm “{shown_arm(run)}” at the end of the run. A node's disc has one sector per source type whose "
        "slices it stores and grows with their number; hollow: nothing stored. Lines: attachments; devices "
        "that would cover another node are moved aside a little. Right: how many nodes hold each slice."
    )


def shown_arm(run: RunFolder) -> str:
    """The arm in which most nodes have something in their stores; else the first that holds any slice."""
    nodes = run.nodes
    held = {
        arm: (
            int(((rows := nodes[nodes["arm"] == arm])["store_occupancy_byte"] > 0).sum()),
            int((rows["stored"].astype(str) != "").sum()),
        )
        for arm in run.arms
    }
    return max(run.arms, key=lambda arm: held[arm])


def draw(run: RunFolder, summary: dict[str, Any]) -> Figure | None:
    """Map on the left, holders of each slice on the right."""
    arm = shown_arm(run)
    nodes = run.nodes[run.nodes["arm"] == arm].reset_index(drop=True)
    if len(nodes[["x_m", "y_m"]].drop_duplicates()) < 2:
        return None  # no node, or a topology without places
    type_of = _slice_types(run)
    held = [_names(stored) for stored in nodes["stored"]]
    colours = {**source_colours(run.source_types), SHARED: "#FFFFFF", OTHER: FAINT}
    xy_km, moved = _places(nodes)
    figure = page(9.0, 6.0)
    any_held = any(held)
    axes, bars = figure.subplots(1, 2, width_ratios=[3.1, 1]) if any_held else (figure.subplots(), None)
    _attachments(axes, nodes, xy_km)
    for tier, (marker, area) in TIERS.items():
        of_tier = (nodes["tier"] == tier).to_numpy()
        axes.scatter(
            xy_km[of_tier, 0],
            xy_km[of_tier, 1],
            marker=marker,
            s=area,
            facecolor="white",
            edgecolor=INK,
            linewidth=0.9,
            zorder=3,
        )
    _sectors(axes, xy_km, [[type_of.get(name, OTHER) for name in names] for names in held], colours)
    for i in np.flatnonzero((nodes["tier"].isin(["cloud", "edge"])) | moved):
        label = f"{nodes['node'][i]}{' (far away)' if moved[i] else ''}"
        axes.annotate(
            label,
            xy_km[i],
            xytext=(0, 11),
            textcoords="offset points",
            ha="center",
            fontsize=7,
            zorder=6,
            parse_math=False,  # names are the user's: "a$b$c" is no formula
        )
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.06)
    axes.set_xlabel("x (km)")
    axes.set_ylabel("y (km)")
    axes.set_title(f"Arm {arm}")
    if bars is not None:
        _holders(bars, nodes, held)
    present = {type_of.get(name, OTHER) for names in held for name in names}
    figure.legend(handles=[*_tier_keys(nodes), *_type_keys(colours, present)], loc="outside lower center", ncols=5)
    return figure


def _names(stored: Any) -> list[str]:
    return str(stored).split() if isinstance(stored, str) else []


def _slice_types(run: RunFolder) -> dict[str, str]:
    """Slice name -> the source type that it decoded in this run, or SHARED."""
    ids = run.stores[["slice", "slice_id"]].astype(object).drop_duplicates()
    pairs = ids.merge(run.slice_sources.astype(object), on="slice_id")[["slice", "source_type"]].drop_duplicates()
    return {
        str(name): str(types.iloc[0]) if len(types) == 1 else SHARED
        for name, types in pairs.groupby("slice", sort=True)["source_type"]
    }


def _places(nodes: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """[N, 2] km, and [N] bool: which were moved to the rim because they lie far outside."""
    xy = nodes[["x_m", "y_m"]].to_numpy(float) / 1000
    core = xy[nodes["tier"].isin(["device", "gateway"]).to_numpy()]
    core = core if len(core) else xy
    low, high = core.min(axis=0), core.max(axis=0)
    side = max(float((high - low).max()), 1e-3)
    moved = ((xy < low - FAR * side) | (xy > high + FAR * side)).any(axis=1)
    rim = 0.12 * side
    xy = np.where(moved[:, None], np.clip(xy, low - rim, high + rim), xy)
    return _spread(xy, (nodes["tier"] == "device").to_numpy(), APART * side), moved


def _spread(xy: np.ndarray, movable: np.ndarray, apart: float) -> np.ndarray:
    """Push the movable ones away from what they would be drawn over, until all are ``apart``."""
    if len(xy) > MAX_SPREAD:
        return xy
    for _ in range(SPREAD_STEPS):
        gap = xy[:, None] - xy[None]
        distance = np.sqrt((gap**2).sum(axis=2)) + np.eye(len(xy)) * apart + 1e-9
        push = np.clip(apart - distance, 0, None)[..., None] * gap / distance[..., None]
        xy = xy + np.where(movable[:, None], 0.5 * push.sum(axis=1), 0)
    return xy


def _attachments(axes: Axes, nodes: pd.DataFrame, xy_km: np.ndarray) -> None:
    row = {name: i for i, name in enumerate(nodes["node"])}
    pairs = [(i, row[up]) for i, up in enumerate(nodes["attached_to"]) if isinstance(up, str) and up in row]
    tier = nodes["tier"].to_numpy()
    for radio in (True, False):
        lines = [xy_km[[i, j]] for i, j in pairs if (tier[i] == "device") is radio]
        style = {"colors": FAINT, "linewidths": 0.6} if radio else {"colors": "#8A8A8A", "linewidths": 1.1}
        axes.add_collection(LineCollection(lines, zorder=1 if radio else 2, **style))


def _sectors(axes: Axes, xy_km: np.ndarray, types: list[list[str]], colours: dict[str, str]) -> None:
    """One scatter per shape and colour of sector: sectors are markers, so that they stay round and small."""
    batches: dict[tuple[int, int, str], list[int]] = {}
    for i, of_node in enumerate(types):
        distinct = [name for name in colours if name in of_node]
        for place, name in enumerate(distinct):
            batches.setdefault((len(distinct), place, name), []).append(i)
    for (n, place, name), rows in batches.items():
        area = [GLYPH_AREA + AREA_PER_SLICE * len(types[i]) for i in rows]
        axes.scatter(
            xy_km[rows, 0],
            xy_km[rows, 1],
            s=area,
            marker=_sector(n, place),
            color=colours[name],
            edgecolor=INK,
            linewidth=0.35,
            zorder=4,
        )


def _sector(n: int, place: int) -> Outline:
    """The place-th of n equal sectors, clockwise from the top, inside the unit circle."""
    if n == 1:
        return Outline.unit_circle()
    ends = (90 - 360 * (place + 1) / n, 90 - 360 * place / n)
    wedge = Outline.wedge(*ends)
    # a marker is scaled by its own extent: the far corner keeps sectors of one disc to one radius
    corner = Outline(
        [(1, 1), (1, 1), (-1, -1), (-1, -1)], [Outline.MOVETO, Outline.LINETO, Outline.MOVETO, Outline.LINETO]
    )
    return Outline.make_compound_path(wedge, corner)


def _holders(axes: Axes, nodes: pd.DataFrame, held: list[list[str]]) -> None:
    """Stacked bars: nodes of each tier that hold each slice."""
    counts = {tier: Counter[str]() for tier in TIERS}
    for tier, names in zip(nodes["tier"], held, strict=True):
        counts[tier].update(set(names))
    total = sum(counts.values(), Counter[str]())
    most = [name for name, _ in sorted(total.items(), key=lambda pair: (-pair[1], pair[0]))]
    shown = most[:MAX_SLICES]
    left = np.zeros(len(shown))
    for tier in TIERS:
        widths = np.array([counts[tier][name] for name in shown], float)
        if widths.any():
            axes.barh(
                range(len(shown)),
                widths,
                left=left,
                height=0.38,
                color=TIER_COLOURS[tier],
                label=tier,
                edgecolor="white",
                linewidth=0.4,
            )
            left += widths
    for i, name in enumerate(shown):
        axes.annotate(name, (0, i - 0.22), xytext=(1, 1), textcoords="offset points", fontsize=7)
    axes.set_yticks([])
    axes.set_ylim(max(len(shown), 8) - 0.4, -0.9)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="y", visible=False)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_xlabel("nodes that hold it")
    axes.set_title("Slices" if len(most) <= MAX_SLICES else f"The {MAX_SLICES} commonest of {len(most)} slices")
    axes.legend(loc="lower right", fontsize=7.5)


def _tier_keys(nodes: pd.DataFrame) -> list[Line2D]:
    counts = nodes["tier"].value_counts()
    return [
        Line2D(
            [],
            [],
            linestyle="",
            marker=marker,
            markersize=min(9.0, math.sqrt(area)),
            markerfacecolor="white",
            markeredgecolor=INK,
            label=f"{tier} ({counts[tier]})",
        )
        for tier, (marker, area) in TIERS.items()
        if tier in counts.index and counts[tier]
    ]


def _type_keys(colours: dict[str, str], present: set[str]) -> list[Line2D]:
    return [
        Line2D(
            [],
            [],
            linestyle="",
            marker="o",
            markersize=7,
            markerfacecolor=colour,
            markeredgecolor=INK,
            markeredgewidth=0.35,
            label=name,
        )
        for name, colour in colours.items()
        if name in present
    ]
