"""The page: traffic and SS over store size, what policies and shared trunks change, what surrogates are worth."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pandas as pd

from simnet.report.figures.style import page
from simnet.report.wording import number
from simnet.results import Results, ResultsError, figures, load, markdown, optimum, write_table
from simnet.results.estimates import ESTIMATE, SEED, estimate, groups, interval_of
from simnet.results.figures.canvas import styled
from simnet.results.labels import value_text
from simnet.results.page_arguments import SWEEP, page_arguments
from simnet.statistics.interval import Interval
from simnet.statistics.replications import student_t

STORE, TRAFFIC, SS, SATISFIED = "store_byte", "byte_per_request", "ss_mean", "satisfied"
SHARED = "_shared"
"""An arm whose name ends so shares trunks, and differs in nothing else from the arm without this ending."""
N_SIZES = 3
"""Classes of decoder sizes, equally many fetches in each."""
APART = 0.01
"""Share of the axis, from one arm's bars to the next one's."""


def draw(folder: Path, here: Path) -> None:
    """Figures and tables beside this file, from the sweep's folder."""
    results = load(folder)
    readme = here / "README.md"
    changes = _changes(results)
    _curves(results, _title(changes), here / "figure.png")
    _differences(results, here / "differences.png")
    write_table(readme, "means", results.table([TRAFFIC, SS, SATISFIED, "latency_p95_s"], by=STORE))
    write_table(readme, "best", markdown(_best(results)))
    write_table(readme, "changes", markdown(_shown(changes)))
    write_table(readme, "rivals", markdown(_shown(_rivals(results))))
    write_table(readme, "answer", _answer(changes))
    write_table(readme, "late", markdown(_late(results)))
    write_table(readme, "fetched", markdown(_fetched(results)))
    write_table(readme, "audit", markdown(_audit(results)))


def _fetching(results: Results) -> list[str]:
    """Arms to which models travel."""
    bytes_ = results.runs.groupby("arm")["model_byte"].sum()
    return [arm for arm in results.arms if bytes_[arm] > 0]


def _pairs(results: Results) -> list[tuple[str, str]]:
    """(arm, against) that differ in one thing: a policy against the first, sharing against not sharing."""
    arms = _fetching(results)
    policies = [(arm, arms[0]) for arm in arms[1:] if not arm.endswith(SHARED)]
    return policies + [(arm, arm.removesuffix(SHARED)) for arm in arms if arm.endswith(SHARED)]


def _compared(results: Results, pairs: list[tuple[str, str]]) -> pd.DataFrame:
    """Per pair and store size: ratio of traffic with Fieller's interval, paired differences of SS and satisfied."""
    parts = []
    for arm, against in pairs:
        ratio = results.ratio(TRAFFIC, TRAFFIC, STORE, arm, over=against).rename(columns={"over": "against"})
        for metric in (SS, SATISFIED):
            gain = results.difference(metric, arm, against, STORE)[[STORE, *ESTIMATE]]
            ratio = ratio.merge(gain.rename(columns={name: f"{metric}_{name}" for name in ESTIMATE}), on=STORE)
        parts.append(ratio)
    return pd.concat(parts, ignore_index=True)


def _changes(results: Results) -> pd.DataFrame:
    return _compared(results, _pairs(results))


def _rivals(results: Results) -> pd.DataFrame:
    """Arms that need no model, each compared with the arm with models that has the least traffic at that store size."""
    arms = _fetching(results)
    rivals = [arm for arm in results.arms if arm not in arms]
    table = _compared(results, [(arm, rival) for rival in rivals for arm in arms])
    return table.loc[table.groupby(["against", STORE])["ratio"].idxmin()]


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    """Comparisons as the page shows them, numbers with their intervals."""
    return pd.DataFrame(
        {
            "store (B)": [value_text(byte) for byte in table[STORE]],
            "arm": table["arm"],
            "against": table["against"],
            "traffic, ratio": [_ratio(row) for _, row in table.iterrows()],
            "mean SS, difference": [str(_gain(row, SS)) for _, row in table.iterrows()],
            "satisfied, difference": [str(_gain(row, SATISFIED)) for _, row in table.iterrows()],
        }
    )


def _ratio(row: pd.Series, places: int = 3) -> str:
    low, high = (f"{row[end]:,.{places}f}" if math.isfinite(row[end]) else "no bound" for end in ("low", "high"))
    return f"{row['ratio']:,.{places}f} ({low} to {high}, n = {row['n']})"


def _gain(row: pd.Series, metric: str) -> Interval:
    return interval_of({name: row[f"{metric}_{name}"] for name in ESTIMATE})


def _largest(changes: pd.DataFrame, *, shared: bool) -> pd.Series:
    """The comparison with the least ratio of traffic, of sharing or of policies."""
    of = changes[changes["arm"].str.endswith(SHARED) == shared]
    return of.loc[of["ratio"].idxmin()]


def _title(changes: pd.DataFrame) -> str:
    trunks, policy = (_largest(changes, shared=shared)["ratio"] for shared in (True, False))
    saved = f"Shared trunks save up to {100 * (1 - trunks):.0f} % of the traffic"
    return f"{saved}, eviction policies up to {100 * (1 - policy):.0f} %"


