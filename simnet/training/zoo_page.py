"""The zoo's page ``models/README.md``, made from the cards: ``simnet models page > models/README.md``."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from simnet.codecs.jscc import decoder_slices
from simnet.codecs.networks.jscc import load_jscc, n_symbols
from simnet.core.mcs import MCS_TABLE, CodeFamily, Mcs
from simnet.core.plugins import KINDS
from simnet.core.units import linear_to_db
from simnet.phy.tables.bler import BlerTable
from simnet.training.cards import Card, read_card
from simnet.training.jscc import Recipe as JsccRecipe
from simnet.training.recipe import read_recipe
from simnet.training.sesc_importance import Recipe as ImportanceRecipe

SHOWN = (("int8", 8), ("int6", 4))
"""(precision of the decoder, bits per code value): a careful and a frugal variant."""

HEAD = """# The zoo

Trained slices, each in `<family>/<name>/` with its recipe (`train.yaml`), its card (`card.yaml`: data, hashes, epochs,
device, sizes, measured quality) and its weights. This page is made from the cards:
`simnet models page > models/README.md`.

- `simnet train models/<family>/<name>/train.yaml --data DIR` makes a model's weights anew; `--resume` goes on from a
  checkpoint. `train_full.yaml` beside it, where there is one, is the paper's full width, for a GPU.
- `simnet models measure <family>/<name> --data DIR` measures a card's figures anew,
  `simnet models over-snr aesc/<name>` its SS over Es/N0.
- The judge that measures SS is never the network whose features trained the codec; DeepSC and SemCC are marked, which
  the judge itself has guided, as in paper 003.
- To add a model: a folder of its own with a `train.yaml` that `simnet train` reads. It writes weights and card, whose
  `parameters` (of each role), `training` (epochs, `wall_s`, device) and `measured` make this page's rows; of symbols,
  `measured.over_esno` has a row per head and Es/N0 with `symbols`, `esno_db`, `psnr_db`, `accuracy`, `ss`, `n`.
- `bler/<code>/` holds block error rates over Es/N0 with counts and 95 % intervals, one file per block size and scheme,
  for links of `fidelity: table`; `simnet link calibrate` makes them.
