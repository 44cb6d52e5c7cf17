"""SS over bits per weight and over sparsity of LSCI's slices, and what they weigh (paper 000, Fig. 10).

Usage:
    python experiments/lsci_variants/page.py experiments/lsci_variants
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simnet.report.figures.style import ARM_COLOURS, MARKERS, page
from simnet.results import markdown, write_table
from simnet.results.figures import save
from simnet.results.figures.canvas import styled
from simnet.results.page_arguments import HERE, page_arguments

TUNED_VARIANTS = {
    "tuned_int4": "precision int4",
    "tuned_int2": "precision int2",
    "tuned_sparse_06": "sparsity 0.6",
    "tuned_sparse_08": "sparsity 0.8",
    "tuned_sparse_09": "sparsity 0.9",
}
TUNED = "base model, fine-tuned for this variant"
CODECS = {
    "base": "base model",
    "base_shallow": "base without residual stages",
    "enhanced": "base and slice for factor 2, both",
    "slice_alone": "slice for factor 2 alone, on the base of int8",
}


@styled
def draw(here: Path) -> None:
    """Draw ``figure.png`` and fill the README's table from ``points.csv``."""
    table = pd.read_csv(here / "points.csv")
    table[["kind", "value"]] = table["setting"].str.split(" ", n=1, expand=True)
    table["bits"] = table["value"].str.extract(r"[a-z]+(\d+)").astype(float)
    figure = page(9.6, 3.9)
    left, right = figure.subplots(1, 2, sharey=True)
    for i, (codec, name) in enumerate(CODECS.items()):
        part = table[table["codec"] == codec]
        whole = part[part["value"] == "int8"]
        _line(left, part[part["kind"] == "precision"].sort_values("bits"), "bits", name, i)
        pruned = part[part["kind"] == "sparsity"]
        pruned = pd.concat([whole.assign(value="0"), pruned]).assign(share=lambda t: t["value"].astype(float))
        _line(right, pruned, "share", name, i)
    for axes, column, prefix in ((left, "bits", "tuned_int"), (right, "share", "tuned_sparse_")):
        tuned = table[table["codec"].str.startswith(prefix)]
        x = tuned["codec"].str.removeprefix(prefix).astype(float)
        _line(axes, tuned.assign(**{column: x / 10 if column == "share" else x}), column, TUNED, len(CODECS))
    left.set_xlabel("bits per weight")
    left.set_xticks([2, 4, 6, 8, 16, 20])
    left.set_ylabel("SS (mIoU, recovered over original)")
    left.set_title("Quantised, nothing pruned")
    right.set_xlabel("share of weights pruned")
    right.set_title("Pruned by magnitude, eight bits a weight")
    left.legend(loc="lower right")
    figure.suptitle(
        f"How coarse may slices be?  {int(table['n'].iloc[0])} test pictures; bars: 95 % bootstrap intervals",
        x=0.01, ha="left", fontsize=10,
    )  # fmt: skip
    save([left, right], here / "figure.png")
    reference = table[table["value"] == "float16"].set_index("codec")["ss"]
    shown = pd.DataFrame({
        "slices": table["codec"].map(CODECS).fillna(TUNED),
        "variant": table["setting"].fillna(table["codec"].map(TUNED_VARIANTS)),
        "decoder (bytes)": table["decoder_byte"],
        "SS": table["ss"],
        "SS over that of float16": (table["ss"] / table["codec"].map(reference).fillna(reference["base"])).round(4),
    })  # fmt: skip
    write_table(here / "README.md", "variants", markdown(shown))


def _line(axes: Axes, part: pd.DataFrame, x: str, name: str, i: int) -> None:
    bars = np.abs(part[["ss_low", "ss_high"]].to_numpy().T - part["ss"].to_numpy())
    axes.errorbar(part[x], part["ss"], yerr=bars, label=name, color=ARM_COLOURS[i], marker=MARKERS[i], elinewidth=0.8)


if __name__ == "__main__":
    draw(page_arguments(__doc__, here=HERE).here)
