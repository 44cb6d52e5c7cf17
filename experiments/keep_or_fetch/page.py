"""Traffic, misses and room over the time to live of a decoder, beside the closed forms and what needs no decoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simnet.report.figures.style import ARM_COLOURS, INK, MARKERS, page
from simnet.results import Results, break_even, elasticity, load, markdown, miss_ratio, optimum, write_table
from simnet.results.estimates import SEED
from simnet.results.figures import save
from simnet.results.figures.canvas import NOTE, number_ticks, styled
from simnet.results.figures.scale import Scale
from simnet.results.labels import FOR_EVER, label, quantity, value_text
from simnet.results.page_arguments import SWEEP, page_arguments
from simnet.statistics.interval import Interval
from simnet.statistics.replications import student_t

TTL_FROM: dict[str, Any] = {"from_fetch": "from_fetch", "renewed": "renewed_on_use"}
"""Arm -> when its TTL starts."""
LOOK = {"from_fetch": (ARM_COLOURS[0], "o"), "renewed": (ARM_COLOURS[1], "s")}
WORDS = {"from_fetch": "TTL from the fetch", "renewed": "TTL renewed on use"}
TRAFFIC = "byte_per_request"
HELD = "held"
"""Byte seconds that devices keep decoders, per request."""
RENTS_PER_MIN = (0.0, 1.0, 3.0, 10.0)
"""Bytes of traffic that keeping one byte for one minute is worth."""


@styled
def draw(folder: Path, here: Path) -> None:
    """Draw ``figure.png`` and fill the README's tables from a sweep's folder."""
    results = load(folder)
    held = _held(results)
    figure = page(10.0, 7.4)
    panels = figure.subplots(2, 2)
    _misses(panels[0, 0], results)
    _traffic(panels[0, 1], results)
    _room(panels[1, 0], results)
    _kept(panels[1, 1], results, held)
    n = int(results.mean(TRAFFIC, where=_base(results))["n"].min())
    figure.suptitle(f"{results.question}  ({n} replications, 95 % intervals)", x=0.01, ha="left", fontweight="bold")
    save(list(panels.flat), here / "figure.png")
    readme = here / "README.md"
    write_table(readme, "answer", _answer(results, held))
    write_table(readme, "ttl", _by_ttl(results))
    write_table(readme, "misses", markdown(_against_theory(results)))
    write_table(readme, "elasticity", markdown(_elasticities(results)))
    write_table(readme, "best", markdown(_best(results)))
    write_table(readme, "rent", markdown(_rents(results, held)))
    write_table(readme, "paid", markdown(_paid(results)))


# ---------------------------------------------------------------------- which points


def _travelling(results: Results) -> list[str]:
    """Systems whose decoders travel; the first is the one studied."""
    needed = results.runs.groupby("system")["n_slices_needed"].max()
    return [system for system in results.axes["system"] if needed[system] > 0]


def _rivals(results: Results) -> list[str]:
    return [system for system in results.axes["system"] if system not in _travelling(results)]


def _base(results: Results, **other: Any) -> dict[str, Any]:
    """The studied system with room for all decoders, the most wishes, the least skew; or with other settings."""
    axes = results.axes
    base = {"store_byte": max(axes["store_byte"]), "rate_per_s": max(axes["rate_per_s"]), "zipf": min(axes["zipf"])}
    return {"system": _travelling(results)[0], **base, **other}


def _finite(results: Results) -> list[float]:
    return sorted(ttl for ttl in results.axes["ttl_s"] if ttl is not None)


def _kinds(rate_per_s: float, zipf: float, n: int) -> list[float]:
    """[n] wishes of one device for each kind, 1/s, the most popular first."""
    weights = [rank**-zipf for rank in range(1, n + 1)]
    return [rate_per_s * weight / sum(weights) for weight in weights]


def _expected_misses(results: Results, rate_per_s: float, zipf: float, ttl_s: float, arm: str) -> float:
    """Share of a device's wishes that miss, over all kinds, where every decoder has room."""
    rates = _kinds(rate_per_s, zipf, len(results.source_types))
    return sum(rate / rate_per_s * miss_ratio(rate, ttl_s, TTL_FROM[arm]) for rate in rates)


