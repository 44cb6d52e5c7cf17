"""Which concepts deserve bits: RL-ASC's agent against one level for all.

python experiments/concept_levels/page.py experiments/concept_levels            # measures what classes get, then draws
python experiments/concept_levels/page.py experiments/concept_levels --draw     # from classes.csv
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import yaml
from matplotlib.axes import Axes
from numpy.typing import NDArray

from simnet.codecs.networks.rlasc import LEVELS
from simnet.codecs.rlasc import Rlasc
from simnet.data.camvid_small import CamVidSmall
from simnet.report.figures.style import ARM_COLOURS, MARKERS, page
from simnet.results import bd_rate, markdown, write_table
from simnet.results.bjontegaard_delta import overlap
from simnet.results.figures import save
from simnet.results.figures.canvas import styled
from simnet.results.page_arguments import DRAW, HERE, page_arguments
from simnet.signal.rate_points import codec_of
from simnet.statistics.replications import student_t

PRICES = (0.15, 0.8, 3.0)
QUANTITIES = {
    "miou": "mIoU of the judge",
    "miou_second": "mIoU of the rewarding network",
    "map_50": "mAP of the detector, overlap ½",
    "psnr_db": "PSNR, dB",
}
TUNED = {"tuned_one_level": "third stage, one level for all", "tuned_agent": "third stage, agent, seed 1"}
"""Codecs of the model that was tuned to the first agent's choices."""
TUNED_FROM = {"tuned_one_level": "one_level", "tuned_agent": "agent_1"}
PAPER_PERCENT = -31.361
"""BD-rate (mIoU) of RL-ASC against its simplified variant, Table II of the paper."""
DRAWN_BPP = (0.15, 0.32)
"""Rates of ``figure.png``: those of the agents, and one level beyond."""
SHOWN, SHOWN_PRICE, RIVAL_LEVEL = (20, 70), 0.4, 3
"""Shipped pictures of ``bits.png``, and how they are coded: at about the same rate."""


@styled
def draw(here: Path) -> None:
    """Draw ``figure.png`` and ``bits.png`` and fill the README's tables."""
    table = pd.read_csv(here / "points.csv")
    figure = page(13.5, 4.2)
    row = figure.subplots(1, len(QUANTITIES))
    agents = _agents(here)
    lines = {"one_level": "one level for all"} | {a: a.replace("_", ", seed ") for a in agents} | TUNED
    for axes, (quantity, label) in zip(row, QUANTITIES.items(), strict=True):
        for i, (name, shown) in enumerate(lines.items()):
            line, style = _line(table, name), "--" if name in TUNED else "-"
            axes.plot(
                line["bpp"], line[quantity], style, label=shown, color=ARM_COLOURS[i], marker=MARKERS[i], markersize=4,
            )  # fmt: skip
        axes.set_title(label)
        axes.set_xlabel("bits per pixel")
        inside = table[table["bpp"].between(*DRAWN_BPP)][quantity]
        margin = 0.08 * (inside.max() - inside.min())
        axes.set(xlim=DRAWN_BPP, ylim=(inside.min() - margin, inside.max() + margin))
    handles, labels = row[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(lines), fontsize=8.5)
    figure.suptitle(
        "Who gets the bits? RL-ASC's agents and one level for all concepts, where agents spend: of its six levels the "
        "second to the fourth", x=0.01, ha="left", fontsize=10,
    )  # fmt: skip
    save(list(row), here / "figure.png")
    readme = here / "README.md"
    write_table(readme, "bjontegaard", markdown(_bjontegaard(table, agents)))
    write_table(readme, "third_stage", markdown(_third_stage(table)))
    write_table(readme, "finest", markdown(_against_the_finest(table)))
    write_table(readme, "classes", markdown(_by_class(pd.read_csv(here / "classes.csv"))))
    _bits(here)


def _line(table: pd.DataFrame, name: str) -> pd.DataFrame:
    return table[table["codec"] == name].sort_values("bpp")


def _agents(here: Path) -> list[str]:
    described = yaml.safe_load((here / "points.yaml").read_text(encoding="utf-8"))["codecs"]
    return [name for name, params in described.items() if "agent" in params and name not in TUNED]