"""
STREETS = {"camvid_small": "96 × 128", "camvid": "240 × 320"}
"""Data set -> size of its pictures."""
BLER_SHOWN = 0.1
JSCC_DB = (5, 10, 20)
JSCC_FOOT = (
    "Decoder B: trunk and head, int8, as they travel. PSNR and SS (of street scenes: by mIoU): means over test images, "
    "one draw of the channel each, at true Es/N0; where a card lacks one, the nearest, in brackets. † guided by its "
    "judge."
)
BLER_FOOT = f"Es/N0 in dB at a block error rate of {BLER_SHOWN}, AWGN; k: information bits of a block, CRC included."
FOOT = "SS: population SS on the whole test set. PSNR: mean of the images' own. Code: mean bytes, entropy coded."


def page(root: Path) -> str:
    """The page's Markdown, from all cards below the zoo's folder."""
    cards = [read_card(path.parent) for path in sorted(root.glob("*/*/card.yaml"))]
    lines = [HEAD, "## Codecs\n"]
    lines += _table(
        ("model", "parameters enc / dec", "variant", "decoder B", "code B", "SS (95 %)", "PSNR dB", "SSIM", "epochs"),
        (row for card in cards if card.kind == "autoencoder" for row in _codec_rows(card)),
    )
    lines += ["", FOOT, "", "## Networks that recognise\n"]
    lines += _table(
        ("model", "parameters", "MFLOP", "accuracy (95 %)", "images", "epochs"),
        (_network_row(card) for card in cards if card.kind in ("classifier", "source_id")),
    )
    lines += ["", "## Networks that label pixels\n"]
    lines += _table(
        ("model", "parameters", *(f"mIoU at {size} (95 %)" for size in STREETS.values()), "epochs"),
        (_street_row(card, "miou") for card in cards if card.kind == "segmenter"),
    )
    lines += ["", "## Networks that find objects\n"]
    lines += _table(
        ("model", "parameters", *(f"mAP at ½, {size} (95 %)" for size in STREETS.values()), "epochs"),
        (_street_row(card, "map_50") for card in cards if card.kind == "detector"),
    )
    lines += ["", "## LSCI: base models\n"]
    lines += _table(
        ("model", "parameters enc / gen", "pictures", "bpp", "stages", "SS (95 %)", "PSNR dB", "SSIM", "epochs"),
        (row for card in cards if card.kind == "lsci" for row in _lsci_rows(card)),
    )
    lines += ["", "## LSCI: super-resolution and channel slices\n"]
    lines += _table(
        ("model", "parameters", "what it does", "epochs"),
        (_slice_row(card) for card in cards if card.kind in ("lsci_enhancement", "channel_slice")),
    )
    lines += ["", "## RL-ASC: one level for all concepts\n"]
    lines += _table(
        ("model", "parameters enc / dec", "centres", "bpp of the features", "SS (95 %)", "PSNR dB", "SSIM", "epochs"),
        (row for card in cards if card.kind in ("rlasc", "rlasc_tuning") for row in _rlasc_rows(card)),
    )
    if layered := [card for card in cards if card.kind == "dsslic"]:
        lines += ["", "## DSSLIC, reduced: without its residual\n"]
        lines += _table(
            ("model", "parameters", "SS (95 %)", "PSNR dB", "SSIM", "epochs"), (_dsslic_row(card) for card in layered)
        )
    if agents := [card for card in cards if card.kind == "rlasc_agent"]:
        lines += ["", "## RL-ASC: agents\n"]
        lines += _table(
            ("model", "parameters", "price per bit per pixel", "bpp of the features", "SS (95 %)", "PSNR dB", "epochs"),
            (row for card in agents for row in _agent_rows(card)),
        )
    lines += ["", "## ComCNN and RecCNN around JPEG\n"]
    lines += _table(
        ("model", "parameters enc / dec", "PSNR dB by JPEG quality", "epochs"),
        (_comcnn_row(card) for card in cards if card.kind == "comcnn"),
    )
    lines += ["", "## From pixels to symbols\n"]
    at_esno = [f"PSNR dB, SS at {db} dB" for db in JSCC_DB]
    lines += _table(
        ("model", "channel", "parameters enc / dec", "decoder B", "k/n", *at_esno, "epochs", "CPU h"),
        (row for card in cards if card.kind == "jscc" for row in _jscc_rows(card, root)),
    )
    lines += ["", JSCC_FOOT, "", "## Features by importance\n"]
    lines += _table(
        ("model", "parameters enc / importance / dec", "features", *at_esno, "epochs"),
        (row for card in cards if card.kind == "sesc" for row in _sesc_rows(card)),
    )
    if importances := [card for card in cards if card.kind == "sesc_importance"]:
        lines += ["", "## What says which features matter\n"]
        lines += _table(
            ("model", "of", "parameters", "features", *(f"mAP at ½ or SS, {db} dB (95 %)" for db in JSCC_DB), "epochs"),
            (row for card in importances for row in _importance_rows(card, root)),
        )
    lines += ["", "## Block error rates\n", *_bler_table(root / "bler"), "", BLER_FOOT]
    return "\n".join(lines) + "\n"


def _dsslic_row(card: Card) -> tuple[str, ...]:
    measured: dict[str, Any] = card.measured
    quality = measured["without_residual"]
    interval = f"{quality['ss']:.3f} ({quality['ss_low']:.3f}–{quality['ss_high']:.3f})"
    parameters, epochs = f"{card.parameters['decoder']:,}", str(card.training.epochs)
    return card.model, parameters, interval, f"{quality['psnr_db']:.2f}", f"{quality['ssim']:.3f}", epochs


def _comcnn_row(card: Card) -> tuple[str, ...]:
    measured: dict[str, Any] = card.measured
    psnrs = ", ".join(f"{value:.1f} at {key.split('_')[-1]}" for key, value in measured["psnr_db"].items())
    parameters = f"{card.parameters['encoder']:,} / {card.parameters['decoder']:,}"
    return card.model, parameters, psnrs, str(card.training.epochs)


def _jscc_rows(card: Card, root: Path) -> Iterator[tuple[str, ...]]:
    """A row per head."""
    measured: dict[str, Any] = card.measured
    folder = root / card.model
    recipe = read_recipe(folder / "train.yaml")
    assert isinstance(recipe, JsccRecipe)
    networks = load_jscc(folder / "weights.safetensors")
    guided = recipe.semantics is not None and recipe.semantics.guide == recipe.judge
    shape = KINDS["data"].load(recipe.data_set)().image_shape
    for head in recipe.networks.heads:
        symbols = n_symbols((shape[1], shape[2]), head)
        at = {row["esno_db"]: row for row in measured["over_esno"] if row["symbols"] == symbols}
        yield (
            card.model + ("†" if guided else ""),
            recipe.networks.fading.replace("_", " "),
            f"{card.parameters['encoder']:,} / {card.parameters['decoder']:,}",
            f"{sum(s.n_byte for s in decoder_slices(card.model, networks, head, 'int8')):,}",
            f"1/{math.prod(shape) / symbols:.3g}",
            *(f"{at[db]['psnr_db']:.1f}, {at[db]['ss']:.3f}{where}" for db, where in _nearest(at)),
            str(card.training.epochs),
            f"{card.training.wall_s / 3600:.2g}",
        )


def _nearest(measured: Collection[float]) -> list[tuple[float, str]]:
    """The Es/N0 in dB nearest to each of the table's, and what says so where it is another."""
    found = [(wanted, min(measured, key=lambda db: (abs(db - wanted), db))) for wanted in JSCC_DB]
    return [(db, "" if db == wanted else f" ({db:g} dB)") for wanted, db in found]


