"""When each decoder has paid against each rival: counted in the simulation, and by n* = M/(J − c)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from simnet.report.figures.style import INK, MARKERS, arm_colours, page
from simnet.report.wording import number
from simnet.results import Results, break_even, load, markdown, write_table
from simnet.results.closed_form import BreakEven
from simnet.results.figures import save
from simnet.results.figures.canvas import number_ticks, styled
from simnet.results.labels import quantity
from simnet.results.page_arguments import SWEEP, page_arguments
from simnet.statistics.interval import Interval
from simnet.statistics.replications import student_t

BYTES = ["code_byte", "model_byte", "control_byte", "enhancement_byte"]
MOST_USES = 1e4
"""Right end of the figure's axes; what pays later stands there as "later"."""


class Uses(NamedTuple):
    """What uses cost over one link, in order; R replications of N uses, as many as every replication has.

    Args:
        unit: "B" end to end, or "channel uses" where the link has such.
        cost: (source type, arm) -> [R, N].
        model: likewise, [R, N] bool: a model came with this use.
        ss: (source type, arm) -> mean SS.
    """

    unit: str
    cost: Mapping[tuple[str, str], NDArray[np.float64]]
    model: Mapping[tuple[str, str], NDArray[np.bool_]]
    ss: Mapping[tuple[str, str], Interval]

    @property
    def n(self) -> int:
        return int(next(iter(self.cost.values())).shape[1])

    def code(self, source_type: str, arm: str) -> NDArray[np.float64]:
        """[R] c: mean cost of a use that no model came with."""
        return np.array([cost[~model].mean() for cost, model in zip(*self._of(source_type, arm), strict=True)])

    def journey(self, source_type: str, arm: str) -> NDArray[np.float64]:
        """[R] M: what the uses with a model cost more than others."""
        total: NDArray[np.float64] = self.cost[source_type, arm].sum(axis=1)
        return total - self.n * self.code(source_type, arm)

    def _of(self, source_type: str, arm: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        return self.cost[source_type, arm], self.model[source_type, arm]


class Comparison(NamedTuple):
    """One decoder against one rival over one link.

    Args:
        counted: [R] the use from which the decoder's sum stays below its rival's; inf: not within the run.
        closed: n* = M/(J − c).
    """

    link: str
    source_type: str
    arm: str
    rival: str
    counted: NDArray[np.float64]
    closed: BreakEven

    @property
    def paid(self) -> bool:
        """In every replication."""
        return bool(np.isfinite(self.counted).all())

    def __str__(self) -> str:
        """What was counted, then the closed form in brackets."""
        n_paid, n = int(np.isfinite(self.counted).sum()), len(self.counted)
        counted = _short(student_t(self.counted)) if self.paid else f"{n_paid} of {n} paid" if n_paid else "not paid"
        return f"{counted} [{_closed(self.closed)}]"


@styled
def draw(folder: Path, here: Path) -> None:
    """Draw ``figure.png`` and fill the README's tables from a sweep's folder."""
    results = load(folder)
    uses = _all_uses(results)
    rivals = [arm for arm in results.arms if not any(u.model[t, arm].any() for u in uses.values() for t in _types(u))]
    movers = [arm for arm in results.arms if arm not in rivals]
    found = [
        _compared(u, link, source_type, arm, rival)
        for link, u in uses.items()
        for source_type in _types(u)
        for arm in movers
        for rival in rivals
    ]
    _figure(results, uses, found, here / "figure.png")
    readme = here / "README.md"
    write_table(readme, "answer", _answer(uses, found))
    write_table(readme, "uses", markdown(_pivot(found, rivals)))
    write_table(readme, "costs", markdown(_costs(uses, movers, rivals)))


def _all_uses(results: Results) -> dict[str, Uses]:
    requests = results.records("requests").merge(results.points[["point", "link"]], on="point")
    requests["byte"] = requests[BYTES].sum(axis=1)
    requests = requests.sort_values(["created_s", "request_id"], kind="stable")
    return {str(link): _uses(results, str(link), part) for link, part in requests.groupby("link", sort=False)}


def _uses(results: Results, link: str, requests: pd.DataFrame) -> Uses:
    column, unit = ("channel_use", "channel uses") if requests["channel_use"].any() else ("byte", "B")
    n = int(requests.groupby(["source_type", "arm", "seed"]).size().min())
    cost: dict[tuple[str, str], NDArray[np.float64]] = {}
    model: dict[tuple[str, str], NDArray[np.bool_]] = {}
    for (source_type, arm), part in requests.groupby(["source_type", "arm"], sort=False):
        runs = [run for _, run in part.groupby("seed")]
        cost[source_type, arm] = np.stack([run[column].to_numpy(float)[:n] for run in runs])
        model[source_type, arm] = np.stack([run["model_byte"].to_numpy()[:n] > 0 for run in runs])
    values = results.values("ss_mean", "link", source_type=results.source_types, where={"link": link})
    ss = {(s, arm): student_t(part["ss_mean"]) for (s, arm), part in values.groupby(["source_type", "arm"], sort=False)}
    return Uses(unit, cost, model, ss)


def _types(uses: Uses) -> list[str]:
    return sorted({source_type for source_type, _ in uses.cost}, reverse=True)


def _compared(uses: Uses, link: str, source_type: str, arm: str, rival: str) -> Comparison:
    excess = np.cumsum(uses.cost[source_type, arm] - uses.cost[source_type, rival], axis=1)
    counted = [np.inf if row[-1] >= 0 else 1.0 + np.max(np.flatnonzero(row >= 0), initial=-1) + 1 for row in excess]
    closed = break_even(uses.journey(source_type, arm), uses.code(source_type, rival), uses.code(source_type, arm))
    return Comparison(link, source_type, arm, rival, np.array(counted), closed)


def _figure(results: Results, uses: Mapping[str, Uses], found: list[Comparison], file: Path) -> None:
    links, first = list(uses), next(iter(uses.values()))
    types = _types(first)
    figure = page(9.6, 3.4 + 2.2 * len(links))
    heights = [1.25, *[1.0] * len(links)]
    panels = figure.subplots(1 + len(links), len(types), height_ratios=heights, squeeze=False)
    for axes, source_type in zip(panels[0], types, strict=True):
        _per_use(axes, results, first, source_type)
        axes.set_title(f"{source_type}: traffic per use so far, {links[0]}")
    for row, link in zip(panels[1:], links, strict=True):
        for axes, source_type in zip(row, types, strict=True):
            _dots(axes, results, [f for f in found if (f.link, f.source_type) == (link, source_type)], uses[link])
            axes.set_title(f"{source_type}: counted in {_unit(uses[link])}, {link}")
            axes.set_xlabel("uses until the decoder has paid" if link == links[-1] else "")
    for axes in panels[1:, 1:].flat:
        axes.set_yticklabels([])
    handles, names = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(names), fontsize=8)
    n = len(found[0].counted)
    note = (
        f"{n} replications, bands and bars: 95 % intervals; |: closed form M/(J − c); shaded: beyond the simulated run"
    )
    figure.suptitle(f"{results.question}\n{note}", x=0.01, ha="left", fontsize=9.5)
    save(list(panels.flat), file)


