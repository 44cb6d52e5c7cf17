"""SS, PSNR and SSIM over the consumers' mean Es/N0: for runs in which bit errors reach codes and slices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from simnet.report.figures.style import MARKERS, arm_colours, legend_above, page
from simnet.report.run_folder import RunFolder
from simnet.report.scores import scores
from simnet.report.statistics import mean, ratio

TITLE = "Quality over the channel, nothing repeated"
LEAST_POINTS = 3
"""Fewer mean Es/N0 in a radio class make no curve."""
ROWS = (("ss", "population SS"), ("psnr_db", "PSNR of mean MSE (dB)"), ("ssim", "SSIM"))


def caption(run: RunFolder, summary: dict[str, Any]) -> str:
    """What the figure shows, for the page."""
    return (
        "One point per arm and mean Es/N0 of the consumers' own radio links, one column per radio class. Population SS "
        "counts images that never arrived as not recognised; PSNR (of the mean "
        "squared error) and SSIM are over those that did. Bars are 95 % intervals with items as clusters; one without "
        "its upper half is open upwards."
    )


def draw(run: RunFolder, summary: dict[str, Any]) -> Figure | None:
    """Three rows of curves; None unless a radio is unprotected and consumers' mean Es/N0 differ."""
    table = _joined(run)
    points_of = table.groupby("radio")["esno_db"].nunique()
    classes = [name for name in _unprotected(run) if points_of.get(name, 0) >= LEAST_POINTS]
    if not classes:
        return None
    figure = page(4.6 * max(len(classes), 1) + 0.6, 7.2)
    grid = figure.subplots(len(ROWS), len(classes), squeeze=False, sharex="col", sharey="row")
    colours = arm_colours(run.arms)
    for column, name in enumerate(classes):
        grid[0, column].set_title(_title(run, name, table))
        grid[-1, column].set_xlabel("mean Es/N0 (dB)")
        for index, arm in enumerate(run.arms):
            mine = table[(table["radio"] == name) & (table["arm"] == arm)]
            for row, (quantity, label) in enumerate(ROWS):
                points = [(esno_db, _estimate(part, quantity)) for esno_db, part in mine.groupby("esno_db")]
                points = [(x, y) for x, y in points if y["value"] is not None]
                axes = grid[row, column]
                axes.errorbar(
                    [x for x, _ in points],
                    [y["value"] for _, y in points],
                    yerr=np.array([[_length(y, "low"), _length(y, "high")] for _, y in points]).T.reshape(2, -1),
                    color=colours[arm],
                    marker=MARKERS[index % len(MARKERS)],
                    markersize=4,
                    linewidth=1.2,
                    elinewidth=0.8,
                    label=arm,
                )
                if column == 0:
                    axes.set_ylabel(label)
                if quantity != "psnr_db":
                    axes.set_ylim(-0.05, 1.15)
    legend_above(figure, grid[0, 0])
    return figure


def _title(run: RunFolder, name: str, table: pd.DataFrame) -> str:
    """Radio class, its fading, and on how many requests of an arm a point rests."""
    fading = run.scenario["radios"][name]["fading"].replace("none", "no").replace("_", " ")
    sizes = table[table["radio"] == name].groupby(["arm", "esno_db"], observed=True).size()
    few, many = sizes.min(), sizes.max()
    return f"{name}: {fading} fading, {few if few == many else f'{few} to {many}'} requests a point"


def _unprotected(run: RunFolder) -> list[str]:
    radios = run.scenario.get("radios", {})
    return [name for name, radio in radios.items() if radio.get("protection") == "none"]


def _joined(run: RunFolder) -> pd.DataFrame:
    """Requests with what was measured of them, and the mean Es/N0 and radio class of their consumers' links."""
    measured = run.deliveries[
        ["arm_code", "request_id", "correct_original", "correct_recovered", "psnr_db", "ssim", "st_original",
         "st_recovered"]
    ]  # fmt: skip
    table = run.requests.astype({"arm": object}).merge(measured, on=["arm_code", "request_id"], how="left")
    nodes = run.nodes[["node", "mean_esno_db", "radio"]].dropna().drop_duplicates("node").set_index("node")
    consumer = table["consumer"].astype(object)
    table["esno_db"] = consumer.map(nodes["mean_esno_db"]).round(3)
    table["radio"] = consumer.map(nodes["radio"].astype(object))
    known = measured.merge(run.requests[["arm_code", "request_id", "item_id"]], on=["arm_code", "request_id"])
    known = known.dropna(subset=["st_original"])
    originals = known.assign(score=scores(known, "original")).groupby("item_id")["score"].first()
    # An image that arrived nowhere in the run says nothing of its original: it counts as recognised, or as the others.
    hits = bool(known["correct_original"].notna().any())
    table["original"] = table["item_id"].map(originals).fillna(1.0 if hits else originals.mean()).astype(float)
    table["recovered"] = scores(table, "recovered")
    return table


def _estimate(part: pd.DataFrame, quantity: str) -> dict[str, Any]:
    if quantity == "ss":
        return ratio(part["recovered"], part["original"], part["item_id"])
    arrived = part.dropna(subset=[quantity])
    if quantity == "ssim":
        return mean(arrived["ssim"], arrived["item_id"])
    mse = mean(10.0 ** (-arrived["psnr_db"] / 10.0), arrived["item_id"])  # 0 for a lossless copy
    return {"value": _psnr_db(mse["value"]), "low": _psnr_db(mse["high"]), "high": _psnr_db(mse["low"])}


def _psnr_db(mse: float | None) -> float | None:
    return -10.0 * math.log10(mse) if mse is not None and mse > 0.0 else None


def _length(estimate: dict[str, Any], side: str) -> float:
    return 0.0 if estimate[side] is None else abs(estimate[side] - estimate["value"])
