"""How many features must be sent, and which (paper 002, Figs 2, 4 and 5, with segmentation as the task).

python experiments/sesc_features/page.py experiments/sesc_features            # measures, then draws
python experiments/sesc_features/page.py experiments/sesc_features --draw     # from points.csv
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from torch import Tensor

from simnet.codecs.jpeg2000 import Jpeg2000
from simnet.codecs.networks.sesc import Sesc, above, load_sesc, most_important
from simnet.codecs.networks.sesc_importance import load_importance
from simnet.core import streams
from simnet.core.mcs import mcs_by_name
from simnet.core.units import db_to_linear
from simnet.core.zoo import model_dir
from simnet.data.camvid_small import CamVidSmall
from simnet.report.figures.style import ARM_COLOURS, MARKERS, page
from simnet.results import markdown, write_table
from simnet.results.figures import save
from simnet.results.figures.canvas import styled
from simnet.results.page_arguments import DRAW, HERE, page_arguments
from simnet.signal.digital.points import SCHEMES
from simnet.signal.digital.transport import channel_uses, delivery
from simnet.signal.originals import Originals
from simnet.tasks.networks import load_segmenter
from simnet.tasks.networks.segmenter import Segmenter
from simnet.training.sesc import recovery
from simnet.training.sesc_importance import weigh_by

SEED, MODEL, IMPORTANCE, TASK = 1, "sesc/street", "sesc_importance/street_segmentation", "segmenter/street_parser"
SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
THRESHOLDS = (0.0, 0.2, 0.3, 0.5)
"""μ; the paper has 0 (all features), 0.2 and 0.3."""
ESNO_DB = (0.0, 3.0, 6.0, 9.0, 12.0, 15.0, 20.0)
SHARE_AT_DB = 15.0
ENOUGH = 0.95
"""L_opt: the fewest features that have this share of the SS of all."""
WAYS = {
    "important": "the most important ones",
    "with_codec": "by the network trained with the codec",
    "any": "at random",
}
Choose = Callable[[Tensor], Tensor]
Weigh = Callable[[Tensor], Tensor]
"""Pictures -> weights of their features."""


def measure() -> pd.DataFrame:
    """``what``, ``value``, ``esno_db``, mean ``features``, PSNR, SS with its interval, of the shipped pictures."""
    networks = load_sesc(model_dir(MODEL) / "weights.safetensors")
    judge, task = (load_segmenter(model_dir(name) / "weights.safetensors") for name in ("segmenter/street_judge", TASK))
    originals = Originals.of(CamVidSmall().load("sample"), judge, task)
    n_features = networks.shape.n_features
    rows: list[dict[str, Any]] = []

    weighed = _weighers(networks, task)

    def add(what: str, value: float, esno_db: float, weigh: Weigh, choose: Choose) -> None:
        counts: list[float] = []
        recover = _recovery(networks, weigh, choose, esno_db, counts)
        quality = originals.held_against(recover)
        rows.append({"what": what, "value": value, "esno_db": esno_db, "features": np.mean(counts), **quality})

    for share in SHARES:
        n = max(1, round(share * n_features))
        for way, weigh in weighed.items():
            add(way, share, SHARE_AT_DB, weigh, lambda w, n=n: most_important(w, n))
        print(f"{share:g} of the features", file=sys.stderr)
    for threshold in THRESHOLDS:
        for esno_db in ESNO_DB:
            add("threshold", threshold, esno_db, weighed["important"], lambda w, t=threshold: above(w, t))
        print(f"μ = {threshold:g}", file=sys.stderr)
    n_symbol = n_features * networks.shape.symbols
    return pd.concat([pd.DataFrame(rows), _digital(originals, n_symbol)])


def _weighers(networks: Sesc, task: Segmenter) -> dict[str, Weigh]:
    """By the names of ``WAYS``."""
    chance = torch.Generator().manual_seed(SEED)
    return {
        "important": weigh_by(load_importance(model_dir(IMPORTANCE) / "weights.safetensors").network, networks, task),
        "with_codec": partial(networks.weights, task=task),
        "any": lambda images: torch.rand(len(images), networks.shape.n_features, generator=chance),
    }


def _recovery(
    networks: Sesc, weigh: Weigh, choose: Choose, esno_db: float, counts: list[float]
) -> Callable[[Tensor], Tensor]:
    """As the training's, with the number of features of each picture told."""

    def counted(weights: Tensor) -> Tensor:
        sent = choose(weights)
        counts.extend(sent.sum(1).tolist())
        return sent

    seed = int(streams.generator(SEED, "sesc", str(esno_db)).integers(2**62))
    return recovery(networks, weigh, counted, esno_db, seed)


