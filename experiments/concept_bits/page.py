"""RL-ASC by its agent and without, against other codecs; and what each class of a picture received.

python experiments/concept_bits/page.py experiments/concept_bits
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import yaml
from matplotlib.axes import Axes
from numpy.typing import NDArray
from scipy import stats

from simnet.codecs.networks.rlasc import LEVELS
from simnet.codecs.rlasc import Rlasc
from simnet.core.plugins import KINDS
from simnet.report.figures.style import ARM_COLOURS, MARKERS, page
from simnet.results import bd_quality, bd_rate, markdown, write_table
from simnet.results.bjontegaard_delta import overlap
from simnet.results.figures import save
from simnet.results.figures.canvas import styled
from simnet.scenario.plugin_field import PluginField

QUANTITIES = {  # column -> label, logarithmic
    "miou": ("mIoU of the judge", False),
    "map_50": ("mAP of the detector, overlap ½", False),
    "feature_kid": ("KID of our own features (lower is better)", True),
    "psnr_db": ("PSNR, dB", False),
}
LINES = {  # name on the page -> codecs of the table, joined by rising rate
    "RL-ASC, agent": ("agent",),
    "RL-ASC, one level for all": ("simplified",),
    "LSCI: base, then slices": ("lsci_base", "lsci_pool4", "lsci_pool2"),
    "JPEG 2000": ("jpeg2000",),
    "JPEG": ("jpeg",),
    "HEVC intra": ("hevc",),
    "AVIF": ("avif",),
}
AGENTS = ("agent", "agent_2", "agent_3")
PAPER = {"RL-ASC, one level for all": -31.361, "JPEG 2000": -99.688, "JPEG": -100.0, "HEVC intra": -89.682}
"""BD-rate of Table II, per cent; BPG is an HEVC intra picture."""
PRICES = (0.05, 0.4, 3.0)
SHOWN = (20, 70)
"""Shipped pictures of ``bits.png``."""


@styled
def draw(here: Path) -> None:
    """Draw ``figure.png`` and ``bits.png`` and fill the README's tables from ``points.csv``."""
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
        f"What do bits buy that are spent by meaning?\n{int(original['n'])} test pictures of CamVid at 96 × 128; "
        "dotted: the originals",
        x=0.01, ha="left", fontsize=10,
    )  # fmt: skip
    save(list(grid.ravel()), here / "figure.png")
    readme = here / "README.md"
    write_table(readme, "bjontegaard", markdown(_bjontegaard(table)))
    write_table(readme, "points", markdown(_points(table)))
    levels = _levels(here)
    write_table(readme, "classes", markdown(levels))
    _bits(here)


