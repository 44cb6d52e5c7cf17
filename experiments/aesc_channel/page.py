"""SS of colour images over Es/N0: AESC-I, decoder and codes, JPEG, raw pixels; none is repeated (paper 001, 10 to 12).

Usage:
    python experiments/aesc_channel/page.py experiments/aesc_channel            # measures, then draws
    python experiments/aesc_channel/page.py experiments/aesc_channel --draw     # points from points.csv, pictures anew
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from numpy.typing import NDArray
from torch import Tensor

from simnet.codecs.aesc import Aesc
from simnet.codecs.base import Codec
from simnet.codecs.jpeg import Jpeg
from simnet.codecs.raw import Raw
from simnet.core import streams
from simnet.core.mcs import MCS_TABLE
from simnet.core.plugins import KINDS
from simnet.core.units import db_to_linear
from simnet.phy.blocks import BlockFormat, split
from simnet.phy.chain import BlockJob, DigitalChain, Reception
from simnet.report.figures.style import ARM_COLOURS, MARKERS, page
from simnet.results import markdown, write_table
from simnet.results.crossing import crossing
from simnet.results.figures import save
from simnet.results.figures.canvas import styled
from simnet.results.page_arguments import DRAW, HERE, page_arguments
from simnet.tasks.classification import Classification
from simnet.tasks.feature_distance import feature_distance
from simnet.wire.slices import Slice, join_raw, split_raw

SEED = 1
SHAPE = (3, 32, 32)
TYPES = {"vehicles": (0, 1, 8, 9), "animals": (2, 3, 4, 5, 6, 7)}
"""Source types -> CIFAR-10's classes; each has models of its own."""
IMAGES_PER_DECODER = 40
"""What one delivered decoder decodes. They and it meet the same channel, and so do as many pictures of each rival."""
ESNO_DB = {
    "awgn": (-1.0, 0.0, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0),
    "rayleigh_block": (0.0, 2.5, 5.0, 7.5, 10.0, 12.5, 15.0, 20.0, 25.0),
}
CHANNELS = {"awgn": "AWGN", "rayleigh_block": "slow Rayleigh fading, h constant over decoder and codes"}
SYSTEMS = {
    "aesc_z8": "AESC-I, Z = 8 (the paper's 12×)",
    "aesc_z12": "AESC-I, Z = 12 (6×)",
    "aesc_z32": "AESC-I, Z = 32 (3×)",
    "jpeg_60": "JPEG, quality 60 (12×)",
    "jpeg_90": "JPEG, quality 90 (6×)",
    "jpeg_98": "JPEG, quality 98 (3×)",
    "direct": "raw pixels",
}
MEASURES = {
    "ss": "SS (recognition rate, recovered over original)",
    "feature_distance": "feature distance of the judge",
}
SHOWN = {"vehicles": 1, "animals": 7}
"""Source types -> the class of the picture that is shown: a car and a horse, as in the paper's Figs 13 and 14."""
SHOWN_AT_DB = (0.0, 0.75, 1.0, 1.25, 1.5, 2.0, 5.0)
N_RESAMPLE = 2000
Group = tuple[str, Tensor, Tensor]
"""Source type, images [IMAGES_PER_DECODER, 3, 32, 32] and labels, which come with one decoder."""


def measure() -> pd.DataFrame:
    """One row per channel, Es/N0 and system, over the shipped pictures."""
    groups = _groups()
    judge = Classification.from_zoo("classifier/cifar10_judge")
    originals = [_judged(judge, images, labels, images) for _, images, labels in groups]
    chain, rows = DigitalChain(), []
    for channel, esno_dbs in ESNO_DB.items():
        for esno_db in esno_dbs:
            for system in SYSTEMS:
                seen, n_bytes = [], []
                for index, ((source_type, images, labels), power) in enumerate(
                    zip(groups, _powers(channel, groups), strict=True)
                ):
                    name = (system, channel, f"{esno_db:g}", index)
                    link = _Link(db_to_linear(esno_db), power**0.5, name, chain)
                    recovered, n_byte = _carried(_codec(system, source_type), images, link)
                    seen.append(_judged(judge, recovered, labels, images))
                    n_bytes.append(n_byte)
                row = {"channel": channel, "esno_db": esno_db, "system": system, "code_byte": np.mean(n_bytes)}
                rows.append(row | _held(originals, seen, streams.generator(SEED, "bootstrap", channel, f"{esno_db:g}")))
            print(f"{channel} {esno_db:g} dB", file=sys.stderr, flush=True)
    return pd.DataFrame(rows)


def _groups() -> list[Group]:
    """The shipped pictures, as many whole groups of each type as there are, type by type."""
    data = KINDS["data"].load("cifar10")().load("sample")
    groups: list[Group] = []
    for source_type, classes in TYPES.items():
        own = np.flatnonzero(np.isin(data.labels, classes))
        for begin in range(0, len(own) - IMAGES_PER_DECODER + 1, IMAGES_PER_DECODER):
            members = own[begin : begin + IMAGES_PER_DECODER]
            groups.append((source_type, torch.tensor(data.images[members]) / 255.0, torch.tensor(data.labels[members])))
    return groups


