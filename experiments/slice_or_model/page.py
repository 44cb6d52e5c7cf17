"""From 0.95 to 0.98 of the reachable SS: a slice, a whole model, or longer codes.

python experiments/slice_or_model/page.py experiments/slice_or_model
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd

from simnet.codecs.lsci import Lsci
from simnet.core.mcs import MCS_TABLE
from simnet.phy.blocks import BlockFormat, segment
from simnet.report.figures.style import ARM_COLOURS, INK, MARKERS, page
from simnet.results import markdown, write_table
from simnet.results.figures import save
from simnet.results.figures.canvas import styled
from simnet.results.page_arguments import HERE, page_arguments

LOW, HIGH = 0.95, 0.98
BANDWIDTH_HZ = 125e3
CODECS = {"without": "without the slice", "with_slice": "with the super-resolution slice"}
WAYS = {
    "slice": "the slice travels",
    "whole": "a whole model travels",
    "longer": "nothing travels, codes get longer",
}


@styled
def draw(here: Path) -> None:
    """Draw ``figure.png`` and fill the README's table from ``points.csv``."""
    table = pd.read_csv(here / "points.csv")
    reachable = table["ss"].max()
    ways = _ways(table, reachable)
    figure = page(10.5, 4.2)
    left, right = figure.subplots(1, 2)
    for i, (codec, name) in enumerate(CODECS.items()):
        part = table[table["codec"] == codec].sort_values("bpp")
        bars = np.abs(part[["ss_low", "ss_high"]].to_numpy().T - part["ss"].to_numpy()) / reachable
        left.errorbar(
            part["bpp"], part["ss"] / reachable, yerr=bars, label=name, color=ARM_COLOURS[i], marker=MARKERS[i],
            elinewidth=0.8,
        )  # fmt: skip
    for share in (LOW, HIGH):
        left.axhline(share, color=INK, linewidth=0.7, linestyle=":")
        left.annotate(f"{share:g}", (left.get_xlim()[0], share), xytext=(3, 2), textcoords="offset points", fontsize=8)
    left.set_xlabel("bits per pixel of the code")
    left.set_ylabel("SS over the reachable")
    left.legend(loc="lower right", frameon=False)
    pictures = np.geomspace(1, 1e4, 200)
    for i, (way, row) in enumerate(ways.iterrows()):
        name = WAYS[str(way)]
        right.plot(pictures, (row["once"] + pictures * row["code"]) / 1e3, label=name, color=ARM_COLOURS[i])
    n_even = _break_even(ways, "slice")
    right.axvline(n_even, color=INK, linewidth=0.7, linestyle=":")
    right.annotate(
        f"from {n_even:,.0f} pictures\nthe slice pays", (n_even, right.get_ylim()[1]), xytext=(-4, -8),
        textcoords="offset points", ha="right", va="top", fontsize=8,
    )  # fmt: skip
    right.set(xscale="log", yscale="log", xlabel="pictures decoded", ylabel="kB to the receiver, from the upgrade on")
    right.legend(loc="lower right", frameon=False)
    figure.suptitle(
        f"How does SS get from {LOW:g} to {HIGH:g} of the reachable {reachable:.3f}?\n"
        f"{int(table['n'].iloc[0])} street scenes of 96 × 128; a receiver that holds the shallow base model",
        x=0.01, ha="left", fontsize=10,
    )  # fmt: skip
    save([left, right], here / "figure.png")
    words = _in_words(ways)
    write_table(here / "README.md", "ways", markdown(words))


def _ways(table: pd.DataFrame, reachable: float) -> pd.DataFrame:
    """Bytes once, and of each picture's code, of every way to the higher SS."""
    rate = {codec: _byte_at(table[table["codec"] == codec], HIGH * reachable) for codec in CODECS}
    base = _decoder_byte({"pooling": 2})
    both = _decoder_byte({"pooling": 2, "super_resolution": "lsci_sr/street_2"})
    rows = {
        "slice": (both - base, rate["with_slice"]),
        "whole": (both, rate["with_slice"]),
        "longer": (0, rate["without"]),
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["once", "code"])


def _byte_at(part: pd.DataFrame, ss: float) -> float:
    """Bytes of a code by which SS is reached, between the measured points.

    Raises:
        ValueError: none of them reaches it.
    """
    part = part.sort_values("ss")
    if not part["ss"].iloc[0] <= ss <= part["ss"].iloc[-1]:
        raise ValueError(f"SS {ss:.4f} lies outside the measured {part['ss'].iloc[0]} … {part['ss'].iloc[-1]}")
    return float(np.interp(ss, part["ss"], part["code_byte"]))


def _decoder_byte(enhancement: dict[str, object]) -> int:
    codec = Lsci(Lsci.Params.model_validate({"stages": 0, "enhancement": enhancement}))
    return sum(slice_.n_byte for slice_ in codec.decoder_slices)


def _break_even(ways: pd.DataFrame, way: str) -> int:
    """Pictures from which on this way takes fewer bytes than longer codes."""
    saved = ways.loc["longer", "code"] - ways.loc[way, "code"]
    return math.ceil(ways.loc[way, "once"] / saved)


def _airtime_s(n_byte: float) -> float:
    """Of a payload in LDPC ½ and QPSK, without preambles and retries."""
    symbols = sum(BlockFormat(k, MCS_TABLE[0]).channel_uses for k in segment(math.ceil(n_byte)))
    return symbols / BANDWIDTH_HZ


def _in_words(ways: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for way, row in ways.iterrows():
        rows.append({
            "way": WAYS[str(way)],
            "once (bytes)": int(row["once"]),
            "once, airtime (s)": round(_airtime_s(row["once"]), 3),
            "a picture (bytes)": round(row["code"], 1),
            "a picture, airtime (ms)": round(1e3 * _airtime_s(row["code"]), 2),
            "pays from (pictures)": "–" if way == "longer" else f"{_break_even(ways, str(way)):,}",
        })  # fmt: skip
    return pd.DataFrame(rows)


if __name__ == "__main__":
    draw(page_arguments(__doc__, here=HERE).here)
