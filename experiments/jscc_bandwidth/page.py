"""Accuracy and PSNR over bandwidth: learned systems, and picture codec + LDPC + QAM (paper 003, Figs 4 to 11).

Usage:
    python -m simnet baseline experiments/jscc_bandwidth/digital.yaml       # writes digital.csv
    python experiments/jscc_bandwidth/page.py experiments/jscc_bandwidth    # draws, from it and from the models' cards
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from simnet.codecs.jscc import Jscc
from simnet.codecs.networks.jscc import n_symbols
from simnet.core.zoo import zoo_root
from simnet.report.figures.style import ARM_COLOURS, MARKERS, page
from simnet.results import markdown, write_table
from simnet.results.figures import save
from simnet.results.figures.canvas import styled
from simnet.results.page_arguments import HERE, page_arguments
from simnet.training.cards import read_card

N_VALUES = 3 * 32 * 32
ESNO_DB = (5.0, 20.0)
FADINGS = {
    "awgn": "AWGN",
    "rayleigh_block": "Rayleigh, one h per image",
    "rayleigh_fast": "Rayleigh, one h per symbol",
}
SYSTEMS = {"deepjscc": "DeepJSCC", "deepsc": "DeepSC", "semcc": "SemCC", "semre": "SemRE"}
DIGITAL = {
    (1, "strip", False): "a picture per image, header stripped",
    (10, "strip", False): "mosaics of 100 images",
    (10, "strip", True): "mosaics, bound of capacity",
}
"""Side, header, bound -> name."""
HEADS = (
    ("deepjscc_awgn_more", 1),
    ("deepjscc_awgn", 2),
    ("deepjscc_awgn", 8),
    ("deepjscc_awgn_more", 19),
    ("deepjscc_awgn_19", 19),
)
"""Of the table ``trunks``: model and complex symbols for each 4 x 4 pixels."""
MEASURES = {"accuracy": "accuracy of ResNet-20", "psnr_db": "PSNR, dB"}
PAPER = [
    ("awgn", 5, "semcc", 128, 0.8713, 15.87), ("awgn", 5, "semcc", 256, 0.8868, 18.99),
    ("awgn", 5, "semcc", 512, 0.8932, 23.60), ("awgn", 5, "deepsc", 128, 0.8678, 11.86),
    ("awgn", 5, "deepsc", 256, 0.8687, 13.83), ("awgn", 5, "deepsc", 512, 0.8885, 21.28),
    ("rayleigh_block", 5, "semcc", 128, 0.7765, 14.87), ("rayleigh_block", 5, "semcc", 256, 0.7986, 17.04),
    ("rayleigh_block", 5, "semcc", 512, 0.8014, 20.65), ("rayleigh_block", 5, "deepsc", 128, 0.6522, 11.41),
    ("rayleigh_block", 5, "deepsc", 256, 0.7302, 14.02), ("rayleigh_block", 5, "deepsc", 512, 0.7728, 17.89),
    ("awgn", 20, "semcc", 128, 0.8881, None), ("awgn", 20, "semcc", 256, 0.8985, None),
    ("awgn", 20, "semcc", 1216, 0.923, 38.31), ("awgn", 20, "deepjscc", 1216, 0.923, 39.07),
    ("awgn", 20, "deepsc", 1216, 0.923, 37.11), ("rayleigh_block", 20, "semcc", 1216, 0.9121, None),
]  # fmt: skip
"""Printed in paper 003: Tables I and II (SemCC, and without contrast, which it calls DeepSC) and section VI-B."""


@styled
def draw(here: Path) -> None:
    """Draw ``figure.png`` and fill the README's tables ``all``, ``paper`` and ``codecs``."""
    learned, digital = _learned(), pd.read_csv(here / "digital.csv")
    figure = page(16.0, 6.6)
    columns = [(fading, esno_db) for fading in FADINGS for esno_db in ESNO_DB]
    axes = figure.subplots(len(MEASURES), len(columns), sharex=True, sharey="row")
    for row, measure in enumerate(MEASURES):
        for (fading, esno_db), ax in zip(columns, axes[row], strict=True):
            _panel(ax, measure, _at(learned, fading, esno_db), _best(digital, measure, fading, esno_db))
            _marks(ax, measure, fading, esno_db)
            if row == 0:
                ax.set_title(f"{FADINGS[fading]}\n{esno_db:g} dB")
    for row, measure in enumerate(MEASURES):
        axes[row][0].set_ylabel(MEASURES[measure])
    for ax in axes[-1]:
        ax.set(xscale="log", xlabel="complex symbols per value, k/n")
        ax.set_xticks([1 / 48, 1 / 24, 1 / 12, 1 / 6, 1 / 2.5], ["1/48", "1/24", "1/12", "1/6", "1/2.5"])
        ax.minorticks_off()
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8)
    figure.suptitle(
        "How much meaning does a symbol carry?\nCIFAR-10; learned systems of width 32, one trunk for all bandwidths "
        "but 1/2.5; digital: the best of codec, LDPC and QAM; hollow marks: printed in paper 003",
        x=0.01, ha="left", fontsize=10,
    )  # fmt: skip
    save(axes.ravel().tolist(), here / "figure.png")
    write_table(here / "README.md", "all", markdown(_table(learned, digital)))
    write_table(here / "README.md", "paper", markdown(_against_the_paper(learned)))
    write_table(here / "README.md", "codecs", markdown(_codecs(digital)))
    write_table(here / "README.md", "trunks", markdown(_trunks()))