def _held(results: Results) -> pd.DataFrame:
    """point, arm, seed -> byte seconds per request that devices kept decoders, after the warm-up."""
    counted = results.runs[results.runs["source_type"] == "all"].set_index(["point", "arm", SEED])
    rows = []
    studied = results.runs.loc[results.runs["system"] == _travelling(results)[0], "point"].unique()
    for point in studied:
        events = results.records("stores", point=int(point))
        events = events[events["tier"] == "device"]
        for (arm, seed), mine in events.groupby(["arm", SEED]):
            run = counted.loc[(point, arm, seed)]
            end_s = float(mine["time_s"].max())
            byte_s = sum(_integral(store, float(run["warm_up_s"]), end_s) for _, store in mine.groupby("node"))
            rows.append({"point": point, "arm": arm, SEED: seed, HELD: byte_s / run["n_requests"]})
    settings = results.points[["point", *results.axes]]
    return pd.DataFrame(rows).merge(settings, on="point")


def _integral(events: pd.DataFrame, start_s: float, end_s: float) -> float:
    """∫ occupancy dt of one store, byte seconds."""
    events = events.sort_values("time_s", kind="stable")
    at_s = np.clip(np.append(events["time_s"].to_numpy(float), end_s), start_s, end_s)
    return float((np.diff(at_s) * events["occupancy_byte"].to_numpy(float)).sum())


# ---------------------------------------------------------------------- figure


def _bars(axes: Axes, table: pd.DataFrame, at: Any, **look: Any) -> None:
    lengths = [table["mean"] - table["low"], table["high"] - table["mean"]]
    axes.errorbar(
        at, table["mean"], yerr=lengths, **{"capsize": 2.5, "elinewidth": 1.1, "markeredgecolor": "white", **look}
    )


def _curve(axes: Axes, table: pd.DataFrame, scale: Scale, **look: Any) -> None:
    """Means over the TTL, joined by dots to the one that never ends."""
    at = np.array([scale.at(ttl) for ttl in table["ttl_s"]])
    finite = table["ttl_s"].notna().to_numpy()
    axes.plot(at, table["mean"], color=look["color"], linestyle=(0, (1, 2)), linewidth=1.4)
    _bars(axes, table[finite], at[finite], markersize=6.5, **look)
    _bars(axes, table[~finite], at[~finite], markersize=6.5, **{**look, "label": None})


def _misses(axes: Axes, results: Results) -> None:
    base, ttl_s = _base(results), _finite(results)
    loads = np.geomspace(min(ttl_s) * base["rate_per_s"] / 1.6, max(ttl_s) * base["rate_per_s"] * 1.6, 80)
    for arm, (colour, marker) in LOOK.items():
        curve = [_expected_misses(results, 1.0, base["zipf"], load_, arm) for load_ in loads]
        axes.plot(loads, curve, color=colour, linewidth=1.2, label=f"{WORDS[arm]}: closed form")
        for rate in sorted(results.axes["rate_per_s"], reverse=True):
            table = results.mean("miss_ratio", "ttl_s", arm, where=_base(results, rate_per_s=rate, ttl_s=ttl_s))
            ring = {"markersize": 10, "markerfacecolor": "none", "markeredgecolor": colour}
            look = {"markersize": 6} if rate == base["rate_per_s"] else ring  # where they coincide, both show
            _bars(axes, table, table["ttl_s"] * rate, fmt=marker, color=colour, zorder=3, **look)
    for rate in sorted(results.axes["rate_per_s"], reverse=True):
        look = {"markersize": 6} if rate == base["rate_per_s"] else {"markersize": 9, "markerfacecolor": "none"}
        axes.plot([], [], "o", color="#777777", label=f"simulated, {value_text(rate)} wishes per s", **look)
    axes.set_xscale("log")
    axes.set_ylim(0, 1)
    axes.set(xlabel="wishes of a device in one TTL, λT", ylabel="misses (share of wishes)")
    axes.set_title("Misses follow λT, as theory says")
    number_ticks(axes, "x")
    axes.legend(loc="upper right", fontsize=8)


