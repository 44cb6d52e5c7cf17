"""RL-ASC with one level for all concepts, against other codecs: rate, mIoU, mAP, KID, PSNR.

python experiments/concept_bits/page.py experiments/concept_bits
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import torch
import yaml
from matplotlib import colormaps
from matplotlib.axes import Axes
from numpy.typing import NDArray

from simnet.codecs.rlasc import Rlasc
from simnet.core.plugins import KINDS
from simnet.report.figures.style import ARM_COLOURS, MARKERS, page
from simnet.results import bd_quality, bd_rate, markdown, write_table
from simnet.results.bjontegaard_delta import overlap
from simnet.results.figures import save
from simnet.results.figures.canvas import styled
from simnet.results.page_arguments import HERE, page_arguments
from simnet.signal.rate_points import codec_of

QUANTITIES = {  # column -> label, logarithmic
    "miou": ("mIoU of the judge", False),
    "map_50": ("mAP of the detector, overlap ½", False),
    "feature_kid": ("KID of our own features (lower is better)", True),
    "psnr_db": ("PSNR, dB", False),
}
LINES = {  # name on the page -> codecs of the table, joined by rising rate
    "RL-ASC, one level for all": ("simplified",),
    "DSSLIC, reduced": ("dsslic", "dsslic_residual"),
    "LSCI: base, then slices": ("lsci_base", "lsci_pool4", "lsci_pool2"),
    "JPEG 2000": ("jpeg2000",),
    "JPEG": ("jpeg",),
    "HEVC intra": ("hevc",),
    "AVIF": ("avif",),
}
PAPER = {
    "DSSLIC, reduced": "−97.71; fine-tuned for meaning −60.77",
    "JPEG 2000": "−99.69",
    "JPEG": "−100",
    "HEVC intra": "−89.68",
}
"""BD-rate of Table II, per cent, of RL-ASC with its agent; BPG is an HEVC intra picture."""
RATES = (0.15, 0.32, 0.45)
"""Bits per pixel of ``triple.png``."""
SHOWN = (20, 70, 100)
"""Shipped pictures of ``pictures.png``."""


@styled
def draw(here: Path) -> None:
    """Draw ``figure.png`` and ``pictures.png`` and fill the README's tables from ``points.csv``."""
    table = pd.read_csv(here / "points.csv").fillna({"setting": ""})
    original = table[table["codec"] == "original"].iloc[0]
    figure = page(11.0, 7.4)
    grid = figure.subplots(2, 2)
    for axes, (quantity, (label, logarithmic)) in zip(grid.ravel(), QUANTITIES.items(), strict=True):
        _curves(axes, table, quantity)
        axes.set_title(label)
        axes.set_xlabel("bits per pixel, headers counted")
        if logarithmic:
            axes.set_yscale("log")
        elif quantity in ("miou", "map_50"):
            axes.axhline(original[quantity], color="#666666", linewidth=0.8, linestyle=":")
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8.5)
    figure.suptitle(
        f"What do bits buy that carry concepts?\n{int(original['n'])} test pictures of CamVid at 96 × 128; "
        "dotted: the originals",
        x=0.01, ha="left", fontsize=10,
    )  # fmt: skip
    save(list(grid.ravel()), here / "figure.png")
    _triple(table, here)
    readme = here / "README.md"
    write_table(readme, "bjontegaard", markdown(_bjontegaard(table)))
    write_table(readme, "points", markdown(_points(table)))
    _pictures(here)


