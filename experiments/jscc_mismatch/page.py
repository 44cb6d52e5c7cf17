"""Accuracy over the Es/N0 that is met, judged by classifiers that no one trained for (paper 003, Figs 13 and 14).

python experiments/jscc_mismatch/page.py experiments/jscc_mismatch            # measures, then draws
python experiments/jscc_mismatch/page.py experiments/jscc_mismatch --draw     # from points.csv and differences.csv
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from simnet.codecs.avif import Avif
from simnet.codecs.classical.file_codec import FileCodec
from simnet.codecs.hevc import Hevc
from simnet.codecs.networks.jscc import load_jscc, n_symbols
from simnet.core.units import db_to_linear
from simnet.core.zoo import model_dir
from simnet.data.cifar10 import Cifar10
from simnet.report.figures.style import ARM_COLOURS, MARKERS, page
from simnet.results import markdown, write_table
from simnet.results.figures import save
from simnet.results.figures.canvas import styled
from simnet.results.page_arguments import DRAW, HERE, page_arguments
from simnet.signal.digital.ladder import Viewer, climb
from simnet.signal.digital.points import SCHEMES, Budget, best, bound
from simnet.statistics.replications import paired
from simnet.tasks.classification import Classification
from simnet.tasks.networks import load_network
from simnet.training.cards import read_card
from simnet.training.jscc_evaluation import transmitted, truth

JUDGES = {
    "cifar10_judge": "ResNet-20, the guide",
    "cifar10_repvgg": "RepVGG",
    "cifar10_features": "a plain CNN",
    "cifar10_shufflenet": "ShuffleNet V2",
}
"""The first guided DeepSC and SemCC; no system has met the others."""
SYSTEMS = {"deepjscc": "DeepJSCC", "deepsc": "DeepSC", "semcc": "SemCC", "semre": "SemRE"}
RIVALS = {
    "digital": "mosaics, best of HEVC and AVIF, LDPC and QAM",
    "bound": "mosaics, bound of capacity",
}
HEADS = {8: "k/n = 1/6", 4: "k/n = 1/12"}
ESNO_DB = (-5.0, 0.0, 5.0, 10.0, 15.0, 20.0)
TRAINED_DB = (0, 20)
FIRST = "semcc"
"""What the others are compared with, in pairs."""
SIDE, SEED, N_IMAGES = 10, 1, 1000
QUALITIES = tuple(range(0, 95, 6))


def measure() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Of the shipped test images, over block fading.

    Returns:
        ``judge``, ``head``, ``esno_db``, ``system``, ``accuracy``; and by what :data:`FIRST` is ahead of another
        learned system, paired over images and what they meet: ``less``, ``difference``, and ``half_width`` of its 95 %
        interval.
    """
    data = Cifar10().load("sample").first(N_IMAGES)
    images, labels = torch.tensor(data.images) / 255, torch.tensor(data.labels)
    judges = {name: load_network(model_dir(f"classifier/{name}") / "weights.safetensors") for name in JUDGES}
    rows: list[dict[str, Any]] = []
    hits: dict[tuple[str, int, float], dict[str, NDArray[np.float64]]] = {}
    for system in _trained():
        networks = load_jscc(model_dir(f"jscc/{system}_rayleigh_block") / "weights.safetensors")
        for head in HEADS:
            for esno_db in ESNO_DB:
                made = transmitted(networks, data.images, head, esno_db, SEED)
                for name, judge in judges.items():
                    hit = hits.setdefault((name, head, esno_db), {})[system] = truth(judge, made, labels)[0].numpy()
                    where = {"judge": name, "head": head, "esno_db": esno_db}
                    rows.append({**where, "system": system, "accuracy": float(hit.mean())})
        print(system, file=sys.stderr)
    for name, judge in judges.items():
        viewer = Viewer(images, labels, Classification(judge))
        families: tuple[type[FileCodec], ...] = (Hevc, Avif)
        ladders = [climb(family, {}, QUALITIES, viewer, SIDE) for family in families]
        for head in HEADS:
            for esno_db in ESNO_DB:
                budget = Budget(n_symbols((32, 32), head), "rayleigh_block", float(db_to_linear(esno_db)))
                sent = [best(x, budget, strip=True, schemes=SCHEMES, criterion="accuracy") for x in ladders]
                limits = [bound(x, budget, strip=True, criterion="accuracy") for x in ladders]
                for rival, outcomes in (("digital", sent), ("bound", limits)):
                    where = {"judge": name, "head": head, "esno_db": esno_db}
                    rows.append({**where, "system": rival, "accuracy": max(o.accuracy for o in outcomes)})
        print(name, file=sys.stderr)
    return pd.DataFrame(rows), pd.DataFrame([row for place, hit in hits.items() for row in _differences(place, hit)])


