"""SSIM, PSNR and SS over bits per pixel for LSCI and the classical codecs, and pictures at equal rate.

Usage:
    python experiments/lsci_rate/page.py experiments/lsci_rate
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import torch
import yaml
from matplotlib.axes import Axes

from simnet.core.plugins import KINDS
from simnet.report.figures.style import ARM_COLOURS, INK, MARKERS, page
from simnet.results import bd_quality, bd_rate, markdown, write_table
from simnet.results.bjontegaard_delta import overlap
from simnet.results.figures import save
from simnet.results.figures.canvas import styled
from simnet.results.page_arguments import HERE, page_arguments
from simnet.signal.rate_points import codec_of

SIZES = {"96x128": "96 × 128", "240x320": "240 × 320"}
QUANTITIES = {"ssim": "SSIM", "psnr_db": "PSNR, dB", "ss": "SS"}
LINES = {  # name on the page -> codecs of the table, joined by rising rate
    "LSCI: base, then slices": ("base", "base_pool8", "base_pool4", "base_pool2", "base_pool1"),
    "whole model for a higher rate": ("whole_c64",),
    "JPEG 2000": ("jpeg2000",),
    "JPEG": ("jpeg",),
    "ComCNN, JPEG, RecCNN": ("comcnn",),
    "WebP": ("webp",),
    "AVIF": ("avif",),
}
BASELINES = ("jpeg", "jpeg2000", "comcnn", "webp", "avif")
N_PICTURES = 3
PAPER = {
    ("jpeg", "ssim"): "much higher",
    ("jpeg", "psnr_db"): "+5 dB",
    ("jpeg2000", "ss"): "about +0.3",
    ("jpeg2000", "ssim"): "slightly higher",
    ("jpeg2000", "psnr_db"): "no discernible advantage",
}
"""What section IV-B says of LSCI at equal rate, by baseline and quantity."""


@styled
def draw(here: Path) -> None:
    """Draw ``figure.png`` and ``pictures.png`` and fill the README's tables from the points files beside this one."""
    tables = {size: pd.read_csv(here / f"points_{size}.csv").fillna({"setting": ""}) for size in SIZES}
    figure = page(11.0, 6.2)
    grid = figure.subplots(2, 3, squeeze=False)
    for row, (size, words) in enumerate(SIZES.items()):
        for column, (quantity, label) in enumerate(QUANTITIES.items()):
            _curves(grid[row, column], tables[size], quantity)
            grid[row, column].set_title(f"{words}: {label}")
            grid[row, column].set_xlabel("bits per pixel, header stripped")
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8.5)
    n = " and ".join(dict.fromkeys(str(int(table["n"].iloc[0])) for table in tables.values()))
    figure.suptitle(
        f"Which codec carries the most meaning per bit?\n{n} test pictures of CamVid; SS: mIoU, recovered over "
        "original; bars: 95 % intervals over pictures",
        x=0.01, ha="left", fontsize=10,
    )  # fmt: skip
    save(list(grid.ravel()), here / "figure.png")
    _pictures(here)
    readme = here / "README.md"
    for size, table in tables.items():
        write_table(readme, f"points {size}", markdown(_table(table)))
    write_table(readme, "verdict", markdown(pd.concat([_verdict(t, SIZES[s]) for s, t in tables.items()])))
    write_table(readme, "paper", markdown(pd.concat([_against_paper(t, SIZES[s]) for s, t in tables.items()])))


