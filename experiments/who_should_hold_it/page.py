"""Traffic over links and latency of each way to bring decoders, network by network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simnet.report.figures.style import MARKERS, arm_colours, page
from simnet.report.wording import NONE
from simnet.results import Results, load, markdown, optimum, write_table
from simnet.results.estimates import SEED
from simnet.results.figures import save
from simnet.results.figures.canvas import number_ticks, styled
from simnet.results.labels import label
from simnet.results.page_arguments import SWEEP, page_arguments
from simnet.statistics.replications import student_t

KEYS = ["network", "nodes"]
OVER_LINKS = "link_byte_per_request"
"""Bytes over all links, retries included, by requests: what end-to-end traffic is times the hops, and more."""


@styled
def draw(folder: Path, here: Path) -> None:
    """Draw ``figure.png`` and fill the README's tables from a sweep's folder."""
    results = load(folder)
    figure = page(10.0, 4.8)
    left, right = figure.subplots(1, 2, sharey=True)
    _dots(left, results, _over_links(results), OVER_LINKS)
    left.set(xlabel="traffic over links, per request (B)", title="What it costs the network")
    _dots(right, results, results.values("latency_mean_s", KEYS), "latency_mean_s")
    right.set(xlabel=label("latency_mean_s"), title="What it costs those who wait")
    left.set_yticks(*_ticks(results))
    left.set_ylim(len(results.points) - 0.5, -0.5)
    handles, names = left.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(names))
    n = results.runs["seed"].nunique()
    figure.suptitle(f"{results.question}  ({n} replications, 95 % intervals)", x=0.01, ha="left", fontweight="bold")
    save([left, right], here / "figure.png")
    readme = here / "README.md"
    write_table(readme, "answer", _answer(results))
    write_table(readme, "links", markdown(_wide(results, _over_links(results), OVER_LINKS)))
    write_table(readme, "against_owner", markdown(_against_owner(results)))
    write_table(readme, "latency", markdown(_wide(results, results.values("latency_mean_s", KEYS), "latency_mean_s")))
    for metric in ("satisfied", "ss_mean", "miss_ratio"):
        write_table(readme, metric, markdown(_wide(results, results.values(metric, KEYS), metric)))


def _over_links(results: Results) -> pd.DataFrame:
    """network, nodes, arm, seed and the bytes over links per request."""
    values = results.values(["link_byte", "n_requests"], KEYS)
    values[OVER_LINKS] = values["link_byte"] / values["n_requests"]
    return values[[*KEYS, "arm", SEED, OVER_LINKS]]


def _networks(results: Results) -> list[tuple[str, int]]:
    return list(results.points[KEYS].itertuples(index=False, name=None))


def _ticks(results: Results) -> tuple[Any, list[str]]:
    names = [f"{network}\n{nodes} nodes" for network, nodes in _networks(results)]
    return range(len(names)), names


def _travelling(results: Results) -> list[str]:
    """Arms that bring decoders to those who miss them."""
    fetched = results.runs.groupby("arm")["n_fetches"].sum()
    return [arm for arm in results.arms if fetched[arm] > 0]


def _dots(axes: Axes, results: Results, values: pd.DataFrame, metric: str) -> None:
    """One line of dots with intervals per network; arms one below the other."""
    palette, n = arm_colours(results.arms), len(results.arms)
    for i, arm in enumerate(results.arms):
        found = [student_t(part[metric].dropna()) for part in _parts(results, values, arm)]
        at = np.arange(len(found)) + (i - (n - 1) / 2) * 0.15
        axes.errorbar(
            [one.value for one in found], at, xerr=[one.half_width or 0.0 for one in found], fmt=MARKERS[i],
            color=palette[arm], markersize=6, markeredgecolor="white", markeredgewidth=0.6, capsize=2, label=arm,
        )  # fmt: skip
    for k in range(1, len(results.points)):
        axes.axhline(k - 0.5, color="#DDDDDD", linewidth=0.8)
    axes.set_xscale("log")
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)
    number_ticks(axes, "x")


def _parts(results: Results, values: pd.DataFrame, arm: str) -> list[pd.DataFrame]:
    """[networks] one arm's values."""
    mine = values[values["arm"] == arm]
    return [mine[(mine["network"] == network) & (mine["nodes"] == nodes)] for network, nodes in _networks(results)]


def _wide(results: Results, values: pd.DataFrame, metric: str) -> pd.DataFrame:
    """A row per network, a column per arm."""
    digits = 0 if metric == OVER_LINKS else 3
    rows: list[dict[str, Any]] = [{"network": name, "nodes": nodes} for name, nodes in _networks(results)]
    for arm in results.arms:
        for row, part in zip(rows, _parts(results, values, arm), strict=True):
            found = student_t(part[metric].dropna())
            row[arm] = (
                NONE if found.value is None else f"{found.value:,.{digits}f} ± {found.half_width or 0:,.{digits}f}"
            )
    return pd.DataFrame(rows)


def _against_owner(results: Results) -> pd.DataFrame:
    """Traffic over links against that of the first arm that brings decoders, replication by replication."""
    values = _over_links(results)
    first = _travelling(results)[0]
    others = [arm for arm in results.arms if arm != first]
    rows: list[dict[str, Any]] = [{"network": name, "nodes": nodes} for name, nodes in _networks(results)]
    for arm in others:
        pairs = zip(rows, _parts(results, values, arm), _parts(results, values, first), strict=True)
        for row, part, owner in pairs:
            both = part.merge(owner, on=SEED)
            share = student_t(100 * (both[f"{OVER_LINKS}_x"] / both[f"{OVER_LINKS}_y"] - 1))
            row[f"{arm} against {first} (%)"] = f"{share.value:+.1f} ± {share.half_width or 0.0:.1f}".replace("-", "−")
    return pd.DataFrame(rows)


def _answer(results: Results) -> str:
    """Which way takes the least traffic where, with the sweep's own numbers."""
    travelling = _travelling(results)
    values = _over_links(results)
    found = optimum(values[values["arm"].isin(travelling)], "arm", OVER_LINKS)
    best: dict[tuple[str, int], list[str]] = {network: [] for network in _networks(results)}
    for _, row in found[found["as_good"]].iterrows():
        best[row["network"], row["nodes"]].append(row["arm"])
    by_choice: dict[str, list[str]] = {}
    for (network, nodes), arms in best.items():
        by_choice.setdefault(" or ".join(arms), []).append(f"{network} ({nodes})")
    parts = [f"in {', '.join(networks)}: {choice}" for choice, networks in by_choice.items()]
    text = f"Of the ways that bring decoders the one with the least traffic over links is, {'; '.join(parts)}. "
    return text + _without(results, values, travelling)


def _without(results: Results, values: pd.DataFrame, travelling: list[str]) -> str:
    """What wishes cost where nothing travels, against the cheapest way in which decoders do."""
    resting = [arm for arm in results.arms if arm not in travelling]
    means = values.groupby(["network", "nodes", "arm"])[OVER_LINKS].mean().unstack()
    least = means[travelling].min(axis=1)
    shares = {arm: 100 * means[arm] / least for arm in resting}
    parts = [f"{share.min():.0f} to {share.max():.0f} % of it ({arm})" for arm, share in shares.items()]
    return f"Where nothing travels, traffic is, by network, {' and '.join(parts)}."


if __name__ == "__main__":
    draw(page_arguments(__doc__, folder=SWEEP).folder, Path(__file__).parent)