def _learned() -> pd.DataFrame:
    """``fading``, ``system``, ``symbols``, ``esno_db``, ``accuracy``, ``psnr_db``, ``ss``, from the cards."""
    rows: list[dict[str, Any]] = []
    for fading in FADINGS:
        for system in SYSTEMS:
            for kind in ("", "_19", "_more"):
                folder = zoo_root() / f"jscc/{system}_{fading}{kind}"
                if (folder / "card.yaml").exists():  # or it waits to be trained
                    measured: dict[str, Any] = read_card(folder).measured
                    rows += [{"fading": fading, "system": system, **row} for row in measured["over_esno"]]
    return pd.DataFrame(rows).drop_duplicates(["fading", "system", "symbols", "esno_db"])


def _at(table: pd.DataFrame, fading: str, esno_db: float) -> pd.DataFrame:
    return table[(table["fading"] == fading) & (table["esno_db"] == esno_db)]


def _best(digital: pd.DataFrame, measure: str, fading: str, esno_db: float) -> pd.DataFrame:
    """The best codec of each way of sending and bandwidth, by the measure itself."""
    of = _at(digital, fading, esno_db)
    of = of[of["best_for"] == ("accuracy" if measure == "accuracy" else "psnr")].copy()
    of["bound"] = of["scheme"] == "capacity"
    return of.loc[of.groupby(["side", "header", "bound", "symbols"])[measure].idxmax()]


def _panel(ax: Axes, measure: str, learned: pd.DataFrame, digital: pd.DataFrame) -> None:
    for i, (system, name) in enumerate(SYSTEMS.items()):
        of = learned[learned["system"] == system].sort_values("symbols")
        ax.plot(of["symbols"] / N_VALUES, of[measure], label=name, color=ARM_COLOURS[i], marker=MARKERS[i])
    for i, ((side, header, bound), name) in enumerate(DIGITAL.items()):
        of = digital[(digital["side"] == side) & (digital["header"] == header) & (digital["bound"] == bound)]
        look = {"color": ARM_COLOURS[4 + i], "linestyle": ":" if bound else "--", "marker": MARKERS[4 + i]}
        ax.plot(of["symbols"] / N_VALUES, of[measure], label=name, markersize=4, **look)


def _marks(ax: Axes, measure: str, fading: str, esno_db: float) -> None:
    for where, db, system, symbols, accuracy, psnr_db in PAPER:
        value = accuracy if measure == "accuracy" else psnr_db
        if (where, db) == (fading, esno_db) and value is not None:
            i = list(SYSTEMS).index(system)
            ax.plot(symbols / N_VALUES, value, MARKERS[i], color=ARM_COLOURS[i], fillstyle="none", markersize=8)


def _table(learned: pd.DataFrame, digital: pd.DataFrame) -> pd.DataFrame:
    """Accuracy / PSNR of every system, by channel and bandwidth."""
    rows = []
    for fading, channel in FADINGS.items():
        for esno_db in ESNO_DB:
            for symbols in sorted(set(learned["symbols"])):
                row: dict[str, Any] = {"channel": channel, "Es/N0 (dB)": esno_db, "k/n": f"1/{N_VALUES / symbols:.3g}"}
                of = _at(learned, fading, esno_db)
                for system, name in SYSTEMS.items():
                    found = of[(of["system"] == system) & (of["symbols"] == symbols)]
                    row[name] = "–"
                    if len(found):
                        row[name] = f"{100 * found['accuracy'].iloc[0]:.1f} % / {found['psnr_db'].iloc[0]:.1f}"
                for way, name in DIGITAL.items():
                    row[name] = _cell(digital, way, fading, esno_db, symbols)
                if set(list(row.values())[3:]) != {"–"}:
                    rows.append(row)
    return pd.DataFrame(rows)