def _traffic(axes: Axes, results: Results) -> None:
    base = _base(results)
    scale = Scale.of([*_finite(results), None], log=True)
    for system in _travelling(results):
        for arm, (colour, marker) in LOOK.items():
            table = results.mean(TRAFFIC, "ttl_s", arm, where={**base, "system": system})
            text = WORDS[arm] if system == base["system"] else f"{system}, {WORDS[arm]}"
            look = {"fmt": marker, "color": colour, "linestyle": "-" if system == base["system"] else "--"}
            _curve(axes, table, scale, label=text, **look)
    for i, system in enumerate(_rivals(results)):
        rival = results.mean(TRAFFIC, (), next(iter(LOOK)), where={"system": system}).iloc[0]
        axes.axhline(rival["mean"], color=INK, linewidth=1.1, linestyle=((0, (5, 2)), (0, (1, 1.5)))[i % 2])
        axes.axhspan(rival["low"], rival["high"], color=INK, alpha=0.12, linewidth=0)
        place = (scale.at(_finite(results)[0]), rival["mean"])
        axes.annotate(system, place, xytext=(0, 3), textcoords="offset points", fontsize=8.5)
    scale.apply(axes)
    axes.set_yscale("log")
    number_ticks(axes, "y")
    axes.set(xlabel=label("ttl_s"), ylabel=label(TRAFFIC))
    axes.set_title(f"{base['system']}: traffic falls to the codes' floor")
    axes.legend(loc="upper right", fontsize=8)


def _room(axes: Axes, results: Results) -> None:
    arm, scale = "renewed", Scale.of([*_finite(results), None], log=True)
    for i, (store_byte, zipf) in enumerate(_rooms(results)):
        table = results.mean(TRAFFIC, "ttl_s", arm, where=_base(results, store_byte=store_byte, zipf=zipf))
        text = f"{quantity(store_byte / 1000)} kB, {_share(results, zipf)} popular"
        _curve(axes, table, scale, label=text, color=ARM_COLOURS[2 + i], fmt=MARKERS[2 + i], linestyle="-")
    scale.apply(axes)
    axes.set_yscale("log")
    number_ticks(axes, "y")
    axes.set(xlabel=label("ttl_s"), ylabel=label(TRAFFIC))
    axes.set_title("A small store is worth more where wishes are skewed")
    axes.legend(loc="lower left", fontsize=8)


def _share(results: Results, zipf: float) -> str:
    """Share of wishes that go to the most popular kind."""
    share = _kinds(1.0, zipf, len(results.source_types))[0]
    return f"{100 * share:.0f} %"


def _rooms(results: Results) -> list[tuple[int, float]]:
    """(store_byte, zipf) pairs of the sweep, the base first."""
    found = results.points[["store_byte", "zipf"]].drop_duplicates().itertuples(index=False)
    return sorted(((int(store), float(zipf)) for store, zipf in found), key=lambda room: (-room[0], room[1]))


def _kept(axes: Axes, results: Results, held: pd.DataFrame) -> None:
    for arm, (colour, marker) in LOOK.items():
        traffic = results.values(TRAFFIC, "ttl_s", arm, where=_base(results))
        both = _at(held, _base(results), arm).merge(traffic, on=["ttl_s", "arm", SEED])
        rows = []
        for ttl, part in both.groupby("ttl_s", dropna=False):
            kept, cost = student_t(part[HELD] / 60e3), student_t(part[TRAFFIC])
            rows.append((ttl, kept, cost))
        rows.sort(key=lambda row: row[1].value or 0.0)
        x, y = ([row[k].value for row in rows] for k in (1, 2))
        lengths = [[(row[k].half_width or 0.0) for row in rows] for k in (1, 2)]
        axes.errorbar(x, y, xerr=lengths[0], yerr=lengths[1], fmt=marker, color=colour, linestyle="-", capsize=2.5,
                      markersize=6.5, markeredgecolor="white", label=WORDS[arm])  # fmt: skip
        above = arm == "from_fetch"
        for at, names in _places(rows).items():
            axes.annotate(
                ", ".join(names), at, xytext=(5, 4) if above else (-5, -4), textcoords="offset points", color=colour,
                fontsize=8, ha="left" if above else "right", va="bottom" if above else "top",
            )  # fmt: skip
    axes.set_yscale("log")
    number_ticks(axes, "y")
    number_ticks(axes, "x")
    axes.margins(0.08, 0.12)
    axes.set(xlabel="decoders kept, per request (kB · min)", ylabel=label(TRAFFIC))
    axes.set_title("What the room costs: the TTL at each point")
    axes.text(0.98, 0.76, "down and left is better", transform=axes.transAxes, ha="right", fontsize=8, color=NOTE)
    axes.legend(loc="upper right", fontsize=8)