def _digital(originals: Originals, n_symbol: int) -> pd.DataFrame:
    """JPEG 2000 in as many symbols as all features take, by the best scheme at each Es/N0; what is lost is grey."""
    images = torch.tensor(originals.images.images) / 255
    mean = images.mean((0, 2, 3), keepdim=True)
    lost = originals.held_against(lambda x: mean.expand_as(x))
    shape = (images.shape[1], images.shape[2], images.shape[3])
    sent = {}
    for scheme in SCHEMES:
        mcs = mcs_by_name(scheme)
        n_byte = max(n for n in range(20, n_symbol, 4) if channel_uses(n, mcs, "2304") <= n_symbol)
        bpp = 8 * n_byte / (shape[1] * shape[2])
        codec = Jpeg2000(Jpeg2000.Params(image_shape=shape, rate_bpp=bpp, header="strip"))
        sent[scheme] = n_byte, originals.held_against(lambda x, codec=codec: codec.decode(codec.encode(x)))
    rows = []
    for esno_db in ESNO_DB:
        best: dict[str, Any] = {"ss": -1.0}
        for scheme, (n_byte, quality) in sent.items():
            p = delivery(n_byte, mcs_by_name(scheme), "2304", "rayleigh_block", float(db_to_linear(esno_db)))
            mixed = {key: p * quality[key] + (1 - p) * lost[key] for key in ("ss", "psnr_db")}
            if mixed["ss"] > best["ss"]:
                best = {"what": "jpeg2000", "scheme": scheme, "esno_db": esno_db, "n": quality["n"], **mixed}
        rows.append(best)
    return pd.DataFrame(rows)


@styled
def draw(here: Path) -> None:
    """Draw ``figure.png`` and ``pictures.png`` and fill the README's tables ``shares`` and ``thresholds``."""
    table = pd.read_csv(here / "points.csv")
    n_features = load_sesc(model_dir(MODEL) / "weights.safetensors").shape.n_features
    figure = page(10.5, 4.2)
    left, right = figure.subplots(1, 2)
    for i, (what, name) in enumerate(WAYS.items()):
        _line(left, table[table["what"] == what], "features", i, name)
    found = _l_opt(table)
    left.axvline(found, ymin=0.25, color="#666666", linewidth=0.8, linestyle=":")  # the legend stands below
    left.annotate(
        f"L_opt = {found:.0f}: at least {100 * ENOUGH:.0f} % of the SS of all", (found, left.get_ylim()[1]),
        xytext=(-3, -3), textcoords="offset points", ha="right", va="top", fontsize=8,
    )  # fmt: skip
    left.axvspan(found, n_features, color="#F2F2F2", zorder=0)
    for x, down, words in ((found / 2, -18, "each feature adds"), ((found + n_features) / 2, -3, "more add little")):
        left.annotate(words, (x, left.get_ylim()[1]), xytext=(0, down), textcoords="offset points", ha="center",
                      va="top", fontsize=8, color="#666666")  # fmt: skip
    left.set(xlabel=f"features sent, of {n_features}", ylabel="SS of segmentation")
    left.legend(loc="lower right", title=f"at {SHARE_AT_DB:g} dB")
    for i, threshold in enumerate(THRESHOLDS):
        of = table[(table["what"] == "threshold") & (table["value"] == threshold)]
        _line(right, of, "esno_db", i, f"μ = {threshold:g}: {of['features'].mean():.0f} features")
    rival = table[table["what"] == "jpeg2000"]
    right.plot(
        rival["esno_db"],
        rival["ss"],
        "--",
        color=ARM_COLOURS[4],
        marker=MARKERS[4],
        label="JPEG 2000, best LDPC and QAM",
    )
    right.set(xlabel="mean Es/N0, dB", ylabel="SS of segmentation")
    right.legend(loc="lower right")
    figure.suptitle(
        f"How many features does a task need, and which?\n{int(table['n'].max())} street scenes of 96 × 128 over slow "
        "Rayleigh fading; bars: 95 % intervals over pictures",
        x=0.01, ha="left", fontsize=10,
    )  # fmt: skip
    save([left, right], here / "figure.png")
    _pictures(here)
    write_table(here / "README.md", "shares", markdown(_shares(table)))
    write_table(here / "README.md", "thresholds", markdown(_thresholds(table)))