def _unit(uses: Uses) -> str:
    return {"B": "bytes"}.get(uses.unit, uses.unit)


def _per_use(axes: Axes, results: Results, uses: Uses, source_type: str) -> None:
    """Cumulative mean cost; rivals, which pay the same for each use, as their mean."""
    palette, x = arm_colours(results.arms), np.arange(1, uses.n + 1)
    for arm in results.arms:
        cost = uses.cost[source_type, arm]
        if not uses.model[source_type, arm].any():
            axes.axhline(cost.mean(), color=palette[arm], linestyle="--", linewidth=1.2, label=arm)
            continue
        running = np.cumsum(cost, axis=1) / x
        at = np.unique(np.geomspace(1, uses.n, 80).astype(int)) - 1
        spread = [student_t(running[:, i]) for i in at]
        mean, half = (np.array([getattr(s, name) for s in spread], float) for name in ("value", "half_width"))
        axes.plot(x[at], mean, color=palette[arm], linewidth=1.8, label=arm)
        axes.fill_between(x[at], mean - half, mean + half, color=palette[arm], alpha=0.2, linewidth=0)
    axes.set(xscale="log", yscale="log", xlim=(1, MOST_USES), ylabel=f"{_unit(uses)} per use")
    axes.axvspan(uses.n, MOST_USES, color="#F2F2F2", zorder=0)
    for which in ("x", "y"):
        number_ticks(axes, which)


