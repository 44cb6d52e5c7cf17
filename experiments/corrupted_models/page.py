"""SS over Es/N0 by what bit errors hit, and SS against channel uses by what of the decoder is protected."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes

from simnet.report.figures.style import MARKERS, page
from simnet.results import Results, load, markdown, write_table
from simnet.results.figures import save
from simnet.results.figures.canvas import styled
from simnet.results.labels import label
from simnet.results.page_arguments import SWEEP, page_arguments

HIT = {"nothing": "nothing", "code_only": "code", "decoder_only": "decoder", "code_and_decoder": "code and decoder"}
PROTECTED = {
    "decoder_only": "nothing",
    "high_bits_1": "1 high bit",
    "high_bits_2": "2 high bits",
    "high_bits_4": "4 high bits",
    "first_layer": "first layer",
    "last_layers": "last layers",
    "nothing": "everything",
}
COLOURS = ("#000000", "#0072B2", "#D55E00", "#CC79A7", "#E69F00", "#56B4E9", "#009E73")
CHOSEN_DB = 6.0
"""Mean Es/N0 on AWGN at which schemes of protection are compared: many bits are wrong, few weights are useless."""
CHANNELS = {"none": "AWGN", "rayleigh": "Rayleigh"}


@styled
def draw(folder: Path, here: Path) -> None:
    """Draw ``figure.png`` and fill the README's tables from a sweep's folder."""
    results = load(folder)
    figure = page(9.6, 4.4)
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1.0))
    _over_esno(left, results)
    _against_channel_uses(right, results)
    figure.suptitle(_answer(results), x=0.01, ha="left", fontsize=10.5, fontweight="bold")
    save([left, right], here / "figure.png")
    write_table(here / "README.md", "hit", _table_over_esno(results))
    write_table(here / "README.md", "protected", markdown(_schemes(results)))


def _answer(results: Results) -> str:
    rows = _compared(results).set_index("arm")
    none, two = rows.loc["decoder_only"], rows.loc["high_bits_2"]
    more = 100 * (two["use"] / none["use"] - 1)
    return (
        "Bit errors harm through the decoder, and protecting two high bits of its weights mends most of it:\n"
        f"at {CHOSEN_DB:g} dB SS {none['ss']:.2f} → {two['ss']:.2f} for {more:.0f} % more channel uses"
    )


def _over_esno(axes: Axes, results: Results) -> None:
    for i, (arm, name) in enumerate(HIT.items()):
        for fading, channel in CHANNELS.items():
            means = results.mean("ss_mean", by=["fading", "esno_db"], arm=arm, where={"fading": fading})
            means = means.sort_values("esno_db")
            bars = [means["mean"] - means["low"], means["high"] - means["mean"]]
            awgn = fading == "none"
            axes.errorbar(
                means["esno_db"], means["mean"], yerr=bars, color=COLOURS[i], marker=MARKERS[i], capsize=2,
                linestyle="-" if awgn else "--", markerfacecolor=COLOURS[i] if awgn else "white", markersize=5,
                linewidth=1.3, label=f"{name}, {channel}",
            )  # fmt: skip
    n = int(results.mean("ss_mean", arm="nothing")["n"].min())
    axes.set(xlabel="mean Es/N0 (dB)", ylabel=label("ss_mean"), ylim=(-0.03, 1.03))
    axes.set_title(f"What bit errors hit ({n} replications, 95 % intervals)")
    axes.legend(loc="lower right", fontsize=8)


def _against_channel_uses(axes: Axes, results: Results) -> None:
    for i, row in enumerate(_compared(results).sort_values("use").to_dict("records")):
        bars = [[row["ss"] - row["ss_low"]], [row["ss_high"] - row["ss"]]]
        axes.errorbar(
            row["use"] / 1e3, row["ss"], yerr=bars, fmt=MARKERS[i], color=COLOURS[i], capsize=2.5, markersize=7
        )
        axes.annotate(
            PROTECTED[row["arm"]], (row["use"] / 1e3, row["ss_low"]), xytext=(0, -5 - 12 * (i % 2)),
            textcoords="offset points", color=COLOURS[i], fontsize=8.5, ha="center", va="top",
        )  # fmt: skip
    axes.set(xlabel="channel uses per request (thousands)", ylabel=label("ss_mean"), ylim=(-0.03, 1.03))
    axes.margins(x=0.18)
    axes.set_title(f"What of the decoder is protected (AWGN, {CHOSEN_DB:g} dB)")


def _compared(results: Results) -> pd.DataFrame:
    """Arm, mean SS with its interval, channel uses per request; one row per scheme at the chosen Es/N0."""
    where = {"fading": "none", "esno_db": CHOSEN_DB}
    arms = list(PROTECTED)
    ss = results.mean("ss_mean", arm=arms, where=where)
    use = results.ratio("channel_use", "n_requests", arm=arms, where=where)
    table = ss.merge(use[["arm", "ratio"]], on="arm").rename(
        columns={"mean": "ss", "low": "ss_low", "high": "ss_high", "ratio": "use"}
    )
    return table.set_index("arm").loc[arms].reset_index()


def _schemes(results: Results) -> pd.DataFrame:
    """The right panel's numbers in words, with bytes and what they cost against no protection."""
    where = {"fading": "none", "esno_db": CHOSEN_DB}
    byte = results.mean("byte_per_request", arm=list(PROTECTED), where=where).set_index("arm")["mean"]
    rows = _compared(results)
    least = float(rows.loc[rows["arm"] == "decoder_only", "use"].iloc[0])
    gain = results.difference("ss_mean", list(PROTECTED)[1:], minus="decoder_only", where=where).set_index("arm")
    return pd.DataFrame(
        [
            {
                "protected of the decoder": PROTECTED[row["arm"]],
                "mean SS": f"{row['ss']:.3f} [{row['ss_low']:.3f}, {row['ss_high']:.3f}]",
                "gain in SS, paired": _gain(gain, row["arm"]),
                "bytes per request": f"{byte[row['arm']]:,.0f}",
                "channel uses per request": f"{row['use']:,.0f}",
                "more channel uses": f"{100 * (row['use'] / least - 1):+.1f} %",
            }
            for row in rows.to_dict("records")
        ]
    )


def _gain(gain: pd.DataFrame, arm: str) -> str:
    if arm not in gain.index:
        return "–"
    row = gain.loc[arm]
    return f"{row['mean']:+.3f} ± {row['half_width']:.3f}"


def _table_over_esno(results: Results) -> str:
    """Mean SS by channel and Es/N0, a column per thing that is hit."""
    means = results.mean("ss_mean", by=["fading", "esno_db"], arm=list(HIT))
    means["text"] = [f"{m:.3f} ± {h:.3f}" for m, h in zip(means["mean"], means["half_width"], strict=True)]
    wide = means.pivot(index=["fading", "esno_db"], columns="arm", values="text")[list(HIT)].rename(columns=HIT)
    wide = wide.reset_index().sort_values(["fading", "esno_db"])
    wide["fading"] = wide["fading"].map(CHANNELS)
    wide["esno_db"] = [f"{value:g}" for value in wide["esno_db"]]
    return markdown(wide.rename(columns={"fading": "channel", "esno_db": "mean Es/N0 (dB)"}))


if __name__ == "__main__":
    draw(page_arguments(__doc__, folder=SWEEP).folder, Path(__file__).parent)