def _places(rows: list[tuple[float, Interval, Interval]]) -> dict[tuple[float, float], list[str]]:
    """Point -> the TTLs that lie there; those that coincide with one another share it."""
    found: dict[tuple[float, float], list[str]] = {}
    for ttl, kept, cost in sorted(rows, key=lambda row: np.inf if np.isnan(row[0]) else row[0]):
        at = (kept.value or 0.0, cost.value or 0.0)
        near = next((other for other in found if np.allclose(at, other, rtol=0.02)), at)
        found.setdefault(near, []).append(FOR_EVER if np.isnan(ttl) else f"{value_text(ttl)} s")
    return found


def _at(held: pd.DataFrame, where: dict[str, Any], arm: str) -> pd.DataFrame:
    rows = held[held["arm"] == arm]
    for column, value in where.items():
        rows = rows[rows[column] == value]
    return rows[["ttl_s", "arm", SEED, HELD]]


# ---------------------------------------------------------------------- tables


def _by_ttl(results: Results) -> str:
    metrics = [TRAFFIC, "miss_ratio", "ss_mean", "latency_mean_s", "latency_p95_s"]
    base, rival_arm = _base(results), next(iter(LOOK))
    settings = {key: value for key, value in base.items() if key != "system"}
    tables = [results.table(metrics, ["system", "ttl_s"], where=base)]
    for system in [s for s in results.axes["system"] if s != base["system"]]:
        arm = None if system in _travelling(results) else rival_arm
        tables.append(results.table(metrics, ["system", "ttl_s"], arm, where={**settings, "system": system}))
    body = [line for table in tables for line in table.split("\n")[2:]]
    return "\n".join([*tables[0].split("\n")[:2], *body])


def _against_theory(results: Results) -> pd.DataFrame:
    rows = []
    for rate in results.axes["rate_per_s"]:
        where = _base(results, rate_per_s=rate, ttl_s=_finite(results))
        for _, row in results.mean("miss_ratio", "ttl_s", list(LOOK), where=where).iterrows():
            expected = _expected_misses(results, rate, where["zipf"], row["ttl_s"], row["arm"])
            rows.append(
                {
                    "wishes (1/s)": value_text(rate),
                    "TTL (s)": value_text(row["ttl_s"]),
                    "": WORDS[row["arm"]],
                    "simulated": f"{row['mean']:.3f} ± {row['half_width']:.3f}",
                    "closed form": f"{expected:.3f}",
                    "inside the interval": "no miss seen"
                    if row["mean"] == 0
                    else bool(row["low"] <= expected <= row["high"]),
                }
            )
    return pd.DataFrame(rows)


def _elasticities(results: Results) -> pd.DataFrame:
    """Of traffic, and of its models alone, to TTL and to the rate of wishes."""
    rows = []
    base, ttl_s = _base(results), _finite(results)
    for metric in (TRAFFIC, "model_byte_per_request"):
        for arm in LOOK:
            values = results.values(metric, "ttl_s", arm, where={**base, "ttl_s": ttl_s})
            if (values[metric] <= 0).any():  # no fetch at the longest TTL: no logarithm
                values = values[values["ttl_s"] < max(ttl_s)]
            found = elasticity(values, "ttl_s", metric)
            for _, row in found.iterrows():
                span = f"{value_text(row['from'])} – {value_text(row['to'])} s"
                kind = "TTL, all" if row["kind"] == "fit" else "TTL"
                rows.append(_elastic(metric, kind, span, arm, row))
    rates = results.axes["rate_per_s"]
    for ttl in [t for t in ttl_s if _has(results, t, min(rates))]:
        where = {key: value for key, value in _base(results, ttl_s=ttl).items() if key != "rate_per_s"}
        for arm in LOOK:
            row = elasticity(results.values(TRAFFIC, "rate_per_s", arm, where=where), "rate_per_s", TRAFFIC).iloc[0]
            span = f"{value_text(row['from'])} – {value_text(row['to'])} 1/s, TTL {value_text(ttl)} s"
            rows.append(_elastic(TRAFFIC, "rate of wishes", span, arm, row))
    return pd.DataFrame(rows)