def _dots(axes: Axes, results: Results, found: list[Comparison], uses: Uses) -> None:
    """A row per rival; per decoder a mark where it was counted and a stroke where the closed form says."""
    palette = arm_colours(results.arms)
    rivals, movers = (list(dict.fromkeys(getattr(f, name) for f in found)) for name in ("rival", "arm"))
    for f in found:
        k = movers.index(f.arm)
        y = rivals.index(f.rival) + 0.56 * (k - (len(movers) - 1) / 2) / max(1, len(movers) - 1)
        star = f.closed.n_star
        if star is None or star > MOST_USES:
            word = "never" if star is None else "later"
            axes.text(MOST_USES * 0.9, y, word, color=palette[f.arm], ha="right", va="center", fontsize=7)
        else:
            stroke = INK if f.paid else palette[f.arm]
            axes.plot(star, y, marker="|", markersize=9, markeredgewidth=1.3, color=stroke, zorder=3)
        if f.paid:
            mean = student_t(f.counted)
            axes.errorbar(
                float(mean.value or 0), y, xerr=mean.half_width, fmt=MARKERS[k], color=palette[f.arm], markersize=4.5,
                capsize=2, zorder=4,
            )  # fmt: skip
    axes.axvspan(uses.n, MOST_USES, color="#F2F2F2", zorder=0)
    axes.set(xscale="log", xlim=(1, MOST_USES), ylim=(len(rivals) - 0.5, -0.5))
    axes.set_yticks(range(len(rivals)), rivals)
    axes.grid(axis="y", visible=False)
    number_ticks(axes, "x")


def _answer(uses: Mapping[str, Uses], found: list[Comparison]) -> str:
    """Who pays, and how well the closed form knows it, in a few generated sentences."""
    parts = []
    for link, u in uses.items():
        mine = [f for f in found if f.link == link]
        paid = [f for f in mine if f.paid]
        never = sum(f.closed.n_star is None for f in mine)
        times = [float(student_t(f.counted).value or 0) for f in paid]
        text = (
            f"Over {link}, counted in {_unit(u)}, {len(paid)} of {len(mine)} comparisons had paid in every replication"
        )
        text += f" within {u.n:,} uses, after {quantity(min(times))} to {quantity(max(times))}" if paid else ""
        parts.append(f"{text}; by the closed form {never or 'none'} never {'do' if never > 1 else 'does'}.")
    ratios = [
        float(student_t(f.counted).value or 0) / f.closed.n_star
        for f in found
        if f.paid and f.closed.n_star is not None
    ]
    if ratios:
        parts.append(
            f"Where all had paid, the mean count is {min(ratios):.2f} to {max(ratios):.2f} times the closed form's."
        )
    return " ".join(parts)


def _pivot(found: list[Comparison], rivals: list[str]) -> pd.DataFrame:
    """A row per source type, link and decoder, a column per rival."""
    rows: dict[tuple[str, str, str], dict[str, str]] = {}
    for f in found:
        rows.setdefault((f.source_type, f.link, f.arm), {})[f.rival] = str(f)
    keys = ("source type", "link", "decoder")
    return pd.DataFrame(
        [{**dict(zip(keys, key, strict=True)), **{r: row[r] for r in rivals}} for key, row in rows.items()]
    )


def _costs(uses: Mapping[str, Uses], movers: list[str], rivals: list[str]) -> pd.DataFrame:
    """SS, and per link the cost of a use and of a model's journey."""
    first = next(iter(uses.values()))
    rows = []
    for source_type in _types(first):
        for arm in [*movers, *rivals]:
            row = {"source type": source_type, "arm": arm, "mean SS": _short(first.ss[source_type, arm])}
            for link, u in uses.items():
                row[f"{link}: {u.unit} per use"] = _short(student_t(u.code(source_type, arm)))
                journey = student_t(u.journey(source_type, arm))
                row[f"{link}: {u.unit} per model"] = _short(journey) if arm in movers else "–"
            rows.append(row)
    return pd.DataFrame(rows)


def _short(found: Interval) -> str:
    """An interval without its n, which is the same in the whole table; without width: the number alone."""
    return str(found).partition(" (")[0] if found.half_width else number(found.value)


def _closed(found: BreakEven) -> str:
    """n* with its interval in brackets; an end without bound is ∞."""
    if found.n_star is None or found.low is None or found.high is None:
        return "never" if found.n_star is None else number(found.n_star)
    low, high = (number(end) if np.isfinite(end) else "∞" for end in (found.low, found.high))
    return f"{number(found.n_star)}; {low}–{high}" if np.isfinite(found.low) else f"{number(found.n_star)}; unbounded"


if __name__ == "__main__":
    draw(page_arguments(__doc__, folder=SWEEP).folder, Path(__file__).parent)
