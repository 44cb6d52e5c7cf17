"""What noise leaves of detection (after paper 004, Fig. 12): mAP over Es/N0 of codecs at one rate, over AWGN.

python experiments/concept_noise/page.py experiments/concept_noise            # measures, then draws
python experiments/concept_noise/page.py experiments/concept_noise --draw     # from points.csv
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from torch import Tensor

from simnet.codecs.base import Codec
from simnet.codecs.sesc import Sesc
from simnet.core import streams
from simnet.core.mcs import mcs_by_name
from simnet.core.units import db_to_linear
from simnet.core.zoo import model_dir
from simnet.data.camvid_small import CamVidSmall
from simnet.phy.channels.registry import channel_by_name
from simnet.phy.learned.on_air import OnAir
from simnet.report.figures.style import ARM_COLOURS, MARKERS, page
from simnet.results import markdown, write_table
from simnet.results.figures import save
from simnet.results.figures.canvas import styled
from simnet.results.page_arguments import DRAW, HERE, page_arguments
from simnet.signal.digital.transport import channel_uses, delivery
from simnet.signal.other_judges import DetectionJudge
from simnet.signal.rate_points import codec_of
from simnet.tasks.networks.detector import load_detector

SEED = 1
RATE_BPP = 0.33
"""The paper's. Each codec's setting that comes nearest from below."""
SCHEME, WORDS = "QPSK 1/2", "2304"
ESNO_DB = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0)
SHAPE = (3, 96, 128)
BATCH = 12
AGAINST = {"_own": "what the detector surely finds in the originals", "": "the true boxes"}
"""End of the columns' names -> what detections are held against; the first is the paper's way."""
CODECS: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "RL-ASC, one level": ("rlasc", [{"level": level} for level in range(1, 7)]),
    "LSCI, a slice": (
        "lsci",
        [
            {"enhancement": {"pooling": 2, "bpp": bpp, "super_resolution": "lsci_sr/street_2"}}
            for bpp in (0.2, 0.25, 0.3, 0.32)
        ],
    ),
    "JPEG 2000": ("jpeg2000", [{"image_shape": SHAPE, "header": "strip", "rate_bpp": RATE_BPP}]),
    "AVIF": ("avif", [{"image_shape": SHAPE, "header": "strip", "quality": q} for q in range(0, 60, 5)]),
    "JPEG": ("jpeg", [{"image_shape": SHAPE, "header": "strip", "optimize": True, "quality": q} for q in range(1, 12)]),
}
"""Name -> kind, settings from the lowest rate to the highest. Headers aren't counted, to the rivals' advantage."""


def measure() -> pd.DataFrame:
    """``codec``, ``setting``, ``bpp``, ``symbols``, ``esno_db``, share that arrives, both mAPs with intervals."""
    pictures = CamVidSmall().load("sample")
    judge = DetectionJudge.of(pictures, load_detector(model_dir("detector/street") / "weights.safetensors"))
    images = torch.from_numpy(pictures.images).float() / 255
    chance = np.array([streams.uniform(SEED, "lost", str(i)) for i in range(len(images))])
    grey = images.mean((0, 2, 3), keepdim=True)[0]
    rows = []
    for name in CODECS:
        setting, codes, made = _coded(name, images)
        mcs = mcs_by_name(SCHEME)
        symbols = np.mean([channel_uses(len(code), mcs, WORDS) for code in codes])
        for esno_db in ESNO_DB:
            esno = float(db_to_linear(esno_db))
            arrives = chance < [delivery(len(code), mcs, WORDS, "awgn", esno) for code in codes]
            seen = torch.where(torch.from_numpy(arrives)[:, None, None, None], made, grey)
            rows.append({
                "codec": name, "setting": str(setting), "bpp": round(_bpp(codes), 4), "symbols": round(symbols),
                "esno_db": esno_db, "arrives": arrives.mean(), **judge.held_against(seen),
            })  # fmt: skip
        print(name, file=sys.stderr)
    return pd.DataFrame([*rows, *_as_symbols(images, judge)])


def _as_symbols(images: Tensor, judge: DetectionJudge) -> list[dict[str, Any]]:
    """SE-SC with all its features, which happen to take as many symbols; a row for each Es/N0."""
    codec, channel = Sesc(Sesc.Params()), channel_by_name("awgn")
    codes = [code for batch in images.split(BATCH) for code in codec.encode(batch)]
    uses, rows = codec.analog.uses, []
    for esno_db in ESNO_DB:
        esno = float(db_to_linear(esno_db))
        each = [OnAir.drawn(channel, uses, esno, 0, "noise", str(esno_db), i) for i in range(len(codes))]
        arrived = codec.over_air(codes, each)
        found = judge.held_against(_decoded(codec, arrived))
        rows.append({
            "codec": "SE-SC", "setting": "symbols", "symbols": uses.forward, "esno_db": esno_db, "arrives": 1.0,
            **found,
        })  # fmt: skip
    return rows


def _bpp(codes: list[bytes]) -> float:
    return float(8 * np.mean([len(code) for code in codes]) / (SHAPE[1] * SHAPE[2]))


def _decoded(codec: Codec, codes: list[bytes]) -> Tensor:
    parts = (codec.decode(codes[i : i + BATCH], codec.decoder_slices) for i in range(0, len(codes), BATCH))
    return torch.cat(list(parts))


def _coded(name: str, images: Tensor) -> tuple[dict[str, Any], list[bytes], Tensor]:
    """At the setting of the highest mean rate that isn't above ``RATE_BPP``: codes, and what they decode to."""
    kind, settings = CODECS[name]
    for setting in reversed(settings):
        codec = codec_of({"kind": kind, **setting})
        codes = [code for batch in images.split(BATCH) for code in codec.encode(batch)]
        if _bpp(codes) <= RATE_BPP:
            return setting, codes, _decoded(codec, codes)
    raise SystemExit(f"{name}: every setting takes more than {RATE_BPP} bpp")