def _curves(axes: Axes, table: pd.DataFrame, quantity: str) -> None:
    for i, (name, codecs) in enumerate(LINES.items()):
        part = _line(table, codecs)
        if name.startswith("LSCI"):  # several slices reach the same rate: the points that no cheaper one beats
            part = part[part["miou"] >= part["miou"].cummax()]
        axes.plot(
            part["bpp"], part[quantity], label=name, color=ARM_COLOURS[i], marker=MARKERS[i], markersize=4.5,
            linewidth=2.0 if i == 0 else 1.3,
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_xticks([0.01, 0.03, 0.1, 0.3, 1, 3], ["0.01", "0.03", "0.1", "0.3", "1", "3"])
    axes.minorticks_off()


def _line(table: pd.DataFrame, codecs: tuple[str, ...]) -> pd.DataFrame:
    return table[table["codec"].isin(codecs)].sort_values("bpp")


def _bjontegaard(table: pd.DataFrame) -> pd.DataFrame:
    """BD-rate and BD-mIoU of the agents against each other line: mean over agents, with a Student-t interval."""
    rows = []
    for name, codecs in LINES.items():
        if codecs == ("agent",):
            continue
        for rate in ("bpp", "bpp_stripped"):
            anchor = _line(table, codecs)[[rate, "miou"]].to_numpy()
            agents = [_line(table, (agent,))[[rate, "miou"]].to_numpy() for agent in AGENTS]
            row = {"against": name, "header": "counted" if rate == "bpp" else "stripped"}
            try:
                saved, gained = [bd_rate(anchor, a) for a in agents], [bd_quality(anchor, a) for a in agents]
                row |= {
                    "BD-rate (%)": _interval(saved, 1),
                    "BD-mIoU": _interval(gained, 3),
                    "of both curves' mIoU": f"{100 * np.mean([overlap(anchor, a) for a in agents]):.0f} %",
                }
            except ValueError as error:
                row |= {"BD-rate (%)": f"– ({error})", "BD-mIoU": "–", "of both curves' mIoU": "0 %"}
            rows.append(row | {"the paper's BD-rate (%)": PAPER.get(name, "–")})
    return pd.DataFrame(rows)


def _interval(values: list[float], digits: int) -> str:
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return f"{np.mean(values):.{digits}f} ± {half:.{digits}f}"


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


def _codec(here: Path, name: str, **changes: object) -> Rlasc:
    described = {**yaml.safe_load((here / "points.yaml").read_text())["codecs"][name], **changes}
    spec = PluginField(KINDS["codecs"]).validate(described)
    codec = KINDS["codecs"].load(spec.kind)(spec.params)
    assert isinstance(codec, Rlasc)
    return codec


def _levels(here: Path) -> pd.DataFrame:
    """By class: in how many shipped pictures, its share of the places, and what each agent gave it at three prices."""
    images = torch.tensor(KINDS["data"].load("camvid_small")().load("sample").images).float() / 255
    names = KINDS["data"].load("camvid_small")().load("sample").class_names
    columns: dict[str, list[object]] = {}
    for price in PRICES:
        per_place, mean_level, there = [], [], []
        for agent in AGENTS:
            codec = _codec(here, agent, price=price)
            explained = [codec.explained(code) for code in codec.encode(images)]
            places = np.array([np.bincount(c.label_map.ravel(), minlength=len(bits)) for c, bits in explained])
            spent = np.array([bits for _, bits in explained])
            levels = np.array([c.levels + 1 for c, _ in explained], float)
            per_place.append(spent.sum(0) / places.sum(0).clip(min=1))
            mean_level.append(np.where(places > 0, levels, np.nan))
            there = (places > 0).sum(0)
        columns.setdefault("class", list(names[: len(there)]))
        columns.setdefault("pictures", there.tolist())
        columns.setdefault("share of the places", [f"{x:.1%}" for x in places.sum(0) / places.sum()])
        columns[f"level, λ = {price:g}"] = [_interval(v, 1) for v in np.nanmean(mean_level, axis=1).T.tolist()]
        columns[f"bits per place, λ = {price:g}"] = [_interval(v, 1) for v in np.array(per_place).T.tolist()]
    return pd.DataFrame(columns)


def _bits(here: Path) -> None:
    """Two pictures: original, classes' levels, bits per place, recovered; by the agent and at one level for all."""
    images = torch.tensor(KINDS["data"].load("camvid_small")().load("sample").images[list(SHOWN)]).float() / 255
    figure = page(11.5, 4.4)
    grid = figure.subplots(len(SHOWN), 6)
    agent = _codec(here, "agent", price=1.0)
    uniform = _codec(here, "simplified", level=4)
    for row, image in enumerate(images):
        (code,), (other,) = agent.encode(image[None]), uniform.encode(image[None])
        concepts, bits = agent.explained(code)
        places = np.bincount(concepts.label_map.ravel(), minlength=len(bits))
        density = (bits / places.clip(min=1))[concepts.label_map]
        made = [codec.decode([own], codec.decoder_slices)[0] for codec, own in ((agent, code), (uniform, other))]
        shown = [image, concepts.levels[concepts.label_map] + 1, density, *made]
        titles = ["original", "level of each concept", "bits per place of 8 × 8 pixels",
                  f"recovered\n{8 * len(code) / image[0].numel():.3f} bpp",
                  f"one level for all\n{8 * len(other) / image[0].numel():.3f} bpp"]  # fmt: skip
        for column, (picture, title) in enumerate(zip(shown, titles, strict=True)):
            _picture(grid[row, column], picture, title if row == 0 or column > 2 else "", column)
        _by_class(grid[row, 5], agent, concepts.label_map, bits)
    figure.suptitle("Who gets the bits? The agent's levels, and what they cost (λ = 1)", x=0.01, ha="left", fontsize=10)
    save(list(grid.ravel()), here / "bits.png")


def _picture(axes: Axes, picture: torch.Tensor | NDArray[np.float64], title: str, column: int) -> None:
    axes.set_title(title, fontsize=8.5)
    axes.set_axis_off()
    if isinstance(picture, torch.Tensor):
        axes.imshow(picture.permute(1, 2, 0).numpy())
        return
    highest = len(LEVELS) if column == 1 else None
    drawn = axes.imshow(picture, cmap="viridis", vmin=1 if column == 1 else 0, vmax=highest, extent=(0, 128, 96, 0))
    axes.figure.colorbar(drawn, ax=axes, fraction=0.036, pad=0.02)


def _by_class(axes: Axes, codec: Rlasc, label_map: NDArray[np.int64], bits: NDArray[np.int64]) -> None:
    """Shares of the places and of the bits."""
    there = [label for label in np.argsort(-bits) if bits[label]]
    names = KINDS["data"].load("camvid_small")().load("sample").class_names
    places = np.bincount(label_map.ravel(), minlength=len(bits))
    at = np.arange(len(there))
    axes.barh(at - 0.2, places[there] / places.sum(), 0.4, color="#bbbbbb", label="places")
    axes.barh(at + 0.2, bits[there] / bits.sum(), 0.4, color=ARM_COLOURS[0], label="bits")
    axes.set_yticks(at, [names[label] for label in there], fontsize=7)
    axes.invert_yaxis()
    axes.set_title("shares", fontsize=8.5)
    axes.legend(fontsize=6.5, loc="lower right")
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:.0%}")


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
