"""SS over Es/N0: LSCI by channel slices or LDPC, JPEG 2000 by LDPC, and DeepJSCC; nothing is repeated.

Usage:
    python experiments/lsci_channel/page.py experiments/lsci_channel            # measures, then draws
    python experiments/lsci_channel/page.py experiments/lsci_channel --draw     # from points.csv
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from simnet.codecs.base import Codec
from simnet.codecs.jpeg2000 import Jpeg2000
from simnet.codecs.lsci import Lsci
from simnet.codecs.networks.channel_slices import load_channel_slices, through_channel
from simnet.codecs.networks.jscc import load_jscc, n_symbols
from simnet.codecs.networks.lsci import load_base, pad_to_stride
from simnet.core import streams
from simnet.core.mcs import MCS_TABLE
from simnet.core.plugins import KINDS
from simnet.core.zoo import model_dir
from simnet.phy.blocks import BlockFormat, split
from simnet.phy.chain import BlockJob, DigitalChain, Reception
from simnet.phy.channels.registry import channel_by_name
from simnet.report.figures.style import ARM_COLOURS, MARKERS, page
from simnet.results import markdown, write_table
from simnet.results.crossing import crossing
from simnet.results.figures import save
from simnet.results.figures.canvas import styled
from simnet.results.page_arguments import DRAW, HERE, page_arguments
from simnet.signal.originals import Originals, batches
from simnet.tasks.networks import load_segmenter

SEED = 1
ESNO_DB = (-6.0, -3.0, -1.0, 0.0, 1.0, 2.0, 3.0, 5.0, 8.0, 11.0, 15.0, 20.0)
FADINGS = {
    "awgn": "AWGN",
    "rayleigh_block": "Rayleigh, h constant over a picture",
    "rayleigh_fast": "Rayleigh, a new h per symbol",
}
SYSTEMS = {
    "slice_low": "LSCI, channel slice for −3 … 6 dB",
    "slice_high": "LSCI, channel slice for 6 … 15 dB",
    "ldpc": "LSCI, LDPC ½, 4QAM",
    "jpeg2000": "JPEG 2000, LDPC ½, 4QAM",
    "deepjscc": "DeepJSCC, k/n 1/4.8",
}
DEEPJSCC = {"awgn": "jscc/street_awgn", "rayleigh_block": "jscc/street_rayleigh_block"}
"""Channels that it was trained for."""
NOTHING = "nothing"
JPEG2000_BPP = 0.1
Recover = Callable[[Tensor], Tensor]


def measure() -> pd.DataFrame:
    """One row per channel, Es/N0 and system, over the shipped pictures."""
    networks = (load_segmenter(model_dir(f"segmenter/street_{n}") / "weights.safetensors") for n in ("judge", "parser"))
    data = KINDS["data"].load("camvid_small")()
    originals = Originals.of(data.load("sample"), *networks)
    lsci = Lsci(Lsci.Params(image_shape=data.image_shape))
    jpeg2000 = Jpeg2000(Jpeg2000.Params(image_shape=data.image_shape, rate_bpp=JPEG2000_BPP, header="strip"))
    chain = DigitalChain()
    nothing = originals.held_against(_nothing(originals))
    rows = []
    for fading in FADINGS:
        rows.append({"fading": fading, "esno_db": ESNO_DB[0], "system": NOTHING, "uses": 0, **nothing})
        for esno_db in ESNO_DB:
            for system in SYSTEMS:
                uses: list[int] = []
                if system == "deepjscc":
                    if fading not in DEEPJSCC:
                        continue
                    recover = _deepjscc(DEEPJSCC[fading], esno_db, uses)
                elif system.startswith("slice"):
                    recover = _learned(f"channel/street_{fading}_{system.removeprefix('slice_')}", esno_db, uses)
                else:
                    codec = lsci if system == "ldpc" else jpeg2000
                    recover = _digital(codec, fading, esno_db, chain, uses)
                quality = originals.held_against(recover)
                rows.append({"fading": fading, "esno_db": esno_db, "system": system, "uses": np.mean(uses), **quality})
            print(f"{fading} {esno_db:g} dB", file=sys.stderr)
    return pd.DataFrame(rows)


@torch.no_grad()
def _nothing(originals: Originals) -> Recover:
    """The same picture for all: what the generator makes of the mean code, for which nothing need be sent."""
    base, _ = load_base(model_dir("lsci/street") / "weights.safetensors")
    codes = [base.quantiser(base.encoder(pad_to_stride(images))) for images, _ in batches(originals.images)]
    mean = base.generator(torch.cat(codes).mean(0, keepdim=True))
    return lambda images: mean[..., : images.shape[2], : images.shape[3]].expand_as(images)


def _learned(model: str, esno_db: float, uses: list[int]) -> Recover:
    """w^q through Ce, the channel with feedback, and Cd; the generator takes what Cd gives."""
    slices = load_channel_slices(model_dir(model) / "weights.safetensors")
    base, _ = load_base(model_dir("lsci/street") / "weights.safetensors")
    channel = slices.shape.channel()
    generator = torch.Generator().manual_seed(int(streams.generator(SEED, model, str(esno_db)).integers(2**62)))

    @torch.no_grad()
    def recover(images: Tensor) -> Tensor:
        quantised = base.quantiser(base.encoder(pad_to_stride(images)))
        esno = torch.full((len(images),), 10 ** (esno_db / 10))
        uses.append(quantised[0].numel())
        received = through_channel(slices, channel, quantised, esno, esno, generator)
        return base.generator(received)[..., : images.shape[2], : images.shape[3]]

    return recover


def _deepjscc(model: str, esno_db: float, uses: list[int]) -> Recover:
    """Pixels straight to symbols."""
    networks = load_jscc(model_dir(model) / "weights.safetensors")
    (head,), channel = networks.shape.heads, networks.shape.channel()
    generator = torch.Generator().manual_seed(int(streams.generator(SEED, model, str(esno_db)).integers(2**62)))

    @torch.no_grad()
    def recover(images: Tensor) -> Tensor:
        k = n_symbols((images.shape[2], images.shape[3]), head)
        uses.append(k)
        esno = torch.full((len(images),), 10 ** (esno_db / 10))
        return networks(images, head, channel, esno, channel.draw(len(images), k, generator))

    return recover


def _digital(codec: Codec, fading: str, esno_db: float, chain: DigitalChain, uses: list[int]) -> Recover:
    """Codes in their raw layout, each picture over a channel of its own; wrong bits stay wrong."""
    channel, esno = channel_by_name(fading), 10 ** (esno_db / 10)
    n_sent = 0

    def recover(images: Tensor) -> Tensor:
        nonlocal n_sent
        jobs, counts = [], []
        for code in codec.encode_raw(images):
            blocks = [(BlockFormat(k, MCS_TABLE[0]), part) for k, part in split(code)]
            n_symbols = [math.ceil(form.coded_bits / 2) for form, _ in blocks]
            gains = channel.gains(sum(n_symbols), rng=streams.generator(SEED, "gain", fading, str(esno_db), n_sent))
            uses.append(sum(n_symbols))
            parts = np.split(gains, np.cumsum(n_symbols)[:-1])
            for index, ((form, part), gain) in enumerate(zip(blocks, parts, strict=True)):
                key = (SEED, "noise", codec.name, fading, str(esno_db), n_sent, index)
                jobs.append(BlockJob(part, form, (Reception(esno, gain.astype(np.complex64), key),)))
            counts.append(len(blocks))
            n_sent += 1
        results = iter(chain.transmit(jobs))
        received = [b"".join(next(results).payload for _ in range(count)) for count in counts]
        return codec.decode_raw(received, codec.decoder_slices)

    return recover


@styled
def draw(table: pd.DataFrame, here: Path) -> None:
    """Draw ``figure.png`` and fill the README's tables."""
    figure = page(11.0, 3.9)
    grid = figure.subplots(1, 3, sharey=True)
    for axes, (fading, words) in zip(grid, FADINGS.items(), strict=True):
        for i, (system, name) in enumerate(SYSTEMS.items()):
            part = table[(table["fading"] == fading) & (table["system"] == system)].sort_values("esno_db")
            if part.empty:
                continue
            bars = np.abs(part[["ss_low", "ss_high"]].to_numpy().T - part["ss"].to_numpy())
            axes.errorbar(
                part["esno_db"], part["ss"], yerr=bars, label=f"{name} ({part['uses'].iloc[0]:.0f} uses)",
                color=ARM_COLOURS[i], marker=MARKERS[i], markersize=4, linewidth=1.5, elinewidth=0.7,
            )  # fmt: skip
        nothing = table[(table["fading"] == fading) & (table["system"] == NOTHING)]["ss"].iloc[0]
        axes.axhline(nothing, color="#888888", linestyle="--", linewidth=1, label="nothing sent: one mean picture")
        axes.set_title(words)
        axes.set_xlabel("mean Es/N0, dB")
    grid[0].set_ylabel("SS (mIoU, recovered over original)")
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=8.5)
    figure.suptitle(
        f"Where does SS fall when the channel gets worse, and nothing is sent again?\n{int(table['n'].iloc[0])} test "
        "pictures, a channel each; bars: 95 % intervals; uses: complex symbols a picture, the feedback's own left out",
        x=0.01, ha="left", fontsize=9.5,
    )  # fmt: skip
    save(list(grid), here / "figure.png")
    write_table(here / "README.md", "gain", markdown(_gains(table)))
    write_table(here / "README.md", "points", markdown(_points(table)))