def _has(results: Results, ttl_s: float, rate_per_s: float) -> bool:
    points = results.points
    return bool(((points["ttl_s"] == ttl_s) & (points["rate_per_s"] == rate_per_s)).any())


def _elastic(metric: str, to: str, span: str, arm: str, row: pd.Series[Any]) -> dict[str, str]:
    text = f"{row['mean']:+.2f} ± {row['half_width']:.2f}".replace("-", "−")
    return {"of": label(metric), "to": to, "between": span, "": WORDS[arm], "elasticity": text}


def _best(results: Results) -> pd.DataFrame:
    """TTL of least traffic, and those that can't be told from it, by store and popularity."""
    return pd.DataFrame(
        [
            {
                "store (B)": f"{store_byte:,}",
                "wishes for the popular kind": _share(results, zipf),
                "": WORDS[arm],
                **_choice(found),
            }
            for (store_byte, zipf, arm), found in _optima(results).items()
        ]
    )


def _optima(results: Results) -> dict[tuple[int, float, str], pd.DataFrame]:
    """store_byte, zipf, arm -> every TTL against the one of least traffic."""
    found = {}
    for store_byte, zipf in _rooms(results):
        for arm in LOOK:
            where = _base(results, store_byte=store_byte, zipf=zipf)
            found[store_byte, zipf, arm] = optimum(results.values(TRAFFIC, "ttl_s", arm, where=where), "ttl_s", TRAFFIC)
    return found


def _choice(found: pd.DataFrame) -> dict[str, str]:
    best = found[found["best"]].iloc[0]
    good = sorted(found.loc[found["as_good"], "ttl_s"], key=lambda ttl: np.inf if np.isnan(ttl) else ttl)
    cost = f"{best['mean']:,.0f} ± {best['half_width']:,.0f}"
    return {
        "best TTL (s)": value_text(best["ttl_s"]),
        "as good (s)": ", ".join(map(value_text, good)),
        "costs (B)": cost,
    }


def _rents(results: Results, held: pd.DataFrame) -> pd.DataFrame:
    """TTL of least traffic plus rent, where keeping a byte for a minute is worth some bytes of traffic."""
    rows = []
    for rent in RENTS_PER_MIN:
        for arm in LOOK:
            rows.append(
                {"rent (1/min)": value_text(rent), "": WORDS[arm], **_choice(_with_rent(results, held, rent, arm))}
            )
    return pd.DataFrame(rows)


def _with_rent(results: Results, held: pd.DataFrame, rent_per_min: float, arm: str) -> pd.DataFrame:
    base = _base(results)
    both = results.values(TRAFFIC, "ttl_s", arm, where=base).merge(_at(held, base, arm), on=["ttl_s", "arm", SEED])
    both["cost"] = both[TRAFFIC] + rent_per_min / 60 * both[HELD]
    return optimum(both[["ttl_s", "arm", SEED, "cost"]], "ttl_s", "cost")