def _answer(changes: pd.DataFrame) -> str:
    """Sentences whose numbers come from the tables."""
    lines = []
    for shared, what in ((False, "another policy"), (True, "shared trunks")):
        of, best = changes[changes["arm"].str.endswith(SHARED) == shared], _largest(changes, shared=shared)
        less, more = int((of["high"] < 1).sum()), int((of["low"] > 1).sum())
        better, worse = int((of[f"{SS}_low"] > 0).sum()), int((of[f"{SS}_high"] < 0).sum())
        lines.append(
            f"- **With {what}**, traffic is least relative to what it is compared with in `{best['arm']}` at "
            f"{value_text(best[STORE])} B: {_ratio(best)} times that of `{best['against']}`; mean SS then differs by "
            f"{_gain(best, SS)}. Of {len(of)} comparisons {less} show less traffic and {more} more, {better} a higher "
            f"SS and {worse} a lower one; in the others no difference can be told (95 % intervals, each for itself)."
        )
    return "\n".join(lines)


def _best(results: Results) -> pd.DataFrame:
    """Per store size the arms with least traffic and with most SS, and those that can't be told from them."""
    rows: dict[float, dict[str, str]] = {}
    for metric, sense, heading in ((TRAFFIC, "least", "least traffic"), (SS, "most", "most SS")):
        values = results.values(metric, STORE, _fetching(results))
        for byte, of in optimum(values, "arm", metric, sense).groupby(STORE):
            good = of[of["as_good"]].sort_values("best", ascending=False)
            rows.setdefault(byte, {"store (B)": value_text(byte)})[heading] = ", ".join(good["arm"])
    return pd.DataFrame(list(rows.values()))


def _late(results: Results) -> pd.DataFrame:
    """Of the first arm's requests that fetched a decoder: the share that came too late, by the bytes fetched."""
    requests = results.records("requests", arm=results.arms[0])
    fetched = requests[requests["model_byte"] > 0]
    size = pd.qcut(fetched["model_byte"], N_SIZES)
    late = (fetched["outcome"] == "timeout").astype(float).groupby([size, fetched[SEED]], observed=True).mean()
    rows = [
        {"fetched (B)": f"{number(at.left)} to {number(at.right)}", "too late (share)": str(student_t(share))}
        for at, share in late.groupby(level=0, observed=True)
    ]
    return pd.DataFrame(rows)


def _fetched(results: Results) -> pd.DataFrame:
    """Bytes of models per request that fetched any, with Fieller's interval; a column per arm with whole decoders."""
    whole = [arm for arm in _fetching(results) if not arm.endswith(SHARED)]
    table = results.ratio("model_byte", "n_fetches", STORE, whole)
    rows: dict[float, dict[str, str]] = {}
    for _, row in table.iterrows():
        rows.setdefault(row[STORE], {"store (B)": value_text(row[STORE])})[row["arm"]] = _ratio(row, places=0)
    return pd.DataFrame(list(rows.values()))


def _audit(results: Results) -> pd.DataFrame:
    """Mean SS drawn, mean SS that networks gave on other images, their difference, over replications."""
    audits = []
    for ids, _ in groups(results.runs, ["run", SEED]):
        folder = results.source.records.get(ids["run"])
        if folder is None:
            raise ResultsError(f"audit: run {ids['run']} kept no records; set 'keep: records' in the sweep's file")
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        audits.append({**ids, **manifest["surrogates"]["audit"]})
    by_seed = pd.DataFrame(audits).groupby(SEED).mean(numeric_only=True)
    words = {
        "measurements": "audited measurements of a run",
        "ss_surrogate": "their mean SS, drawn",
        "ss_neural": "mean SS of networks on other images",
        "difference": "difference, drawn − networks",
    }
    return pd.DataFrame([{"": word, **estimate(student_t(by_seed[column]))} for column, word in words.items()])


@styled
def _curves(results: Results, title: str, file: Path) -> None:
    """Traffic and SS over store size, a line per arm."""
    above, below = page(6.4, 6.2).subplots(2, 1, sharex=True)
    figures.lines(results, STORE, TRAFFIC, log="xy", apart=APART, title=title, axes=above)
    figures.lines(results, STORE, SS, log="x", apart=APART, title="", axes=below)
    above.set_xlabel("")
    below.set_xlabel("store of a device (B)")
    figures.save(above, file)


@styled
def _differences(results: Results, file: Path) -> None:
    """Traffic and SS of every arm with models, less those of the first."""
    first, *others = _fetching(results)
    above, below = page(7.4, 8.4).subplots(2, 1)
    for axes, metric, title in ((above, TRAFFIC, f"Against {first}: traffic"), (below, SS, f"Against {first}: SS")):
        figures.differences(results, metric, first, STORE, arm=others, title=title, axes=axes)
    figures.save(above, file)


if __name__ == "__main__":
    draw(page_arguments(__doc__, folder=SWEEP).folder, Path(__file__).parent)