def _gains(table: pd.DataFrame) -> pd.DataFrame:
    """dB that the better channel slice saves against LDPC, at SS between nothing sent and unharmed."""
    rows = []
    for fading, words in FADINGS.items():
        part = table[table["fading"] == fading]
        digital = part[part["system"] == "ldpc"].sort_values("esno_db")
        learned = part[part["system"].str.startswith("slice")].groupby("esno_db")["ss"].max()
        best = float(digital["ss"].max())
        least = float(part[part["system"] == NOTHING]["ss"].iloc[0])
        uses = {s: float(part[part["system"] == s]["uses"].iloc[0]) for s in ("ldpc", "slice_low")}
        for share in (0.25, 0.5, 0.75):
            curves = digital.set_index("esno_db")["ss"], learned
            at = [crossing(ss.index, ss, least + share * (best - least)) for ss in curves]
            gain = None if None in at else at[0] - at[1]  # type: ignore[operator]
            energy = None if gain is None else gain + 10 * math.log10(uses["ldpc"] / uses["slice_low"])
            wanted = f"{least + share * (best - least):.3f}, {share:.0%} of the way from {least:.3f} to {best:.3f}"
            rows.append({
                "channel": words, "SS wanted": wanted,
                "LDPC needs (dB)": at[0], "slices need (dB)": at[1], "gain in Es/N0 (dB)": gain,
                "gain in energy a picture (dB)": energy,
                "the same, feedback counted (dB)": None if energy is None else energy - 10 * math.log10(1.5),
            })  # fmt: skip
    return pd.DataFrame(rows).round(1)


def _points(table: pd.DataFrame) -> pd.DataFrame:
    sent = table[table["system"] != NOTHING]
    wide = sent.pivot_table(index=["fading", "esno_db"], columns="system", values="ss", sort=False).reset_index()
    return wide[["fading", "esno_db", *SYSTEMS]].rename(columns={"esno_db": "Es/N0 (dB)", **SYSTEMS})


if __name__ == "__main__":
    given = page_arguments(__doc__, {"draw": DRAW}, here=HERE)
    folder = given.here
    torch.set_num_threads(1)
    if not given.draw:
        measure().round(5).to_csv(folder / "points.csv", index=False)
    draw(pd.read_csv(folder / "points.csv"), folder)