def _sesc_rows(card: Card) -> Iterator[tuple[str, ...]]:
    """A row per number of features sent."""
    measured: dict[str, Any] = card.measured
    roles = ("encoder", "importance", "decoder")
    for features in dict.fromkeys(row["features"] for row in measured["over_esno"]):
        at = {row["esno_db"]: row for row in measured["over_esno"] if row["features"] == features}
        yield (
            card.model,
            " / ".join(f"{card.parameters[role]:,}" for role in roles),
            f"{features} of {measured['n_features']}",
            *(f"{at[db]['psnr_db']:.1f}, {at[db]['ss']:.3f}{where}" for db, where in _nearest(at)),
            str(card.training.epochs),
        )


def _importance_rows(card: Card, root: Path) -> Iterator[tuple[str, ...]]:
    """A row per number of features sent."""
    measured: dict[str, Any] = card.measured
    recipe = read_recipe(root / card.model / "train.yaml")
    assert isinstance(recipe, ImportanceRecipe)
    for features in dict.fromkeys(row["features"] for row in measured["over_esno"]):
        at = {row["esno_db"]: row for row in measured["over_esno"] if row["features"] == features}
        keys = ("map_50", "map_low", "map_high") if "map_50" in next(iter(at.values())) else ("ss", "ss_low", "ss_high")
        yield (
            card.model,
            f"{recipe.codec}, {recipe.task or 'any task'}",
            f"{card.parameters['importance']:,}",
            f"{features} of {measured['n_features']}",
            *("{:.3f} ({:.3f}–{:.3f})".format(*(at[db][key] for key in keys)) + where for db, where in _nearest(at)),
            str(card.training.epochs),
        )


def _bler_table(folder: Path) -> list[str]:
    """A row per scheme, a column per code and block size."""
    tables = [BlerTable.read(path) for path in folder.glob("*/*.json")]
    of = {(table.format.code, table.format.k, table.format.mcs): table for table in tables}
    columns = sorted({(code, k) for code, k, _ in of})

    def cell(code: CodeFamily, k: int, mcs: Mcs) -> str:
        table = of.get((code, k, mcs))
        return "" if table is None else f"{linear_to_db(table.threshold(BLER_SHOWN)):.2f}"

    rows = ((mcs.name, *(cell(code, k, mcs) for code, k in columns)) for mcs in MCS_TABLE)
    return _table(("MCS", *(f"{code}, k = {k}" for code, k in columns)), rows)