def _differences(place: tuple[str, int, float], hit: Mapping[str, NDArray[np.float64]]) -> list[dict[str, Any]]:
    rows, where = [], dict(zip(("judge", "head", "esno_db"), place, strict=True))
    for less in hit:
        if less != FIRST:
            ahead = paired(hit[FIRST], hit[less])
            rows.append({**where, "less": less, "difference": ahead.value, "half_width": ahead.half_width})
    return rows


def _trained() -> list[str]:
    return [s for s in SYSTEMS if (model_dir(f"jscc/{s}_rayleigh_block") / "weights.safetensors").exists()]


@styled
def draw(here: Path) -> None:
    """Draw ``figure.png`` and fill the README's tables ``judges``, ``at_5_db`` and ``ahead``."""
    table, differences = pd.read_csv(here / "points.csv"), pd.read_csv(here / "differences.csv")
    figure = page(14.0, 6.2)
    axes = figure.subplots(len(HEADS), len(JUDGES), sharex=True, sharey=True)
    for row, (head, words) in enumerate(HEADS.items()):
        for ax, (judge, name) in zip(axes[row], JUDGES.items(), strict=True):
            of = table[(table["head"] == head) & (table["judge"] == judge)]
            for i, (system, label) in enumerate((SYSTEMS | RIVALS).items()):
                line = of[of["system"] == system]
                if line.empty:  # not trained yet
                    continue
                look = {"color": ARM_COLOURS[i], "marker": MARKERS[i], "markersize": 4, "label": label}
                style = "-" if system in SYSTEMS else ":" if system == "bound" else "--"
                ax.plot(line["esno_db"], line["accuracy"], linestyle=style, **look)
            ax.axvspan(*TRAINED_DB, color="#F2F2F2", zorder=0)
            if row == 0:
                ax.set_title(f"judged by {name}")
        axes[row][0].set_ylabel(f"{words}\naccuracy")
    for ax in axes[-1]:
        ax.set_xlabel("mean Es/N0 that is met, dB")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8)
    figure.suptitle(
        f"Does the meaning survive another channel and another judge?\n{N_IMAGES:,} test images of CIFAR-10, Rayleigh "
        "fading, one h per image (digital: per mosaic); shaded: Es/N0 of training",
        x=0.01, ha="left", fontsize=10,
    )  # fmt: skip
    save(axes.ravel().tolist(), here / "figure.png")
    write_table(here / "README.md", "judges", markdown(_judges()))
    at = table[table["esno_db"] == 5.0].copy()
    at["accuracy, %"] = (100 * at["accuracy"]).round(1)
    at["judge"], at["k/n"] = at["judge"].map(JUDGES), at["head"].map(HEADS).str.removeprefix("k/n = ")
    at["system"] = at["system"].map(SYSTEMS | RIVALS)
    wide = at.pivot_table(index=["k/n", "judge"], columns="system", values="accuracy, %", sort=False).reset_index()
    write_table(here / "README.md", "at_5_db", markdown(wide))
    at = differences[differences["esno_db"] == 5.0].copy()
    at["points"] = [f"{100 * r.difference:+.1f} ± {100 * r.half_width:.1f}" for r in at.itertuples()]
    at["points"] = at["points"].str.replace("-", "−")
    at["judge"], at["k/n"] = at["judge"].map(JUDGES), at["head"].map(HEADS).str.removeprefix("k/n = ")
    at["before"] = "before " + at["less"].map(SYSTEMS) + ", points"
    wide = at.pivot_table("points", ["k/n", "judge"], "before", aggfunc="first", sort=False).reset_index()
    write_table(here / "README.md", "ahead", markdown(wide))


def _judges() -> pd.DataFrame:
    """How large the judges are, and how good before originals, by their cards."""
    rows = []
    for judge, name in JUDGES.items():
        card = read_card(model_dir(f"classifier/{judge}"))
        test: Any = card.measured["test"]
        low, high = (f"{100 * bound:.1f}" for bound in test["interval_95"])
        accuracy = f"{100 * test['accuracy']:.1f} ({low}–{high})"
        rows.append({"judge": name, "parameters": f"{card.parameters['task']:,}", "originals, accuracy, %": accuracy})
    return pd.DataFrame(rows)


if __name__ == "__main__":
    given = page_arguments(__doc__, {"draw": DRAW}, here=HERE)
    folder = given.here
    if not given.draw:
        torch.set_num_threads(1)
        for name, measured in zip(("points", "differences"), measure(), strict=True):
            measured.to_csv(folder / f"{name}.csv", index=False, float_format="%.5g", lineterminator="\n")
    draw(folder)
