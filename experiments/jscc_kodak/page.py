"""Photographs through networks that have seen 32 x 32 pixels only, and through HEVC + LDPC + QAM (paper 003, Fig. 15).

python experiments/jscc_kodak/page.py experiments/jscc_kodak FOLDER        # FOLDER holds kodim01.webp … (or .png)
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from simnet.codecs.classical.rate_search import rate_search
from simnet.codecs.hevc import Hevc
from simnet.codecs.networks.jscc import load_jscc, n_symbols
from simnet.codecs.quality import mean_squared_errors, psnr_db, ssim
from simnet.core.mcs import mcs_by_name
from simnet.core.zoo import model_dir
from simnet.report.figures.style import page
from simnet.results import markdown, write_table
from simnet.results.figures import save
from simnet.results.figures.canvas import styled
from simnet.results.page_arguments import HERE, page_arguments
from simnet.signal.digital.transport import channel_uses, delivery
from simnet.training.jscc_evaluation import transmitted

HEAD, ESNO_DB, SEED = 2, 20.0, 1
EVERY = 3
"""Of the 24 photographs: kodim03, 06, …"""
SCHEME = "64-QAM 3/4"
"""The paper's choice at 20 dB."""
SYSTEMS = {"deepjscc": "DeepJSCC", "deepsc": "DeepSC", "semcc": "SemCC", "semre": "SemRE"}
SHOWN, CUT = "kodim03", (slice(60, 316), slice(120, 504))
"""The picture of the figure, and its piece."""


@styled
def draw(here: Path, folder: Path) -> None:
    """Draw ``figure.png`` of one picture and fill the README's table ``all`` from every third."""
    torch.set_num_threads(1)
    recover = _ways()
    rows: list[dict[str, Any]] = []
    shown: dict[str, Tensor] = {}
    for file in sorted([*folder.glob("kodim*.webp"), *folder.glob("kodim*.png")])[EVERY - 1 :: EVERY]:
        with Image.open(file) as picture:
            pixels = np.asarray(picture.convert("RGB")).transpose(2, 0, 1)[None]
        original = torch.tensor(pixels) / 255
        for name, way in recover.items():
            made = way(pixels)
            error = mean_squared_errors(original, made)
            rows.append({"system": name, "psnr_db": float(psnr_db(error)), "ssim": float(ssim(original, made.float()))})
            if file.stem == SHOWN:
                shown[f"{name}\n{rows[-1]['psnr_db']:.1f} dB, SSIM {rows[-1]['ssim']:.2f}"] = made
        if file.stem == SHOWN:
            shown = {"original\n": original} | shown
        print(file.stem, file=sys.stderr)
    _figure(here, shown)
    table = pd.DataFrame(rows).groupby("system", sort=False).agg(["mean", "min", "max"])
    table.columns = pd.Index([f"{'PSNR, dB' if a == 'psnr_db' else 'SSIM'}, {b}" for a, b in table.columns])
    write_table(here / "README.md", "all", markdown(table.reset_index()))


def _ways() -> dict[str, Callable[[NDArray[np.uint8]], Tensor]]:
    def learned(system: str) -> Callable[[NDArray[np.uint8]], Tensor]:
        networks = load_jscc(model_dir(f"jscc/{system}_awgn") / "weights.safetensors")
        return lambda pixels: transmitted(networks, pixels, HEAD, ESNO_DB, SEED)

    return {name: learned(system) for system, name in SYSTEMS.items()} | {f"HEVC, {SCHEME}": _digital}


def _digital(pixels: NDArray[np.uint8]) -> Tensor:
    """The finest HEVC stream, header counted, whose words fit the same symbols; at this Es/N0 all of them arrive."""
    height, width = pixels.shape[2:]
    mcs, symbols = mcs_by_name(SCHEME), n_symbols((height, width), HEAD)
    n_byte = max(n for n in range(100, symbols, 100) if channel_uses(n, mcs, "2304") <= symbols)
    assert delivery(n_byte, mcs, "2304", "awgn", 10 ** (ESNO_DB / 10)) > 0.999
    images = torch.tensor(pixels) / 255
    codec = rate_search(Hevc, images, wanted_bpp=8 * n_byte / (height * width)).codec
    return codec.decode(codec.encode(images))


def _figure(here: Path, shown: dict[str, Tensor]) -> None:
    figure = page(11.0, 5.4)
    axes = figure.subplots(2, 3).ravel().tolist()
    for ax, (name, picture) in zip(axes, shown.items(), strict=True):
        ax.imshow(picture[0, :, CUT[0], CUT[1]].permute(1, 2, 0).numpy(), interpolation="nearest")
        ax.set_title(name)
        ax.set_axis_off()
    figure.suptitle(
        f"What do {n_symbols((512, 768), HEAD):,} symbols show of a photograph?\nKodak, k/n = 1/24, AWGN, "
        f"{ESNO_DB:g} dB; the learned systems were trained on CIFAR-10",
        x=0.01, ha="left", fontsize=10,
    )  # fmt: skip
    save(axes, here / "figure.png")


if __name__ == "__main__":
    given = page_arguments(__doc__, here=HERE, folder="folder of the Kodak images, kodim01 …")
    draw(given.here, given.folder)
