"""Symbols on the air and SS by device and arm, of a run of ``scenarios/jscc_or_digital.yaml``.

python -m simnet run scenarios/jscc_or_digital.yaml
python experiments/jscc_or_digital/page.py runs/jscc_or_digital-… experiments/jscc_or_digital
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simnet.report.figures.style import ARM_COLOURS, page
from simnet.report.statistics import mean
from simnet.results import markdown, write_table
from simnet.results.figures import save
from simnet.results.figures.canvas import styled
from simnet.results.page_arguments import HERE, RUN, page_arguments

ARMS = {
    "digital": "AVIF, LDPC, QAM, HARQ",
    "deepjscc": "DeepJSCC",
    "semcc": "SemCC",
    "planner": "the planner chooses",
}
WISHES = {"glances": "wished SS 0.6", "looks": "wished SS 0.9"}
USES = ["first_channel_use", "retry_channel_use", "overhead_channel_use"]


@styled
def draw(run: Path, here: Path) -> None:
    """Draw ``figure.png`` and fill the README's tables ``codes`` and ``arms``."""
    codes, transfers = _codes(run), pd.read_parquet(run / "transfers.parquet")
    figure = page(11.0, 6.0)
    axes = figure.subplots(2, 2, sharex=True)
    devices = sorted(codes["device"].unique())
    for row, (source, wish) in enumerate(WISHES.items()):
        of = codes[codes["source_type"] == source]
        _bars(axes[row][0], of, devices, "uses")
        _bars(axes[row][1], of, devices, "ss")
        axes[row][0].set(ylabel=f"{wish}\nsymbols of a code")
        axes[row][1].set(ylabel="SS of what arrives", ylim=(0, 1))
        axes[row][1].axhline(float(wish.split()[-1]), color="#666666", linewidth=0.8, linestyle=":")
    for ax in axes[-1]:
        ax.set_xticks(range(len(devices)), [f"{int(d.split('_')[1])} dB" for d in devices])
        ax.set_xlabel("mean Es/N0 of the device")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8)
    figure.suptitle(
        f"A picture file by LDPC and QAM, or symbols straight from a network?\n{codes['arm'].eq('digital').sum()} "
        "requests for CIFAR-10 images; a code with its digital header, retries and overhead; bars: 95 % over items; "
        "dotted: the wish",
        x=0.01, ha="left", fontsize=10,
    )  # fmt: skip
    save(axes.ravel().tolist(), here / "figure.png")
    write_table(here / "README.md", "codes", markdown(_by_device(codes, devices)))
    write_table(here / "README.md", "arms", markdown(_by_arm(codes, transfers)))


def _codes(run: Path) -> pd.DataFrame:
    """One row per delivered code: ``arm``, ``device``, ``source_type``, ``codec``, ``uses``, ``ss``."""
    transfers = pd.read_parquet(run / "transfers.parquet")
    transfers = transfers[(transfers["payload_class"] == "code") & (transfers["outcome"] == "delivered")]
    got = pd.read_parquet(run / "deliveries.parquet")
    keys = ["arm", "request_id"]
    table = got.merge(transfers.groupby(keys, observed=True)[[*USES, "air_s"]].sum().reset_index(), on=keys)
    table["uses"], table["device"] = table[USES].sum(axis=1), table["consumer"].astype(str)
    return table


def _bars(ax: Axes, codes: pd.DataFrame, devices: list[str], column: str) -> None:
    width = 0.8 / len(ARMS)
    for i, (arm, name) in enumerate(ARMS.items()):
        groups = [codes[(codes["arm"] == arm) & (codes["device"] == d)].dropna(subset=column) for d in devices]
        found = [mean(group[column], group["item_id"]) for group in groups]
        means = [math.nan if each["value"] is None else each["value"] for each in found]
        errors = [math.nan if each["high"] is None else each["high"] - each["value"] for each in found]
        places = np.arange(len(devices)) + (i - (len(ARMS) - 1) / 2) * width
        ax.bar(places, means, width, yerr=errors, color=ARM_COLOURS[i], label=name, error_kw={"elinewidth": 0.8})


def _by_device(codes: pd.DataFrame, devices: list[str]) -> pd.DataFrame:
    """What each arm sent to each device: codecs, symbols, SS."""
    rows = []
    for (source, device, arm), of in codes.groupby(["source_type", "device", "arm"], observed=True):
        rows.append({
            "wish": WISHES[str(source)],
            "Es/N0 (dB)": int(str(device).split("_")[1]),
            "arm": ARMS[str(arm)],
            "codecs": ", ".join(f"{name} {n}" for name, n in of["codec"].value_counts().items() if n),
            "symbols": round(of["uses"].mean()),
            "SS": of["ss"].mean(),
        })  # fmt: skip
    order = {name: i for i, name in enumerate(ARMS.values())}
    return pd.DataFrame(rows).sort_values(
        ["wish", "Es/N0 (dB)", "arm"], key=lambda c: c.map(order) if c.name == "arm" else c
    )


def _by_arm(codes: pd.DataFrame, transfers: pd.DataFrame) -> pd.DataFrame:
    """Symbols of codes and of decoders, and after how many codes the decoders are paid."""
    rows, of_code = [], codes.groupby("arm", observed=True)["uses"].mean()
    for arm, name in ARMS.items():
        models = transfers[(transfers["arm"] == arm) & (transfers["payload_class"] == "model")]
        uses, saved = models[USES].sum().sum(), of_code["digital"] - of_code[arm]
        rows.append({
            "arm": name,
            "symbols of a code": round(of_code[arm]),
            "decoders, kB": models["delivered_byte"].sum() / 1e3,
            "decoders, thousand symbols": uses / 1e3,
            "codes until they are paid, all devices": "–" if saved <= 0 or not uses else f"{uses / saved:,.0f}",
            "SS": codes[codes["arm"] == arm]["ss"].mean(),
        })  # fmt: skip
    return pd.DataFrame(rows)


if __name__ == "__main__":
    given = page_arguments(__doc__, run=RUN, here=HERE)
    draw(given.run, given.here)