def _cell(digital: pd.DataFrame, way: tuple[int, str, bool], fading: str, esno_db: float, symbols: int) -> str:
    """Accuracy / PSNR of one way of sending files; – where none was measured."""
    values = []
    for measure in MEASURES:
        best = _best(digital, measure, fading, esno_db)
        keys = (best["side"] == way[0]) & (best["header"] == way[1]) & (best["bound"] == way[2])
        values += best[keys & (best["symbols"] == symbols)][measure].tolist()
    return f"{100 * values[0]:.1f} % / {values[1]:.1f}" if values else "–"


def _against_the_paper(learned: pd.DataFrame) -> pd.DataFrame:
    """What the paper prints, ours, and the distance, cell by cell."""
    rows = []
    for fading, esno_db, system, symbols, accuracy, psnr_db in PAPER:
        of = _at(learned, fading, esno_db)
        found = of[(of["system"] == system) & (of["symbols"] == symbols)]
        ours = found.iloc[0] if len(found) else None
        rows.append({
            "channel": FADINGS[fading],
            "Es/N0 (dB)": esno_db,
            "system": SYSTEMS[system],
            "k/n": f"1/{N_VALUES / symbols:.3g}",
            "paper": f"{100 * accuracy:.2f} %" + (f" / {psnr_db:.2f}" if psnr_db else ""),
            "ours": "not trained" if ours is None else f"{100 * ours['accuracy']:.2f} % / {ours['psnr_db']:.2f}",
            "accuracy, points": "–" if ours is None else f"{100 * (ours['accuracy'] - accuracy):+.1f}",
            "PSNR, dB": "–" if ours is None or psnr_db is None else f"{ours['psnr_db'] - psnr_db:+.1f}",
        })  # fmt: skip
    return pd.DataFrame(rows)


def _trunks() -> pd.DataFrame:
    """DeepJSCC's heads by trunk: what each gives, and what a receiver fetches that has ``deepjscc_awgn``."""
    rows = []
    for model, head in HEADS:
        measured: dict[str, Any] = read_card(zoo_root() / "jscc" / model).measured
        symbols = n_symbols((32, 32), head)
        at = {row["esno_db"]: row for row in measured["over_esno"] if row["symbols"] == symbols}
        trunk, own = Jscc(Jscc.Params(model=model, head=head)).decoder_slices
        shared = trunk.name == "jscc/deepjscc_awgn/trunk"
        rows.append({
            "k/n": f"1/{N_VALUES / symbols:.3g}",
            "trunk": "the shared one" if shared else "its own",
            **{f"{db:g} dB": f"{100 * at[db]['accuracy']:.1f} % / {at[db]['psnr_db']:.1f}" for db in ESNO_DB},
            "still to fetch, kB": round((own.n_byte + (0 if shared else trunk.n_byte)) / 1e3, 1),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _codecs(digital: pd.DataFrame) -> pd.DataFrame:
    """Best PSNR of each codec over AWGN, and with which scheme; mean code and what had to fall back."""
    of = digital[(digital["fading"] == "awgn") & (digital["best_for"] == "psnr") & (digital["scheme"] != "capacity")]
    rows = []
    for (side, header, esno_db, symbols, codec), part in of.groupby(["side", "header", "esno_db", "symbols", "codec"]):
        row = part.iloc[0]
        rows.append({
            "unit": "image" if side == 1 else f"mosaic of {side**2}",
            "header": {"count": "counted", "strip": "stripped"}[header],
            "Es/N0 (dB)": esno_db,
            "k/n": f"1/{N_VALUES / symbols:.3g}",
            "codec": codec,
            "cell": f"{row['psnr_db']:.1f} ({row['scheme']})" + (" *" if row["fallback"] > 0.5 else ""),
        })  # fmt: skip
    frame = pd.DataFrame(rows)
    keys = ["unit", "header", "Es/N0 (dB)", "k/n"]
    return frame.pivot_table(index=keys, columns="codec", values="cell", aggfunc="first", sort=False).reset_index()


if __name__ == "__main__":
    draw(page_arguments(__doc__, here=HERE).here)
