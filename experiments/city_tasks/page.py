"""SS, traffic and chosen codecs by task, of a run of ``scenarios/city_tasks.yaml``.

python -m simnet run scenarios/city_tasks.yaml
python experiments/city_tasks/page.py runs/city_tasks-… experiments/city_tasks
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simnet.report.figures.style import ARM_COLOURS, MARKERS, SOURCE_COLOURS, page
from simnet.report.statistics import mean
from simnet.results import markdown, write_table
from simnet.results.figures import save
from simnet.results.figures.canvas import styled
from simnet.results.page_arguments import HERE, RUN, page_arguments

ARMS = {
    "jpeg2000": "JPEG 2000",
    "best_single": "best single codecs",
    "planner_bytes": "planner, by bytes",
    "planner_airtime": "planner, by airtime",
}
TASKS = {"vehicles": "recognition", "streets": "segmentation", "traffic": "detection"}
WISHES = ("low", "high")
"""A source is named by its pictures and its wish."""
SYSTEMS = {
    "aesc": "AESC-I",
    "semcc": "SemCC",
    "lsci": "LSCI",
    "rlasc": "RL-ASC",
    "sesc": "SE-SC",
    "jpeg2000": "JPEG 2000",
}
GOOD_DB = 10
PLACES = {
    "far": "a camera elsewhere",
    "bad": f"own gateway's, below {GOOD_DB} dB",
    "good": f"own gateway's, {GOOD_DB} dB or more",
}
USES = ["first_channel_use", "retry_channel_use", "overhead_channel_use"]


@styled
def draw(run: Path, here: Path) -> None:
    """Draw ``figure.png`` and fill the README's tables."""
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    served, transfers = _served(run), pd.read_parquet(run / "transfers.parquet")
    figure = page(11.5, 6.6)
    axes = figure.subplots(2, 3)
    for column, task in enumerate(TASKS.values()):
        of = served[served["task"] == task]
        _traffic(axes[0][column], of)
        axes[0][column].set_title(task)
        _choices(axes[1][column], of)
    axes[0][0].set_ylabel("SS of what arrives")
    axes[0][0].legend(loc="lower left", fontsize=8)
    for ax in axes[1][1:]:
        ax.set_yticks([])
    systems = dict(pair for ax in axes[1] for pair in zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    figure.legend(systems.values(), systems.keys(), loc="outside lower center", ncols=len(systems), fontsize=8)
    n_requests = served["request_id"].nunique()
    figure.suptitle(
        f"One city, three tasks, {n_requests} requests. Above: open for low wishes, filled for high ones (dotted); "
        "retries counted; bars: 95 % over items.\nBelow: whose codes the planner by airtime chose, by wish and by "
        "where camera and device were (white: the request ended before)",
        x=0.01, ha="left", fontsize=10,
    )  # fmt: skip
    save(axes.ravel().tolist(), here / "figure.png")
    for name, table in (
        ("arms", _by_arm(served)), ("choices", _by_place(served)), ("models", _models(transfers, served)),
        ("codecs", _foreseen(manifest)),
    ):  # fmt: skip
        write_table(here / "README.md", name, markdown(table))


def _served(run: Path) -> pd.DataFrame:
    """One row per request: outcome, ``codec``, ``ss``, ``place``, and ``uses`` of its codes' symbols."""
    requests, nodes = pd.read_parquet(run / "requests.parquet"), pd.read_parquet(run / "nodes.parquet")
    codes = pd.read_parquet(run / "transfers.parquet")
    codes = codes[codes["payload_class"] == "code"]
    uses = codes.groupby(["arm", "request_id"], observed=True)[USES].sum().sum(axis=1).rename("uses").reset_index()
    devices = nodes[["arm", "node", "attached_to", "mean_esno_db"]].rename(columns={"node": "consumer"})
    table = requests.astype({"consumer": str, "owner": str}).merge(
        devices.astype({"consumer": str, "attached_to": str}), on=["arm", "consumer"], how="left"
    )
    table = table.merge(uses, on=["arm", "request_id"], how="left").fillna({"uses": 0})
    table[["pictures", "wish"]] = table["source_type"].astype(str).str.split("_", n=1, expand=True)
    table["task"] = pd.Categorical(table["pictures"].map(TASKS), list(TASKS.values()))
    table["wish"] = pd.Categorical(table["wish"], WISHES)
    near = np.where(table["mean_esno_db"] < GOOD_DB, "bad", "good")
    table["place"] = np.where(table["owner"] == table["attached_to"], near, "far")
    table["codec"] = table["codec"].astype(object).fillna("none")
    table["system"] = table["codec"].map(_system)
    return table


def _system(codec: str) -> str:
    """Of a codec of the scenario; "none" is none's."""
    return codec if codec == "none" else SYSTEMS.get(codec.split("_")[0], SYSTEMS["jpeg2000"])


def _traffic(ax: Axes, of: pd.DataFrame) -> None:
    """SS over symbols of a code, a point for each arm and wish."""
    for i, (arm, name) in enumerate(ARMS.items()):
        for wish in WISHES:
            rows = of[(of["arm"] == arm) & (of["wish"] == wish)]
            x, dx = _mean(rows.assign(uses=rows["uses"] / 1e3), "uses")
            y, dy = _mean(rows, "ss")
            high = wish == WISHES[-1]
            ax.errorbar(
                x, y, xerr=dx, yerr=dy, fmt=MARKERS[i], color=ARM_COLOURS[i], label=name if high else None,
                elinewidth=0.9, capsize=2, markersize=7, fillstyle="full" if high else "none",
            )  # fmt: skip
    for wished in of["wish_ss"].unique():
        ax.axhline(wished, color="#666666", linewidth=0.8, linestyle=":")
    ax.set(xlabel="thousand symbols of a code", xlim=(0, None), ylim=(0, 1))


def _choices(ax: Axes, of: pd.DataFrame) -> None:
    """Shares of systems by place, of the planner by airtime."""
    chosen = of[of["arm"] == "planner_airtime"]
    bars = [(wish, place) for wish in WISHES for place in PLACES]
    counts = pd.crosstab([chosen["wish"], chosen["place"]], chosen["system"]).reindex(bars, fill_value=0)
    left = np.zeros(len(counts))
    for i, system in enumerate(SYSTEMS.values()):
        if system not in counts:
            continue
        share = (counts[system] / counts.sum(axis=1).clip(lower=1)).to_numpy()
        ax.barh(range(len(counts)), share, left=left, color=SOURCE_COLOURS[i], label=system, height=0.6)
        left = left + share
    ax.set_yticks(range(len(counts)), [f"{wish} wish,\n{PLACES[place]}" for wish, place in bars], fontsize=8)
    for y, n in enumerate(counts.sum(axis=1)):
        ax.annotate(f"n = {n}", (1, y), xytext=(3, 0), textcoords="offset points", va="center", fontsize=7)
    ax.invert_yaxis()
    ax.set(xlim=(0, 1), xlabel="share of requests")


def _mean(served: pd.DataFrame, column: str) -> tuple[float, float]:
    """Mean and half width of its 95 % interval, items as clusters; nan where there is none."""
    of = served.dropna(subset=column)
    found = mean(of[column], of["item_id"])
    value, high = (math.nan if found[key] is None else float(found[key]) for key in ("value", "high"))
    return value, high - value


def _by_arm(served: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (task, wish), group in served.groupby(["task", "wish"], observed=True):
        for arm, name in ARMS.items():
            of = group[group["arm"] == arm]
            ss, half = _mean(of, "ss")
            rows.append({
                "task": task,
                "wish": f"{wish}, {of['wish_ss'].iloc[0]:g}",
                "arm": name,
                "requests": len(of),
                "satisfied": f"{100 * (of['outcome'] == 'satisfied').mean():.0f} %",
                "SS": f"{ss:.3f} ± {half:.3f}",
                "bytes of a code": round(of["code_byte"].mean()),
                "symbols of a code": round(of["uses"].mean()),
                "latency, s": of["ended_s"].sub(of["created_s"]).mean(),
            })  # fmt: skip
    return pd.DataFrame(rows)


def _by_place(served: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (task, wish), group in served.groupby(["task", "wish"], observed=True):
        for place, where in PLACES.items():
            row: dict[str, object] = {"task": task, "wish": wish, "camera and device": where}
            for arm in ("planner_bytes", "planner_airtime"):
                of = group[(group["arm"] == arm) & (group["place"] == place)]
                counts = of["codec"].astype(str).value_counts()
                row[ARMS[arm]] = ", ".join(f"{name} {n}" for name, n in counts.items() if n) or "–"
            rows.append(row)
    return pd.DataFrame(rows)


def _models(transfers: pd.DataFrame, served: pd.DataFrame) -> pd.DataFrame:
    """What decoders cost an arm, and what its codes saved against JPEG 2000's."""
    uses = served.groupby("arm", observed=True)["uses"].sum()
    models = transfers[transfers["payload_class"] == "model"]
    rows = []
    for arm, name in ARMS.items():
        of = models[models["arm"] == arm]
        symbols, saved = of[USES].sum().sum(), uses["jpeg2000"] - uses[arm]
        rows.append({
            "arm": name,
            "decoders, kB over all links": of["delivered_byte"].sum() / 1e3,
            "decoders, thousand symbols": symbols / 1e3,
            "codes, thousand symbols": uses[arm] / 1e3,
            "runs like this until decoders are paid": "–" if saved <= 0 or not symbols else f"{symbols / saved:.1f}",
        })  # fmt: skip
    return pd.DataFrame(rows)


def _foreseen(manifest: dict[str, Any]) -> pd.DataFrame:
    """What the planner knew: why it chose as it did."""
    rows = []
    for pictures, task in TASKS.items():
        for codec, facts in manifest["codecs"].items():
            if card := facts["cards"].get(f"{pictures}_{WISHES[0]}"):
                rows.append({
                    "task": task,
                    "codec": codec,
                    "system": _system(codec),
                    "a code": (
                        f"{facts['symbols']:,} symbols" if facts["symbols"] else f"{card['code_byte']:,.0f} bytes"
                    ),
                    "SS, undamaged": card["ss"],
                    "decoder, kB": round(sum(s["n_byte"] for s in facts["decoder"].values()) / 1e3, 1),
                })  # fmt: skip
    return pd.DataFrame(rows)


if __name__ == "__main__":
    given = page_arguments(__doc__, run=RUN, here=HERE)
    draw(given.run, given.here)