def _codec_rows(card: Card) -> Iterator[tuple[str, ...]]:
    measured: dict[str, Any] = card.measured
    for precision, bits in SHOWN:
        variant = next(v for v in measured["test"]["variants"] if (v["precision"], v["code_bits"]) == (precision, bits))
        low, high = variant["ss_interval_95"]
        yield (
            card.model,
            f"{card.parameters['encoder']:,} / {card.parameters['decoder']:,}",
            f"{precision}, {bits} bit",
            f"{measured['decoder_byte'][precision]:,}",
            f"{measured['code_byte'][f'{bits} bit']['entropy_coded_mean']:.1f}",
            f"{variant['ss_population']:.3f} ({low:.3f}–{high:.3f})",
            f"{variant['mean_of_psnr_db']:.1f}",
            f"{variant['ssim']:.3f}",
            str(card.training.epochs),
        )


def _network_row(card: Card) -> tuple[str, ...]:
    measured: dict[str, Any] = card.measured
    test = measured["test"]
    low, high = test["interval_95"]
    return (
        card.model,
        f"{sum(card.parameters.values()):,}",
        f"{measured['flops_per_image'] / 1e6:.1f}",
        f"{100 * test['accuracy']:.2f} % ({100 * low:.2f}–{100 * high:.2f})",
        f"{test['n']:,}",
        str(card.training.epochs),
    )


def _street_row(card: Card, figure: str) -> tuple[str, ...]:
    measured: dict[str, Any] = card.measured
    cells = []
    for name in STREETS:
        low, high = measured[name]["test"]["interval_95"]
        cells.append(f"{measured[name]['test'][figure]:.3f} ({low:.3f}–{high:.3f})")
    return card.model, f"{sum(card.parameters.values()):,}", *cells, str(card.training.epochs)


def _rlasc_rows(card: Card) -> Iterator[tuple[str, ...]]:
    """A row per level."""
    measured: dict[str, Any] = card.measured
    for row in measured["by_level"]:
        yield (
            card.model,
            f"{card.parameters['encoder']:,} / {card.parameters['decoder']:,}",
            str(row["centres"]),
            f"{row['features_bpp']:.3f}",
            f"{row['ss']:.3f} ({row['ss_low']:.3f}–{row['ss_high']:.3f})",
            f"{row['psnr_db']:.1f}",
            f"{row['ssim']:.3f}",
            str(card.training.epochs),
        )


def _agent_rows(card: Card) -> Iterator[tuple[str, ...]]:
    """A row per price."""
    measured: dict[str, Any] = card.measured
    for row in measured["by_price"]:
        yield (
            card.model,
            f"{card.parameters['agent']:,}",
            f"{row['price']:g}",
            f"{row['features_bpp']:.3f}",
            f"{row['ss']:.3f} ({row['ss_low']:.3f}–{row['ss_high']:.3f})",
            f"{row['psnr_db']:.1f}",
            str(card.training.epochs),
        )


def _lsci_rows(card: Card) -> Iterator[tuple[str, ...]]:
    measured: dict[str, Any] = card.measured
    for name in measured:
        size = STREETS.get(name, name)
        for stages in ("0", "3"):
            found = measured[name]["by_stages"][stages]
            yield (
                card.model,
                f"{card.parameters['encoder']:,} / {card.parameters['generator']:,}",
                size,
                f"{measured[name]['bound_bpp']:.4f}",
                stages,
                f"{found['ss']:.3f} ({found['ss_low']:.3f}–{found['ss_high']:.3f})",
                f"{found['psnr_db']:.1f}",
                f"{found['ssim']:.3f}",
                str(card.training.epochs),
            )


def _slice_row(card: Card) -> tuple[str, ...]:
    measured: dict[str, Any] = card.measured
    if card.kind == "lsci_enhancement":
        does = f"squared error of restored residuals × {measured['error_ratio']:.3f}"
    else:
        ends = [measured["over_esno"][0], measured["over_esno"][-1]]
        does = ", ".join(f"SS {row['ss']:.3f} at {row['esno_db']:g} dB" for row in ends).replace("-", "−")
        does += f"; unharmed {measured['unharmed']['ss']:.3f}"
    return card.model, f"{sum(card.parameters.values()):,}", does, str(card.training.epochs)


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]