@styled
def draw(here: Path) -> None:
    """Draw ``figure.png`` and fill the README's tables ``noise_own`` and ``noise``."""
    table = pd.read_csv(here / "points.csv")
    figure = page(10.0, 4.8)
    panels = figure.subplots(1, len(AGAINST))
    for ax, (end, against) in zip(panels, AGAINST.items(), strict=True):
        _curves(ax, table, end)
        ax.set_title(f"Against {against}")
        write_table(here / "README.md", f"noise{end}", markdown(_by_noise(table, f"map_50{end}")))
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8.5)
    figure.suptitle(
        f"Detection in what arrives: 120 street scenes of 96 × 128 at {RATE_BPP} bpp or just below,\nLDPC and "
        f"{SCHEME.replace('1/2', '½')}, nothing repeated, a picture with a lost block counts as grey; bands: 95 %",
        x=0.01, ha="left", fontsize=10,
    )  # fmt: skip
    save(list(panels), here / "figure.png")


def _curves(ax: Axes, table: pd.DataFrame, end: str) -> None:
    """mAP over Es/N0, a line and its band per codec, of the columns whose names end so."""
    for i, (name, of) in enumerate(table.groupby("codec", sort=False)):
        rate = f"{of['bpp'].iloc[0]:.2f} bpp" if of["bpp"].notna().all() else "symbols"
        colour, band = ARM_COLOURS[i], (of[f"map_low{end}"], of[f"map_high{end}"])
        ax.plot(of["esno_db"], of[f"map_50{end}"], marker=MARKERS[i], color=colour, label=f"{name}, {rate}")
        ax.fill_between(of["esno_db"], *band, color=colour, alpha=0.12, linewidth=0)
    ax.set(xlabel="Es/N0 (dB), AWGN", ylabel="mAP at an overlap of ½", ylim=(0, None))


def _by_noise(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """A row per codec, a column per Es/N0."""
    index = ["codec", "symbols"]
    shown = table.pivot_table(index=index, columns="esno_db", values=column, sort=False).reset_index()
    shown.columns = [f"{c:g} dB" if isinstance(c, float) else str(c) for c in shown.columns]
    return shown


if __name__ == "__main__":
    given = page_arguments(__doc__, {"draw": DRAW}, here=HERE)
    folder = given.here
    if not given.draw:
        measure().to_csv(folder / "points.csv", index=False)
    draw(folder)
