"""Which system keeps the most meaning at k/n = 1/24 and 5 dB? Paired over training seeds (paper 003, Table I). And what
meaning costs in pixels, as their weight changes (Fig. 12).

    python experiments/semantic_order/page.py experiments/semantic_order --train FOLDER    # trains, or goes on
    python experiments/semantic_order/page.py experiments/semantic_order                   # draws, from the CSV files
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import yaml

from simnet import training
from simnet.report.figures.style import ARM_COLOURS, MARKERS, page
from simnet.results import markdown, write_table
from simnet.results.figures import save
from simnet.results.figures.canvas import styled
from simnet.statistics.replications import student_t
from simnet.training.cards import read_card

SEEDS = (1, 2, 3)
K_BY_N = 1 / 24
GUIDED = {"semantics": {"guide": "classifier/cifar10_judge"}}
FINE_TUNING = {"epochs": 1, "batch_size": 128, "optimiser": "adam", "learning_rate": 0.0002, "precision": "bfloat16"}
SYSTEMS: dict[str, dict[str, Any]] = {
    "deepjscc": {},
    "deepsc": GUIDED,
    "semcc": {**GUIDED, "fine_tuning": FINE_TUNING},
}
"""SemCC's first stage is an epoch shorter, so that all see as many images."""
RE_ENCODED: dict[str, Any] = {"semantics": {}}
WEIGHED = {"deepsc": SYSTEMS["deepsc"], "semcc": SYSTEMS["semcc"], "semre": RE_ENCODED}
ALPHAS = (0.9, 0.98, 0.996)
"""Weights of the squared error beside the paper's, k/n. The other losses are some hundred times as large."""
NAMES = {
    "deepjscc": "DeepJSCC",
    "deepsc": "DeepSC (SemCC without contrast)",
    "semcc_stage_1": "SemCC without fine-tuning",
    "semcc": "SemCC",
    "semre": "SemRE",
}
PAPER = {"semcc": (0.8713, 15.87), "semcc_stage_1": (0.8348, 16.00), "deepsc": (0.8678, 11.86)}
"""Table I: accuracy, PSNR in dB. Its 86.78 % is −0.35 points of 87.13 %, not −0.26."""
PAPER_WEIGHTS = {"semcc": ((0.8713, 15.87), (0.8671, 16.38))}
"""Of Fig. 12 the text prints these two."""


def train(here: Path, work: Path) -> None:
    """Train every system with every seed, and write ``runs.csv``; then with every weight, and write ``weights.csv``."""
    torch.set_num_threads(1)
    common = yaml.safe_load((here / "recipe.yaml").read_text(encoding="utf-8"))
    rows = []
    for seed in SEEDS:
        for system, own in SYSTEMS.items():
            folder = _trained({**common, **own, "system": system, "seed": seed}, work / f"{system}_{seed}")
            rows += _figures(folder, system, seed)
    pd.DataFrame(rows).to_csv(here / "runs.csv", index=False, lineterminator="\n")
    rows = []
    for alpha in (None, *ALPHAS):
        for system, own in WEIGHED.items():
            semantics = own["semantics"] | ({} if alpha is None else {"reconstruction": alpha})
            recipe = {**common, **own, "system": system, "seed": SEEDS[0], "semantics": semantics}
            folder = work / (f"{system}_{SEEDS[0]}" if alpha is None else f"{system}_alpha_{alpha}")
            rows.append({"alpha": alpha or K_BY_N, **_figures(_trained(recipe, folder), system, SEEDS[0])[0]})
    pd.DataFrame(rows).to_csv(here / "weights.csv", index=False, lineterminator="\n")