def _bjontegaard(table: pd.DataFrame, agents: list[str]) -> pd.DataFrame:
    """Of the agents against one level for all: means over the agents with Student-t intervals."""
    rows = []
    for quantity, label in QUANTITIES.items():
        anchor = _line(table, "one_level")[["bpp", quantity]].to_numpy()
        curves = [_line(table, agent)[["bpp", quantity]].to_numpy() for agent in agents]
        rows.append({
            "quality": label,
            "better at equal rate by": _interval([_above(anchor, curve) for curve in curves], 4),
            **_delta(anchor, curves),
            "the paper's BD-rate (%)": PAPER_PERCENT if quantity == "miou" else None,
        })  # fmt: skip
    return pd.DataFrame(rows)


def _above(anchor: NDArray[np.float64], curve: NDArray[np.float64]) -> float:
    """By how much a curve's points lie above the anchor on average, which is straight in log rate between its own."""
    return float(np.mean(curve[:, 1] - np.interp(np.log(curve[:, 0]), np.log(anchor[:, 0]), anchor[:, 1])))


def _delta(anchor: NDArray[np.float64], curves: list[NDArray[np.float64]]) -> dict[str, object]:
    """BD-rate of those curves that rise, and the share of both curves' quality that it is the mean over."""
    rates, shares = [], []
    for curve in curves:
        try:
            rates.append(bd_rate(anchor, curve))
            shares.append(overlap(anchor, curve))
        except ValueError:  # dearer points that are no better leave too few, or no quality is shared
            continue
    if not rates:
        return {"BD-rate (%)": "–", "of curves": f"0 of {len(curves)}", "over": "–"}
    counted = f"{len(rates)} of {len(curves)}"
    return {"BD-rate (%)": _interval(rates, 1), "of curves": counted, "over": f"{100 * np.mean(shares):.0f} %"}


def _third_stage(table: pd.DataFrame) -> pd.DataFrame:
    """The tuned codec, with one level for all and with the agent, against the untuned one."""
    rows = []
    for name, before in TUNED_FROM.items():
        for quantity, label in QUANTITIES.items():
            anchor, own = (_line(table, n)[["bpp", quantity]].to_numpy() for n in (before, name))
            rows.append({
                "codec": TUNED[name], "quality": label, "better at equal rate by": _interval([_above(anchor, own)], 4),
                **_delta(anchor, [own]),
            })  # fmt: skip
    return pd.DataFrame(rows)


def _against_the_finest(table: pd.DataFrame) -> pd.DataFrame:
    """What every other point saves and costs against the finest level for all, the paper's simplified variant."""
    finest = _line(table, "one_level").iloc[-1]
    others = table.drop(index=finest.name)
    others = others[~others["codec"].isin(TUNED)]
    return pd.DataFrame({
        "point": others["codec"].str.replace("_", " ") + ", " + others["setting"].str.replace("price", "λ ="),
        "bits saved": [f"{100 * (1 - bpp / finest['bpp']):.0f} %" for bpp in others["bpp"]],
        "mIoU": others["miou"] - finest["miou"],
        "mIoU of the rewarding network": others["miou_second"] - finest["miou_second"],
        "mAP": others["map_50"] - finest["map_50"],
    })  # fmt: skip


def _interval(values: list[float], digits: int) -> str:
    found = student_t(values)
    half = "" if found.half_width is None else f" ± {found.half_width:.{digits}f}"
    return f"{found.value:.{digits}f}{half}".replace("-", "−")


def _codec(here: Path, name: str, **changes: object) -> Rlasc:
    described = {**yaml.safe_load((here / "points.yaml").read_text())["codecs"][name], **changes}
    codec = codec_of(described)
    assert isinstance(codec, Rlasc)
    return codec


@cache
def _images() -> torch.Tensor:
    return torch.tensor(CamVidSmall().load("sample").images).float() / 255


def measure(here: Path) -> pd.DataFrame:
    """What each agent gave each class at each price: ``level``, ``bits_a_place``; its ``share`` of the places."""
    rows = []
    for agent in _agents(here):
        for price in PRICES:
            codec = _codec(here, agent, price=price)
            explained = [codec.explained(code) for code in codec.encode(_images())]
            places = np.array([np.bincount(c.label_map.ravel(), minlength=len(bits)) for c, bits in explained])
            spent = np.array([bits for _, bits in explained]).sum(0) / places.sum(0).clip(min=1)
            levels = np.where(places > 0, [c.levels + 1.0 for c, _ in explained], np.nan)
            for i, name in enumerate(CamVidSmall.class_names[: places.shape[1]]):
                rows.append({
                    "agent": agent, "price": price, "class": name, "pictures": int((places[:, i] > 0).sum()),
                    "share": places[:, i].sum() / places.sum(), "level": np.nanmean(levels[:, i]),
                    "bits_a_place": spent[i],
                })  # fmt: skip
        print(agent, file=sys.stderr)
    return pd.DataFrame(rows)