def _line(ax: Axes, of: pd.DataFrame, x: str, i: int, name: str) -> None:
    bars = np.abs(of[["ss_low", "ss_high"]].to_numpy().T - of["ss"].to_numpy())
    ax.errorbar(of[x], of["ss"], yerr=bars, color=ARM_COLOURS[i], marker=MARKERS[i], label=name, elinewidth=0.7)


def _l_opt(table: pd.DataFrame) -> float:
    of = table[table["what"] == "important"].sort_values("features")
    return float(of[of["ss"] >= ENOUGH * of["ss"].iloc[-1]]["features"].iloc[0])


def _shares(table: pd.DataFrame) -> pd.DataFrame:
    of = table[table["what"].isin(WAYS)]
    wide = of.pivot_table(index="features", columns="what", values=["ss", "psnr_db"])
    columns = {
        f"{'SS' if key == 'ss' else 'PSNR, dB'}, {name}": wide[key][what]
        for key in ("ss", "psnr_db")
        for what, name in WAYS.items()
    }
    return pd.DataFrame({"features": wide.index.astype(int), **columns}).reset_index(drop=True)


def _thresholds(table: pd.DataFrame) -> pd.DataFrame:
    """SS over Es/N0 for each μ, and the share of the symbols that it saves."""
    of = table[table["what"] == "threshold"]
    all_of = of[of["value"] == 0.0]["features"].mean()
    rows = []
    for threshold, part in of.groupby("value"):
        row: dict[str, Any] = {"μ": threshold, "features": part["features"].mean()}
        row["symbols saved"] = f"{100 * (1 - row['features'] / all_of):.0f} %"
        rows.append(row | {f"SS at {db:g} dB": ss for db, ss in zip(part["esno_db"], part["ss"], strict=True)})
    rival = table[table["what"] == "jpeg2000"]
    rows.append(
        {"μ": "JPEG 2000"} | {f"SS at {db:g} dB": ss for db, ss in zip(rival["esno_db"], rival["ss"], strict=True)}
    )
    return pd.DataFrame(rows)


def _pictures(here: Path) -> None:
    """Originals, weights, and what arrives with half of the features (Fig. 4)."""
    networks = load_sesc(model_dir(MODEL) / "weights.safetensors")
    weigh = _weighers(networks, load_segmenter(model_dir(TASK) / "weights.safetensors"))["important"]
    chosen = CamVidSmall().load("sample").images[[3, 50, 100]]
    images = torch.tensor(chosen) / 255
    with torch.no_grad():
        weights = weigh(images)
    half = _recovery(networks, weigh, lambda w: most_important(w, w.shape[1] // 2), SHARE_AT_DB, [])(images)
    full = _recovery(networks, weigh, lambda w: most_important(w, w.shape[1]), SHARE_AT_DB, [])(images)
    figure = page(10.0, 6.0)
    axes = figure.subplots(len(images), 4)
    titles = ("original", "weights", "half of the features", "all features")
    for row, (original, weight, some, every) in enumerate(zip(images, weights, half, full, strict=True)):
        shown = (
            original.permute(1, 2, 0),
            weight.view(networks.shape.grid),
            some.permute(1, 2, 0),
            every.permute(1, 2, 0),
        )
        for ax, title, picture in zip(axes[row], titles, shown, strict=True):
            ax.imshow(picture.numpy(), cmap="viridis", vmin=0, vmax=1, interpolation="nearest")
            ax.set_axis_off()
            if row == 0:
                ax.set_title(title)
    figure.suptitle(
        f"What does the task need of a picture?\nSlow Rayleigh fading, mean Es/N0 {SHARE_AT_DB:g} dB",
        x=0.01, ha="left", fontsize=10,
    )  # fmt: skip
    save(axes.ravel().tolist(), here / "pictures.png")


if __name__ == "__main__":
    given = page_arguments(__doc__, {"draw": DRAW}, here=HERE)
    folder = given.here
    if not given.draw:
        torch.set_num_threads(1)
        measure().to_csv(folder / "points.csv", index=False, float_format="%.5g", lineterminator="\n")
    draw(folder)