def _trained(recipe: dict[str, Any], folder: Path) -> Path:
    """The folder of a training, which is done if it has not been."""
    if "fine_tuning" in recipe:
        epochs = recipe["optimisation"]["epochs"] - recipe["fine_tuning"]["epochs"]
        recipe = {**recipe, "optimisation": {**recipe["optimisation"], "epochs": epochs}}
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "card.yaml").exists():
        (folder / "train.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
        training.train(folder / "train.yaml", resume=True)
    return folder


def _figures(folder: Path, system: str, seed: int) -> list[dict[str, Any]]:
    """Of the whole training, and of SemCC's first stage, which its curve tells (of 10,000 test images)."""
    measured: dict[str, Any] = read_card(folder).measured
    (found,) = measured["over_esno"]
    rows = [{"system": system, "seed": seed, "accuracy": found["accuracy"], "psnr_db": found["psnr_db"]}]
    if system == "semcc":
        with open(folder / "curve.csv", newline="", encoding="utf-8") as file:
            ends = [row for row in csv.DictReader(file) if row["accuracy_2"]]
        stage = {"accuracy": round(float(ends[0]["accuracy_2"]), 4), "psnr_db": round(float(ends[0]["psnr_db_2"]), 3)}
        rows.append({"system": "semcc_stage_1", "seed": seed, **stage})
    return rows


@styled
def draw(here: Path) -> None:
    """Draw ``figure.png`` and ``weights.png``, and fill the README's tables ``systems``, ``pairs`` and ``weights``."""
    _draw_seeds(here, pd.read_csv(here / "runs.csv"))
    _draw_weights(here, pd.read_csv(here / "weights.csv"))


def _draw_seeds(here: Path, runs: pd.DataFrame) -> None:
    figure = page(8.5, 4.2)
    ax = figure.subplots()
    for i, system, of in _by_system(runs):
        ax.plot(of["psnr_db"], of["accuracy"], MARKERS[i], color=ARM_COLOURS[i], label=NAMES[system])
        if system in PAPER:
            accuracy, psnr_db = PAPER[system]
            ax.plot(psnr_db, accuracy, MARKERS[i], color=ARM_COLOURS[i], fillstyle="none", markersize=9)
    ax.set(xlabel="PSNR, dB", ylabel="accuracy of ResNet-20")
    ax.legend(loc="lower left")
    figure.suptitle(
        f"Who keeps the meaning, who the pixels, in 128 symbols at 5 dB?\n{len(SEEDS)} training seeds each; hollow: "
        "printed in paper 003 after 350 epochs",
        x=0.01, ha="left", fontsize=10,
    )  # fmt: skip
    save([ax], here / "figure.png")
    write_table(here / "README.md", "systems", markdown(_systems(runs)))
    write_table(here / "README.md", "pairs", markdown(_pairs(runs)))


def _draw_weights(here: Path, runs: pd.DataFrame) -> None:
    figure = page(8.5, 4.2)
    ax = figure.subplots()
    for i, system, of in _by_system(runs.sort_values("alpha")):
        ax.plot(of["psnr_db"], of["accuracy"], color=ARM_COLOURS[i], marker=MARKERS[i], label=NAMES[system])
        for _, row in of.iterrows():
            near = system == "semcc" and row["psnr_db"] > 20.0  # to DeepSC's points
            beside = (-8, -12) if near else (4, 4)
            ax.annotate(f"{row['alpha']:.3g}", (row["psnr_db"], row["accuracy"]), xytext=beside,
                        textcoords="offset points", fontsize=7, color=ARM_COLOURS[i])  # fmt: skip
        for accuracy, psnr_db in PAPER_WEIGHTS.get(system, ()):
            ax.plot(psnr_db, accuracy, MARKERS[i], color=ARM_COLOURS[i], fillstyle="none", markersize=9)
    ax.set(xlabel="PSNR, dB", ylabel="accuracy of ResNet-20")
    ax.legend(loc="center left")
    figure.suptitle(
        "What does meaning cost in pixels? Numbers: weight of the squared error, from k/n on.\n128 symbols at 5 dB, "
        "one training each; hollow: SemCC as printed in paper 003, without its weights",
        x=0.01, ha="left", fontsize=10,
    )  # fmt: skip
    save([ax], here / "weights.png")
    both = zip(runs["accuracy"], runs["psnr_db"], strict=True)
    wide = runs.assign(shown=[f"{100 * accuracy:.1f} % / {psnr_db:.1f}" for accuracy, psnr_db in both])
    wide = wide.pivot(index="alpha", columns="system", values="shown")[list(WEIGHED)].rename(columns=NAMES)
    table = wide.reset_index().rename(columns={"alpha": "weight of the squared error"})
    table["weight of the squared error"] = [f"{alpha:.3g}" for alpha in table["weight of the squared error"]]
    write_table(here / "README.md", "weights", markdown(table))


def _by_system(runs: pd.DataFrame) -> Iterator[tuple[int, str, pd.DataFrame]]:
    """Place among all systems, name and rows of each that has some."""
    for i, system in enumerate(NAMES):
        of = runs[runs["system"] == system]
        if not of.empty:
            yield i, system, of


def _systems(runs: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for _, system, of in _by_system(runs):
        accuracy, psnr_db = PAPER.get(system, (None, None))
        rows.append({
            "system": NAMES[system],
            "accuracy, %": _interval(100 * of["accuracy"]),
            "PSNR, dB": _interval(of["psnr_db"]),
            "paper's accuracy": "–" if accuracy is None else f"{100 * accuracy:.2f} %",
            "paper's PSNR": "–" if psnr_db is None else f"{psnr_db:.2f} dB",
        })  # fmt: skip
    return pd.DataFrame(rows)


def _pairs(runs: pd.DataFrame) -> pd.DataFrame:
    """Differences to SemCC, seed by seed."""
    wide = runs.pivot_table(index="seed", columns="system", values=["accuracy", "psnr_db"])
    rows = []
    for _, system, _ in _by_system(runs):
        if system != "semcc":
            accuracy = 100 * (wide["accuracy"]["semcc"] - wide["accuracy"][system])
            psnr_db = wide["psnr_db"]["semcc"] - wide["psnr_db"][system]
            rows.append({
                "SemCC less": NAMES[system], "accuracy, points": _interval(accuracy), "PSNR, dB": _interval(psnr_db)
            })  # fmt: skip
    return pd.DataFrame(rows)


def _interval(values: pd.Series[float]) -> str:
    return str(student_t(values.tolist()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--train", metavar="FOLDER", type=Path, help="where trainings go")
    arguments = parser.parse_args()
    if arguments.train is not None:
        train(arguments.folder, arguments.train)
    draw(arguments.folder)