def _paid(results: Results) -> pd.DataFrame:
    """n* = M/(J − c) against each rival, and the TTL from which models win by the closed forms."""
    rows = []
    base, shortest = _base(results), _finite(results)[0]
    rates = _kinds(base["rate_per_s"], base["zipf"], len(results.source_types))
    columns = ["model_byte", "n_fetches", "end_to_end_byte", "n_requests"]
    for system in _travelling(results):
        mine, hits = (
            results.values(columns, (), "from_fetch", where={**base, "system": system, "ttl_s": ttl}).set_index(SEED)
            for ttl in (shortest, None)
        )
        code = (hits["end_to_end_byte"] - hits["model_byte"]) / hits["n_requests"]
        model = (mine["end_to_end_byte"] - code * mine["n_requests"]) / mine["n_fetches"]
        for rival in _rivals(results):
            other = results.values(TRAFFIC, (), "from_fetch", where={"system": rival}).set_index(SEED)[TRAFFIC]
            paired = pd.DataFrame({"model": model, "rival": other, "code": code}).dropna()
            found = break_even(paired["model"], paired["rival"], paired["code"])
            least = {arm: [found.least_ttl_s(rate, ttl_from) for rate in rates] for arm, ttl_from in TTL_FROM.items()}
            limit = found.p_miss_limit
            rows.append(
                {
                    "decoders of": system,
                    "against": rival,
                    "M (B)": f"{model.mean():,.0f}",
                    "J (B)": f"{other.mean():,.0f}",
                    "c (B)": f"{code.mean():,.0f}",
                    "n*": str(found),
                    "misses below": "never" if limit is None or limit <= 0 else f"{limit:.4f}",
                    **{f"{WORDS[arm]}, at least (s)": " / ".join(map(_seconds, of)) for arm, of in least.items()},
                }
            )
    return pd.DataFrame(rows)


def _seconds(value: float) -> str:
    return "never" if np.isinf(value) else quantity(value)


def _answer(results: Results, held: pd.DataFrame) -> str:
    """The question answered, with the sweep's own numbers."""
    base = _base(results)
    fits = {arm: _fit(results, arm) for arm in LOOK}
    kept = [found["as_good"][found["ttl_s"].isna()].any() for found in _optima(results).values()]
    sentences = [
        f"While keeping costs nothing, for ever is as good as the best TTL in {sum(kept)} of {len(kept)} settings of "
        "store, popularity and start of the TTL.",
        f"With room for every decoder of {base['system']} the elasticity of traffic to the TTL, over the finite ones, "
        f"is {fits['from_fetch']} if it counts from the fetch and {fits['renewed']} if each use renews it.",
    ]
    for rival in _rivals(results):
        won = [f"at {ttls} ({WORDS[arm]})" for arm, ttls in _beaten(results, rival).items()]
        sentences.append(
            f"Models that travel take less traffic than {rival} {' and '.join(won) or 'at no TTL of the sweep'}."
        )
    rates = _kinds(base["rate_per_s"], base["zipf"], len(results.source_types))
    rents = RENTS_PER_MIN[0], RENTS_PER_MIN[-1]
    free, dear = (_choice(_with_rent(results, held, rent, "renewed"))["as good (s)"] for rent in rents)
    sentences.append(
        f"Where keeping has a price, the TTLs as good as the best ({WORDS['renewed']}) go from {free} s to {dear} s as "
        f"the rent rises to {value_text(rents[1])} bytes of traffic for a byte kept a minute: a decoder is worth "
        f"keeping while it is wished for more often than the rent, and here that is {60 * rates[0]:.1f} and "
        f"{60 * rates[-1]:.1f} times a minute."
    )
    return " ".join(sentences)


def _fit(results: Results, arm: str) -> str:
    values = results.values(TRAFFIC, "ttl_s", arm, where={**_base(results), "ttl_s": _finite(results)})
    row = elasticity(values, "ttl_s", TRAFFIC).query("kind == 'fit'").iloc[0]
    return f"{row['mean']:+.2f} ± {row['half_width']:.2f}".replace("-", "−")


def _beaten(results: Results, rival: str) -> dict[str, str]:
    """Arm -> the TTLs at which its traffic is below the rival's, the paired interval excluding 0; "" left out."""
    found = {}
    other = results.values(TRAFFIC, (), "from_fetch", where={"system": rival}).set_index(SEED)[TRAFFIC]
    for arm in LOOK:
        values = results.values(TRAFFIC, "ttl_s", arm, where=_base(results))
        won = []
        for ttl, part in values.groupby("ttl_s", dropna=False):
            step = student_t((part.set_index(SEED)[TRAFFIC] - other).dropna())
            if step.high is not None and step.high < 0:
                won.append(float(ttl))
        if won:
            found[arm] = ", ".join(value_text(t) if np.isnan(t) else f"{value_text(t)} s" for t in sorted(won))
    return found


if __name__ == "__main__":
    draw(page_arguments(__doc__, folder=SWEEP).folder, Path(__file__).parent)