def _by_class(measured: pd.DataFrame) -> pd.DataFrame:
    """By class: in how many shipped pictures, its share of the places, and what the agents gave it."""
    rows = []
    for name, of in measured.groupby("class", sort=False):
        row: dict[str, object] = {"class": name, "pictures": of["pictures"].iloc[0]}
        row["share of the places"] = f"{of['share'].iloc[0]:.1%}"
        for price, part in of.groupby("price"):
            row[f"level, λ = {price:g}"] = _interval(part["level"].tolist(), 1)
            row[f"bits a place, λ = {price:g}"] = _interval(part["bits_a_place"].tolist(), 1)
        rows.append(row)
    return pd.DataFrame(rows)


def _bits(here: Path) -> None:
    """Two pictures: original, classes' levels, bits per place, recovered; by the agent and at one level for all."""
    figure = page(11.5, 4.2)
    grid = figure.subplots(len(SHOWN), 6)
    agent, uniform = _codec(here, _agents(here)[0], price=SHOWN_PRICE), _codec(here, "one_level", level=RIVAL_LEVEL)
    for row, image in enumerate(_images()[list(SHOWN)]):
        (code,), (other,) = agent.encode(image[None]), uniform.encode(image[None])
        concepts, bits = agent.explained(code)
        places = np.bincount(concepts.label_map.ravel(), minlength=len(bits))
        density = (bits / places.clip(min=1))[concepts.label_map]
        made = [codec.decode([own], codec.decoder_slices)[0] for codec, own in ((agent, code), (uniform, other))]
        rates = [8 * len(own) / image[0].numel() for own in (code, other)]
        first = row == 0
        _picture(grid[row, 0], image, "original" if first else "")
        _map(grid[row, 1], concepts.levels[concepts.label_map] + 1, "level of each concept" if first else "", LEVELS)
        _map(grid[row, 2], density, "bits per 8 × 8 pixels" if first else "")
        _picture(grid[row, 3], made[0], f"by the agent\n{rates[0]:.3f} bpp")
        _picture(grid[row, 4], made[1], f"level {RIVAL_LEVEL} for all\n{rates[1]:.3f} bpp")
        _shares(grid[row, 5], places, bits)
    figure.suptitle(f"Who gets the bits? λ = {SHOWN_PRICE:g} per bit per pixel", x=0.01, ha="left", fontsize=10)
    save(list(grid.ravel()), here / "bits.png")


def _picture(axes: Axes, picture: torch.Tensor, title: str) -> None:
    axes.set_title(title, fontsize=8.5)
    axes.set_axis_off()
    axes.imshow(picture.permute(1, 2, 0).numpy(), interpolation="nearest")


def _map(axes: Axes, values: NDArray[np.float64], title: str, levels: tuple[int, ...] = ()) -> None:
    """Values of places, over the whole picture; of ``levels`` from 1 to their number."""
    axes.set_title(title, fontsize=8.5)
    axes.set_axis_off()
    low, high = (1, len(levels)) if levels else (0, None)
    drawn = axes.imshow(values, cmap="viridis", vmin=low, vmax=high)
    axes.figure.colorbar(drawn, ax=axes, fraction=0.036, pad=0.02)


def _shares(axes: Axes, places: NDArray[np.int64], bits: NDArray[np.int64]) -> None:
    """Of places and of bits, by class."""
    there = [label for label in np.argsort(-bits) if bits[label]]
    at = np.arange(len(there))
    axes.barh(at - 0.2, places[there] / places.sum(), 0.4, color="#bbbbbb", label="places")
    axes.barh(at + 0.2, bits[there] / bits.sum(), 0.4, color=ARM_COLOURS[0], label="bits")
    axes.set_yticks(at, [CamVidSmall.class_names[label] for label in there], fontsize=7)
    axes.invert_yaxis()
    axes.set_title("shares", fontsize=8.5)
    axes.legend(fontsize=6.5, loc="lower right")
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:.0%}")


if __name__ == "__main__":
    given = page_arguments(__doc__, {"draw": DRAW}, here=HERE)
    folder = given.here
    torch.set_num_threads(1)
    if not given.draw:
        measure(folder).to_csv(folder / "classes.csv", index=False, float_format="%.5g", lineterminator="\n")
    draw(folder)