def _powers(channel: str, groups: Sequence[Group]) -> list[float]:
    """|h|² that each group meets: of a type's groups, the middles of equally likely ranges, in a drawn order."""
    if channel == "awgn":
        return [1.0] * len(groups)
    powers: list[float] = []
    for source_type in TYPES:
        n = sum(of == source_type for of, _, _ in groups)
        quantiles = -np.log1p(-(np.arange(n) + 0.5) / n)
        powers += streams.generator(SEED, "fading", source_type).permutation(quantiles).tolist()
    return powers


def _codec(system: str, source_type: str) -> Codec:
    kind, _, setting = system.partition("_")
    if kind == "aesc":
        return Aesc(Aesc.Params(model=f"{source_type}_{setting}", precision="int16", entropy_coding=False))
    if kind == "jpeg":
        return Jpeg(Jpeg.Params(image_shape=SHAPE, quality=int(setting), header="strip"))
    return Raw(Raw.Params(image_shape=SHAPE))


class _Link:
    """LDPC ½ and QPSK, each payload once; what is wrong stays wrong. Headers of slices are protected."""

    def __init__(self, esno: float, gain: float, name: tuple[str | int, ...], chain: DigitalChain) -> None:
        self._esno, self._gain, self._name, self._chain = esno, complex(gain), name, chain

    def send(self, payloads: Sequence[bytes], what: str) -> list[bytes]:
        """Each payload as it comes out of the channel decoder."""
        jobs, counts = [], []
        for number, payload in enumerate(payloads):
            blocks = split(payload)
            counts.append(len(blocks))
            for index, (k, part) in enumerate(blocks):
                key = (SEED, "noise", *self._name, what, number, index)
                jobs.append(BlockJob(part, BlockFormat(k, MCS_TABLE[0]), (Reception(self._esno, self._gain, key),)))
        results = iter(self._chain.transmit(jobs))
        return [b"".join(next(results).payload for _ in range(count)) for count in counts]


def _carried(codec: Codec, images: Tensor, link: _Link) -> tuple[Tensor, float]:
    """Recovered images, and mean bytes of a code: the codec's decoder, if it has one, goes before the codes."""
    slices: list[Slice] = []
    for slice_ in codec.decoder_slices:
        header, body = split_raw(slice_)
        (arrived,) = link.send([body], "decoder")
        slices.append(join_raw(header, arrived, transfer="decoder"))
    codes = codec.encode_raw(images)
    return codec.decode_raw(link.send(codes, "codes"), slices), float(np.mean([len(code) for code in codes]))


@torch.no_grad()
def _judged(judge: Classification, images: Tensor, labels: Tensor, originals: Tensor) -> tuple[int, float]:
    """How many images of a group are recognised, and their mean distance from the originals in the judge's features."""
    recognised = int((judge.infer(images).argmax(1) == labels).sum())
    stacks = [[judge.network.features(each)[:, :, None, None]] for each in (originals, images)]
    return recognised, float(feature_distance(*stacks).mean())


def _held(
    originals: Sequence[tuple[int, float]], seen: Sequence[tuple[int, float]], rng: np.random.Generator
) -> dict[str, float]:
    """SS and feature distance of all groups; 95 % intervals by a bootstrap over groups, since each shares a channel."""
    before, after = np.array([n for n, _ in originals]), np.array([n for n, _ in seen])
    distances = np.array([distance for _, distance in seen])
    drawn = rng.integers(len(seen), size=(N_RESAMPLE, len(seen)))
    values = {"ss": (_ratio(after, before), after[drawn].sum(1) / before[drawn].sum(1))}
    values["feature_distance"] = float(distances.mean()), distances[drawn].mean(1)
    held: dict[str, float] = {}
    for name, (value, resampled) in values.items():
        low, high = np.percentile(resampled, (2.5, 97.5))
        held |= {name: value, f"{name}_low": float(low), f"{name}_high": float(high)}
    return held | {"n": IMAGES_PER_DECODER * len(seen), "groups": len(seen)}


def _ratio(after: NDArray[np.int64], before: NDArray[np.int64]) -> float:
    return float(after.sum() / before.sum())