def _curves(axes: Axes, table: pd.DataFrame, quantity: str) -> None:
    for i, (name, codecs) in enumerate(LINES.items()):
        part = table[table["codec"].isin(codecs)].sort_values("bpp_stripped")
        if name.startswith("LSCI"):  # several slices reach the same rate: the points that no cheaper one beats
            part = part[part[quantity] >= part[quantity].cummax()]
        bars = None
        if quantity == "ss":
            bars = np.abs(part[["ss_low", "ss_high"]].to_numpy().T - part["ss"].to_numpy())
        axes.errorbar(
            part["bpp_stripped"], part[quantity], yerr=bars, label=name, color=ARM_COLOURS[i], marker=MARKERS[i],
            markersize=4.5, linewidth=2.0 if i == 0 else 1.3, elinewidth=0.8,
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_xticks([0.01, 0.03, 0.1, 0.3, 1], ["0.01", "0.03", "0.1", "0.3", "1"])
    axes.minorticks_off()


def _table(table: pd.DataFrame) -> pd.DataFrame:
    point = table["codec"] + " " + table["setting"]
    interval = [f"{row.ss:.3f} [{row.ss_low:.3f}, {row.ss_high:.3f}]" for row in table.itertuples()]
    return pd.DataFrame({
        "point": point.str.strip(),
        "bpp": table["bpp"],
        "bpp, header stripped": table["bpp_stripped"],
        "PSNR (dB)": table["psnr_db"],
        "SSIM": table["ssim"],
        "feature distance": table["feature_distance"],
        "mIoU": table["miou"],
        "SS [95 %]": interval,
        "decoder (bytes)": table["decoder_byte"],
    })  # fmt: skip


def _verdict(table: pd.DataFrame, size: str) -> pd.DataFrame:
    """At the lowest rate that each baseline reaches: its SS, and that of the best LSCI point of no higher rate."""
    own = table[table["codec"].isin(LINES["LSCI: base, then slices"])]
    rows = []
    for name in BASELINES:
        for header, column in (("counted", "bpp"), ("stripped", "bpp_stripped")):
            lowest = table[table["codec"] == name].sort_values(column).iloc[0]
            rivals = own[own[column] <= lowest[column]]
            best = None if rivals.empty else rivals.sort_values("ss").iloc[-1]
            named = "none reaches it" if best is None else f"{best['codec']} {best['setting']}".rstrip()
            rows.append({
                "size": size, "baseline": name, "header": header, "its lowest bpp": lowest[column],
                "its SS": lowest["ss"],
                "LSCI at most that": named,
                "LSCI's bpp": None if best is None else best[column],
                "LSCI's SS": None if best is None else best["ss"],
                "difference": None if best is None else round(best["ss"] - lowest["ss"], 3),
            })  # fmt: skip
    return pd.DataFrame(rows)


def _against_paper(table: pd.DataFrame, size: str) -> pd.DataFrame:
    """LSCI's rate at equal quality, and its quality at equal rate, against the two baselines that the paper names."""
    rows = []
    for name in ("jpeg", "jpeg2000"):
        for quantity, label in QUANTITIES.items():
            row = {"size": size, "baseline": name, "quality": label}
            for header, rate in (("counted", "bpp"), ("stripped", "bpp_stripped")):
                anchor, own = (
                    table[table["codec"].isin(codecs)][[rate, quantity]].to_numpy()
                    for codecs in ((name,), LINES["LSCI: base, then slices"])
                )
                row[f"BD-rate (%), {header}"] = f"{bd_rate(anchor, own):+.0f}"
                row[f"at equal rate, {header}"] = f"{bd_quality(anchor, own):+.3g}"
                row[f"of both curves' quality, {header}"] = f"{100 * overlap(anchor, own):.0f} %"
            rows.append(row | {"the paper, at equal rate": PAPER.get((name, quantity), "–")})
    return pd.DataFrame(rows)


def _pictures(here: Path) -> None:
    """Originals and what codecs make of them at about 0.2 bit per pixel, and foreground against background."""
    points = yaml.safe_load((here / "points_96x128.yaml").read_text())
    data = KINDS["data"].load(points["data_set"])().load("sample")
    chosen = np.linspace(10, len(data) - 10, N_PICTURES).astype(int)
    images = torch.tensor(data.images[chosen]).float() / 255
    columns = {
        "original": None,
        "LSCI base": ("base", {}),
        "LSCI base + slice 2": ("base_pool2", {"bpp": 0.2}),
        "foreground only": ("base_foreground", {"bpp": 0.2}),
        "background only": ("base_background", {"bpp": 0.2}),
        "JPEG 2000": ("jpeg2000", {"rate_bpp": 0.2, "header": "strip"}),
        "JPEG, quality 1": ("jpeg", {"quality": 1, "header": "strip"}),
    }
    figure = page(1.75 * len(columns), 1.45 * N_PICTURES + 0.5)
    grid = figure.subplots(N_PICTURES, len(columns), squeeze=False)
    for column, (name, how) in enumerate(columns.items()):
        shown, rate = images, ""
        if how is not None:
            described = dict(points["codecs"][how[0]])
            if "bpp" in how[1]:
                described["enhancement"] = {**described["enhancement"], **how[1]}
            else:
                described.update(how[1])
            codec = codec_of(described)
            codes = codec.encode(images)
            shown = codec.decode(codes, codec.decoder_slices)
            rate = f"\n{8 * np.mean([len(c) for c in codes]) / images[0, 0].numel():.3f} bpp"
        for row in range(N_PICTURES):
            axes = grid[row, column]
            axes.imshow(shown[row].permute(1, 2, 0).numpy(), interpolation="nearest")
            axes.set_axis_off()
        grid[0, column].set_title(f"{name}{rate}", fontsize=8.5, color=INK)
    save(list(grid.ravel()), here / "pictures.png")


if __name__ == "__main__":
    draw(page_arguments(__doc__, here=HERE).here)
