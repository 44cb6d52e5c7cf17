"""Airtime and SS of one code over the link's Es/N0, by arm, of a run of ``scenarios/channel_slices.yaml``.

python experiments/lsci_channel/network.py runs/channel_slices-… experiments/lsci_channel
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from simnet.report.figures.style import ARM_COLOURS, MARKERS, page
from simnet.report.statistics import ratio
from simnet.results import markdown, write_table
from simnet.results.figures import save
from simnet.results.figures.canvas import styled
from simnet.results.page_arguments import HERE, RUN, page_arguments

ARMS = {
    "ldpc": "bits: LDPC and QAM with HARQ",
    "one_slice": "symbols: one channel slice",
    "slice_per_region": "symbols: a slice per region",
    "planner_chooses": "the planner chooses",
}
STEP_DB = 3.0
APART_DB = 0.2
"""From one arm's bars to the next one's, which would cover each other."""


@styled
def draw(run: Path, here: Path) -> None:
    """Draw ``network.png`` and fill the README's table ``network``."""
    codes = _codes(run)
    figure = page(10.0, 4.0)
    left, right = figure.subplots(1, 2)
    rows = []
    for i, (arm, name) in enumerate(ARMS.items()):
        groups = codes[codes["arm"] == arm].groupby("bin")
        table = groups.apply(_figures, include_groups=False)
        look = {"color": ARM_COLOURS[i], "marker": MARKERS[i], "markersize": 4, "label": name}
        if arm == "planner_chooses":
            look |= {"linestyle": "--", "linewidth": 1.2}
        at_db = table.index + APART_DB * (i - (len(ARMS) - 1) / 2)
        left.plot(table.index, table["air_ms"], **look)
        bars = np.abs(table[["ss_low", "ss_high"]].to_numpy().T - table["ss"].to_numpy())
        right.errorbar(at_db, table["ss"], yerr=bars, elinewidth=0.7, **look)
        rows.append(table.assign(arm=name).reset_index())
    left.set(xlabel="mean Es/N0 of the link, dB", ylabel="airtime of a code with its header, ms", ylim=(0, None))
    right.set(xlabel="mean Es/N0 of the link, dB", ylabel="SS (recovered over original)")
    for panel in (left, right):
        panel.set_xticks(codes["bin"].unique())
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8)
    figure.suptitle(
        "Is it cheaper to send bits or symbols?\nA day in which the mean Es/N0 swings; "
        f"{codes['arm'].eq('ldpc').sum()} requests; bars, side by side: 95 % intervals over pictures",
        x=0.01, ha="left", fontsize=10,
    )  # fmt: skip
    save([left, right], here / "network.png")
    shown = pd.concat(rows)
    wide = shown.pivot_table(index="bin", columns="arm", values=["air_ms", "symbols_share"], sort=False)
    words = pd.DataFrame({"Es/N0 (dB)": wide.index})
    for name in ARMS.values():
        words[f"{name} (ms)"] = wide["air_ms"][name].round(2).to_numpy()
    words["of the planner's, by symbols"] = [f"{share:.0%}" for share in wide["symbols_share"][ARMS["planner_chooses"]]]
    write_table(here / "README.md", "network", markdown(words))


def _codes(run: Path) -> pd.DataFrame:
    """One row per code that was delivered: its airtime, the Es/N0 that it met, what it was worth."""
    transfers = pd.read_parquet(run / "transfers.parquet")
    deliveries = pd.read_parquet(run / "deliveries.parquet")
    sent = transfers[transfers["payload_class"] == "code"][["arm", "request_id", "air_s", "esno_db"]]
    codes = sent.merge(deliveries, on=["arm", "request_id"])
    return codes.assign(bin=(codes["esno_db"] / STEP_DB).round() * STEP_DB + 0.0)


def _figures(codes: pd.DataFrame) -> pd.Series:  # type: ignore[type-arg]
    """Mean airtime, ΣST(recovered)/ΣST(original) with its interval, items as clusters, share that went as symbols."""
    ss = ratio(codes["st_recovered"], codes["st_original"], codes["item_id"])
    return pd.Series({
        "air_ms": 1e3 * codes["air_s"].mean(),
        "ss": ss["value"],
        "ss_low": ss["low"],
        "ss_high": ss["high"],
        "symbols_share": codes["codec"].str.startswith("symbols").mean(),
    })  # fmt: skip


if __name__ == "__main__":
    given = page_arguments(__doc__, run=RUN, here=HERE)
    draw(given.run, given.here)