@styled
def draw(table: pd.DataFrame, here: Path) -> None:
    """Draw ``figure.png`` and fill the README's tables."""
    figure = page(10.5, 6.6)
    grid = figure.subplots(len(MEASURES), len(CHANNELS), sharex="col", sharey="row", squeeze=False)
    for rank, (channel, words) in enumerate(CHANNELS.items()):
        part = table[table["channel"] == channel]
        for axes, (measure_, label) in zip(grid[:, rank], MEASURES.items(), strict=True):
            _curves(axes, part, measure_)
            if rank == 0:
                axes.set_ylabel(label, fontsize=8.5)
        grid[0, rank].set_title(words)
        grid[-1, rank].set_xlabel("mean Es/N0, dB")
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8.5)
    first = table.iloc[0]
    figure.suptitle(
        "Where does SS of colour images fall when decoder and code cross a noisy channel, and nothing is sent again?\n"
        f"{first['n']:.0f} pictures of CIFAR-10 in {first['groups']:.0f} groups, a decoder for each; LDPC ½ and QPSK; "
        "bars: 95 % intervals, groups drawn anew",
        x=0.01, ha="left", fontsize=9.5,
    )  # fmt: skip
    save([*grid.flat], here / "figure.png")
    write_table(here / "README.md", "cliffs", markdown(_cliffs(table)))
    for channel in CHANNELS:
        write_table(here / "README.md", channel, markdown(_points(table[table["channel"] == channel])))


def _curves(axes: Axes, part: pd.DataFrame, measure_: str) -> None:
    for index, (system, name) in enumerate(SYSTEMS.items()):
        own = part[part["system"] == system].sort_values("esno_db")
        bars = np.abs(own[[f"{measure_}_low", f"{measure_}_high"]].to_numpy().T - own[measure_].to_numpy())
        axes.errorbar(
            own["esno_db"], own[measure_], yerr=bars, label=f"{name}: {own['code_byte'].iloc[0]:.0f} bytes",
            color=ARM_COLOURS[index], marker=MARKERS[index], markersize=4, linewidth=1.4, elinewidth=0.7,
        )  # fmt: skip
    axes.set_ylim(bottom=0.0)


def _cliffs(table: pd.DataFrame) -> pd.DataFrame:
    """At which Es/N0 each system reaches half of the SS that it has where nothing is lost, and nine tenths."""
    rows = []
    for system, name in SYSTEMS.items():
        row: dict[str, object] = {"system": name}
        for channel in CHANNELS:
            own = table[(table["system"] == system) & (table["channel"] == channel)].sort_values("esno_db")
            best = float(own["ss"].iloc[-1])
            words = CHANNELS[channel].split(",")[0]
            row[f"SS at {own['esno_db'].iloc[-1]:g} dB, {words}"] = best
            for share, text in ((0.5, "half"), (0.9, "nine tenths")):
                row[f"{text} of it from (dB), {words}"] = crossing(own["esno_db"], own["ss"], share * best)
        rows.append(row)
    table = pd.DataFrame(rows)
    return table.round(dict.fromkeys(table.columns[1:], 1) | {c: 3 for c in table.columns if c.startswith("SS at")})


def _points(part: pd.DataFrame) -> pd.DataFrame:
    cells = [f"{row.ss:.3f} [{row.ss_low:.3f}, {row.ss_high:.3f}]" for row in part.itertuples()]
    wide = part.assign(cell=cells).pivot_table("cell", "esno_db", "system", aggfunc="first", sort=False).reset_index()
    return wide[["esno_db", *SYSTEMS]].rename(columns={"esno_db": "Es/N0 (dB)", **SYSTEMS})


def _pictures(here: Path) -> None:
    """A picture of each type by the smallest AESC-I and by JPEG at that size, over AWGN, as Es/N0 grows."""
    groups, chain, systems = _groups(), DigitalChain(), ("aesc_z8", "jpeg_60")
    figure = page(10.0, 4.6)
    grid = figure.subplots(len(SHOWN) * len(systems), 1 + len(SHOWN_AT_DB))
    for rank, (source_type, wanted) in enumerate(SHOWN.items()):
        images = next(images[labels == wanted][:1] for of, images, labels in groups if of == source_type)
        for offset, system in enumerate(systems):
            row = grid[rank * len(systems) + offset]
            shown = [images]
            for esno_db in SHOWN_AT_DB:
                link = _Link(db_to_linear(esno_db), 1.0, ("shown", system, source_type, f"{esno_db:g}"), chain)
                shown.append(_carried(_codec(system, source_type), images, link)[0])
            titles = ("original", *(f"{esno_db:g} dB" for esno_db in SHOWN_AT_DB))
            for axes, made, title in zip(row, shown, titles, strict=True):
                axes.imshow(made[0].permute(1, 2, 0).numpy(), interpolation="nearest")
                axes.set_xticks([])
                axes.set_yticks([])
                if axes in grid[0]:
                    axes.set_title(title, fontsize=9)
            row[0].set_ylabel(SYSTEMS[system].split(" (")[0].replace(", ", ",\n"), fontsize=8)
    figure.suptitle(
        "What arrives over AWGN when decoder and code are sent once, LDPC ½ and QPSK (Es/N0)",
        x=0.01,
        ha="left",
        fontsize=9.5,
    )
    save([*grid.flat], here / "pictures.png")


if __name__ == "__main__":
    given = page_arguments(__doc__, {"draw": DRAW}, here=HERE)
    folder = given.here
    torch.set_num_threads(1)
    if not given.draw:
        measure().round(4).to_csv(folder / "points.csv", index=False)
    draw(pd.read_csv(folder / "points.csv"), folder)
    _pictures(folder)