def _curves(axes: Axes, table: pd.DataFrame, quantity: str) -> None:
    for i, (name, codecs) in enumerate(LINES.items()):
        part = _line(table, codecs)
        if name.startswith("LSCI"):  # several slices reach the same rate: the points that no cheaper one beats
            part = part[part["miou"] >= part["miou"].cummax()]
            part = part[~(part["bpp"].shift(-1) < 1.02 * part["bpp"])]
        shown = part[quantity].where(part[quantity] > 0) if QUANTITIES[quantity][1] else part[quantity]
        axes.plot(
            part["bpp"], shown, label=name, color=ARM_COLOURS[i], marker=MARKERS[i], markersize=4.5,
            linewidth=2.0 if i == 0 else 1.3,
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_xticks([0.01, 0.03, 0.1, 0.3, 1, 3], ["0.01", "0.03", "0.1", "0.3", "1", "3"])
    axes.minorticks_off()


def _triple(table: pd.DataFrame, here: Path) -> None:
    """Draw ``triple.png``: what is lost in meaning over what is lost in looks, at equal rates (Fig. 9)."""
    figure = page(11.0, 4.4)
    grid = figure.subplots(1, len(RATES), sharex=True, sharey=True)
    for axes, rate in zip(grid, RATES, strict=True):
        for i, (name, codecs) in enumerate(LINES.items()):
            part = _line(table, codecs)
            if not part["bpp"].iloc[0] <= rate <= part["bpp"].iloc[-1]:
                continue
            looks, lost = (
                np.interp(np.log(rate), np.log(part["bpp"]), values)
                for values in (np.log(perceptual_loss(part, table)), 1 - part["miou"])
            )
            axes.plot(np.exp(looks), lost, MARKERS[i], color=ARM_COLOURS[i], markersize=9, label=name)
        axes.set_xscale("log")
        axes.set_title(f"at {rate:g} bit per pixel")
    grid[0].set_ylabel("semantic loss: 1 − mIoU of the judge")
    grid[1].set_xlabel("perceptual loss: mean of FID and KID, each over JPEG 2000's at its fewest bits")
    named = {label: handle for axes in grid for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend([named[n] for n in LINES if n in named], [n for n in LINES if n in named],
                  loc="outside lower center", ncols=4, fontsize=8.5)  # fmt: skip
    figure.suptitle(
        "What is lost in meaning and in looks at equal rates?\nThe nearer to the lower left the better; headers "
        "counted, between measured points interpolated; who can't go so low is left out",
        x=0.01, ha="left", fontsize=10,
    )  # fmt: skip
    save(list(grid), here / "triple.png")


def perceptual_loss(part: pd.DataFrame, table: pd.DataFrame) -> pd.Series:
    """The weighted sum of FID and KID of Fig. 9; the paper doesn't say its weights. A KID below 0 counts as 0."""
    coarsest = _line(table, ("jpeg2000",)).iloc[0]
    fid, kid = (part[c].clip(lower=0) / coarsest[c] for c in ("feature_fid", "feature_kid"))
    return (fid + kid) / 2


def _line(table: pd.DataFrame, codecs: tuple[str, ...]) -> pd.DataFrame:
    return table[table["codec"].isin(codecs)].sort_values("bpp")


def _bjontegaard(table: pd.DataFrame) -> pd.DataFrame:
    """BD-rate and BD-mIoU of RL-ASC against each other line."""
    rows = []
    for name, codecs in LINES.items():
        if codecs == ("simplified",):
            continue
        for rate in ("bpp", "bpp_stripped"):
            anchor, own = (_line(table, c)[[rate, "miou"]].to_numpy() for c in (codecs, ("simplified",)))
            row = {"against": name, "header": "counted" if rate == "bpp" else "stripped"}
            try:
                row |= {
                    "BD-rate (%)": f"{bd_rate(anchor, own):.1f}",
                    "BD-mIoU": f"{bd_quality(anchor, own):.3f}",
                    "of both curves' mIoU": f"{100 * overlap(anchor, own):.0f} %",
                }
            except ValueError as error:
                row |= {"BD-rate (%)": f"– ({error})", "BD-mIoU": "–", "of both curves' mIoU": "0 %"}
            rows.append(row | {"the paper's BD-rate, with its agent (%)": PAPER.get(name, "–")})
    return pd.DataFrame(rows)


def _points(table: pd.DataFrame) -> pd.DataFrame:
    point = (table["codec"] + " " + table["setting"].astype(str)).str.strip()
    interval = [f"{row.ss:.3f} [{row.ss_low:.3f}, {row.ss_high:.3f}]" for row in table.itertuples()]
    detected = [f"{row.map_50:.3f} [{row.map_low:.3f}, {row.map_high:.3f}]" for row in table.itertuples()]
    return pd.DataFrame({
        "point": point,
        "bpp": table["bpp"],
        "bpp, header stripped": table["bpp_stripped"],
        "mIoU": table["miou"],
        "SS [95 %]": interval,
        "mAP [95 %]": detected,
        "mAP, detections on the original": table["map_50_own"],
        "FID": table["feature_fid"],
        "KID": table["feature_kid"],
        "PSNR (dB)": table["psnr_db"],
        "SSIM": table["ssim"],
        "decoder (bytes)": table["decoder_byte"],
    })  # fmt: skip


def _pictures(here: Path) -> None:
    """Originals, label maps, and what codecs make of them at few bits per pixel."""
    described = yaml.safe_load((here / "points.yaml").read_text())["codecs"]
    data = KINDS["data"].load("camvid_small")().load("sample")
    images = torch.tensor(data.images[list(SHOWN)]).float() / 255
    columns = {
        "RL-ASC, level 2": {**described["simplified"], "level": 2},
        "RL-ASC, level 6": {**described["simplified"], "level": 6},
        "DSSLIC, reduced": described["dsslic"],
        "LSCI": {**described["lsci_pool4"], "enhancement": {**described["lsci_pool4"]["enhancement"], "bpp": 0.15}},
        "JPEG 2000": {**described["jpeg2000"], "rate_bpp": 0.15, "header": "strip"},
        "HEVC, its lowest": {**described["hevc"], "quality": 0, "header": "strip"},
    }
    figure = page(11.5, 1.12 * len(SHOWN) + 0.75)
    grid = figure.subplots(len(SHOWN), 2 + len(columns))
    for row, image in enumerate(images):
        _picture(grid[row, 0], image.permute(1, 2, 0).numpy(), "original" if row == 0 else "")
    for column, (name, how) in enumerate(columns.items(), start=2):
        codec = codec_of(how)
        codes = codec.encode(images)
        made = codec.decode(codes, codec.decoder_slices)
        bpp = 8 * np.mean([len(c) for c in codes]) / images[0, 0].numel()
        for row in range(len(SHOWN)):
            title = f"{name}\n{bpp:.3f} bpp" if row == 0 else ""
            _picture(grid[row, column], made[row].permute(1, 2, 0).numpy(), title)
        if isinstance(codec, Rlasc):
            for row, code in enumerate(codes):
                label_map = codec.explained(code)[0].label_map / len(data.class_names)
                _picture(grid[row, 1], colormaps["tab20"](label_map), "label map, as sent" if row == 0 else "")
    figure.suptitle(
        "What arrives of a street scene at few bits per pixel, headers stripped?", x=0.01, ha="left", fontsize=10
    )
    save(list(grid.ravel()), here / "pictures.png")


def _picture(axes: Axes, picture: NDArray[np.float64], title: str) -> None:
    axes.set_title(title, fontsize=8.5)
    axes.set_axis_off()
    axes.imshow(picture, interpolation="nearest")


if __name__ == "__main__":
    draw(page_arguments(__doc__, here=HERE).here)
