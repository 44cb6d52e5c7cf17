"""Which features does a detector need (paper 002, Figs 4 and 5), and what tells: its own features, or bits?

python experiments/sesc_detection/page.py experiments/sesc_detection            # measures, then draws
python experiments/sesc_detection/page.py experiments/sesc_detection --draw     # from points.csv and differences.csv

CamVid's test pictures lie in $SIMNET_DATA; with --sample the shipped pictures will do.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from torch import Tensor

from simnet.codecs.jpeg2000 import Jpeg2000
from simnet.codecs.networks.sesc import Sesc, above, load_sesc, most_important
from simnet.codecs.networks.sesc_importance import load_importance
from simnet.core import streams
from simnet.core.mcs import mcs_by_name
from simnet.core.units import db_to_linear
from simnet.core.zoo import model_dir
from simnet.data.base import ImageSet
from simnet.data.camvid_small import CamVidSmall
from simnet.report.figures.style import ARM_COLOURS, MARKERS, page
from simnet.results import markdown, write_table
from simnet.results.figures import save
from simnet.results.figures.canvas import styled
from simnet.results.page_arguments import DRAW, HERE, page_arguments
from simnet.signal.digital.points import SCHEMES
from simnet.signal.digital.transport import delivery, most_byte
from simnet.signal.other_judges import DetectionJudge
from simnet.tasks.boxes import Boxes, Matched
from simnet.tasks.detection import SURE, boxes_of
from simnet.tasks.networks.detector import DETECTED, Detector, load_detector
from simnet.tasks.networks.task_network import load_task_network
from simnet.training.sesc import recovery
from simnet.training.sesc_importance import weigh_by
from simnet.training.task_losses import BATCH, recovered

SEED, MODEL, JUDGE = 1, "sesc/street", "detector/street"
NETWORK, ENTROPY, OTHER_TASK, ANY = "network", "entropy", "segmentation", "any"
WORDS = {
    NETWORK: "importance network of detection",
    ENTROPY: "entropy model",
    OTHER_TASK: "network trained with the codec",
    ANY: "at random",
}
SHARES = (0.15, 0.3, 0.5, 0.7, 0.85)
HALF = 0.5
THRESHOLDS = (0.2, 0.3)
"""μ of the paper, beside all features."""
ESNO_DB = (0.0, 3.0, 6.0, 9.0, 15.0, 20.0)
AT_DB = 15.0
"""The paper's Fig. 4, and where shares are compared."""
LOW_BELOW_DB, HIGH_FROM_DB = 11.0, 15.0
PAPER = {"symbols": -23.7, "map_50": -9.5}
"""Per cent, from μ = 0.2 to 0.3 below 11 dB; VOC 2012, YOLOv5."""
N_RESAMPLES = 1000
N_ARRIVALS = 200
SHOWN = (3, 50, 100)
"""Shipped pictures of ``pictures.png``."""
Weigh = Callable[[Tensor], Tensor]
Way = tuple[str, str, float]
"""What ``value`` is (``share``, ``threshold``), what chooses, the value."""
Key = tuple[Way, float]
"""And Es/N0 in dB."""


def networks() -> tuple[Sesc, dict[str, Weigh]]:
    """The codec, and what gives its features weights."""
    codec = load_sesc(model_dir(MODEL) / "weights.safetensors")
    chance = torch.Generator().manual_seed(int(streams.generator(SEED, "sesc", ANY).integers(2**62)))
    ways: dict[str, Weigh] = {ANY: lambda x: torch.rand(len(x), codec.shape.n_features, generator=chance)}
    for name, way in ((NETWORK, "street_detection"), (ENTROPY, "street_entropy")):
        model = load_importance(model_dir(f"sesc_importance/{way}") / "weights.safetensors")
        task = model.head.task and load_task_network(model_dir(model.head.task) / "weights.safetensors")
        ways[name] = weigh_by(model.network, codec, task or None)
    parser = load_task_network(model_dir("segmenter/street_parser") / "weights.safetensors")
    ways[OTHER_TASK] = partial(codec.weights, task=parser)
    return codec, ways


def transmission(
    codec: Sesc, weigh: Weigh, choose: Callable[[Tensor], Tensor], esno_db: float
) -> Callable[[Tensor], Tensor]:
    """The same fading and noise at one Es/N0, whatever is chosen."""
    seed = int(streams.generator(SEED, "sesc", str(esno_db)).integers(2**62))
    return recovery(codec, weigh, choose, esno_db, seed)


@dataclass
class Measured:
    """Rows of the table, and what paired differences need: mAP in each bootstrap sample of the pictures."""

    judge: DetectionJudge
    rows: list[dict[str, Any]] = field(default_factory=list)
    samples: dict[Key, NDArray[np.float64]] = field(default_factory=dict)

    def add(self, key: Key, matched: Matched, **others: Any) -> None:
        scores = np.array([matched.mean_average_precision(c) for c in self.judge.resampled(N_RESAMPLES)])
        self.add_scores(key, matched.mean_average_precision(), scores, **others)

    def add_scores(self, key: Key, map_50: float, scores: NDArray[np.float64], **others: Any) -> None:
        if key in self.samples:
            raise ValueError(f"measured twice: {key}")
        (what, by, value), esno_db = key
        low, high = np.quantile(scores, [0.025, 0.975])
        self.samples[key] = scores
        self.rows.append({
            "what": what, "by": by, "value": value, "esno_db": esno_db, **others,
            "map_50": map_50, "map_low": low, "map_high": high, "n": len(self.judge.images),
        })  # fmt: skip

    @property
    def table(self) -> pd.DataFrame:
        return pd.DataFrame(self.rows)


def measure(images: ImageSet) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Points and paired differences."""
    codec, ways = networks()
    detector = load_detector(model_dir(JUDGE) / "weights.safetensors")
    measured = Measured(DetectionJudge.of(images, detector))
    n_features, cpu = codec.shape.n_features, torch.device("cpu")
    weights = {name: recovered(images, weigh, cpu) for name, weigh in ways.items()}

    def add(way: Way, esno_db: float, choose: Callable[[Tensor], Tensor]) -> None:
        sent = choose(weights[way[1]]).float()
        masks = iter(torch.split(sent, BATCH))
        recover = transmission(codec, lambda _: next(masks), lambda mask: mask, esno_db)
        features = float(sent.sum(1).mean())
        matched = measured.judge.matched(recovered(images, recover, cpu))
        measured.add((way, esno_db), matched, features=features, symbols=features * codec.shape.symbols)

    original = measured.judge.matched(torch.tensor(images.images).float() / 255)
    measured.add((("original", "original", 1.0), np.inf), original)
    for esno_db in ESNO_DB:
        add(("threshold", NETWORK, 0.0), esno_db, lambda w: above(w, 0.0))
        for by in (NETWORK, ENTROPY):
            for threshold in THRESHOLDS:
                add(("threshold", by, threshold), esno_db, partial(above, threshold=threshold))
        print(f"{esno_db:g} dB", file=sys.stderr)
    for by in WORDS:
        for share in SHARES:
            n = max(1, round(share * n_features))
            add(("share", by, share), AT_DB, partial(most_important, n=n))
        print(WORDS[by], file=sys.stderr)
    _digital(measured)
    return measured.table, _differences(measured)


def _digital(measured: Measured) -> None:
    """JPEG 2000 in as many symbols as all features take, and those above each μ; what is lost is grey."""
    judge = measured.judge
    images = torch.tensor(judge.images.images).float() / 255
    shape = (images.shape[1], images.shape[2], images.shape[3])
    lost = judge.found(images.mean((0, 2, 3), keepdim=True).expand_as(images))
    table = measured.table
    of = table[(table["what"] == "threshold") & (table["by"] == NETWORK)]
    for threshold, part in of.groupby("value"):
        sent = {}
        for scheme in SCHEMES:
            n_byte = most_byte(int(part["symbols"].mean()), mcs_by_name(scheme), "2304")
            if n_byte == 0:
                continue
            codec = Jpeg2000(Jpeg2000.Params(
                image_shape=shape, rate_bpp=8 * n_byte / (shape[1] * shape[2]), header="strip",
            ))  # fmt: skip
            arrived = judge.found(codec.decode(codec.encode(images)))
            sent[scheme] = n_byte, Matched.of([*arrived, *lost], [*judge.truth, *judge.truth], len(DETECTED))
        for esno_db in ESNO_DB:
            best: dict[str, Any] = {"map_50": -1.0}
            for scheme, (n_byte, either) in sent.items():
                p = delivery(n_byte, mcs_by_name(scheme), "2304", "rayleigh_block", float(db_to_linear(esno_db)))
                once = np.ones((N_ARRIVALS, len(images)), np.int64)
                map_50 = float(np.mean(_scores(either, once, p, esno_db)))
                if map_50 > best["map_50"]:
                    best = {"map_50": map_50, "scheme": scheme, "p": p, "either": either}
            scores = _scores(best["either"], judge.resampled(N_RESAMPLES), best["p"], esno_db)
            measured.add_scores(
                (("jpeg2000", "jpeg2000", float(threshold)), esno_db), best["map_50"], scores,
                symbols=part["symbols"].mean(), scheme=best["scheme"], delivered=best["p"],
            )  # fmt: skip
        print(f"JPEG 2000 in the symbols of μ = {threshold:g}", file=sys.stderr)


def _scores(either: Matched, counts: NDArray[np.int64], p: float, esno_db: float) -> NDArray[np.float64]:
    """mAP with pictures that count so often [R, N], each of which arrives with probability p, else is lost."""
    rng = streams.generator(SEED, "arrivals", str(esno_db))
    arrived = rng.random(counts.shape) < p
    halves = np.concatenate((counts * arrived, counts * ~arrived), axis=1)
    return np.array([either.mean_average_precision(each) for each in halves])


def _differences(measured: Measured) -> pd.DataFrame:
    """Differences of mAP between two ways, paired over pictures, fading and noise: absolute and of the first, in %."""
    low = [db for db in ESNO_DB if db < LOW_BELOW_DB]
    high = [db for db in ESNO_DB if db >= HIGH_FROM_DB]
    table = measured.table.set_index(["what", "by", "value", "esno_db"])["map_50"]
    rows = []

    def add(question: str, before: Way, after: Way, esno_db: list[float]) -> None:
        points = [float(np.mean([table[(*way, db)] for db in esno_db])) for way in (before, after)]
        a, b = (np.mean([measured.samples[way, db] for db in esno_db], axis=0) for way in (before, after))
        (by_low, by_high), (of_low, of_high) = (np.quantile(x, [0.025, 0.975]) for x in (b - a, 100 * (b / a - 1)))
        rows.append({
            "question": question, "from_db": min(esno_db), "to_db": max(esno_db),
            "before": points[0], "after": points[1],
            "difference": points[1] - points[0], "low": by_low, "high": by_high,
            "percent": 100 * (points[1] / points[0] - 1), "percent_low": of_low, "percent_high": of_high,
        })  # fmt: skip

    first, second = THRESHOLDS
    for by in (NETWORK, ENTROPY):
        add(f"raised {by}", ("threshold", by, first), ("threshold", by, second), low)
        for threshold in THRESHOLDS:
            for name, among in (("low", low), ("high", high)):
                add(f"{threshold:g} {by} {name}", ("threshold", NETWORK, 0.0), ("threshold", by, threshold), among)
    for by in (ENTROPY, OTHER_TASK, ANY):
        add(f"half {by}", ("share", by, HALF), ("share", NETWORK, HALF), [AT_DB])
    for by in (NETWORK, ENTROPY):
        add(f"halved {by}", ("threshold", NETWORK, 0.0), ("share", by, HALF), [AT_DB])
    return pd.DataFrame(rows)


@styled
def draw(here: Path) -> None:
    """Draw ``figure.png`` and ``pictures.png`` and fill the README's tables and its answer."""
    table, differences = pd.read_csv(here / "points.csv"), pd.read_csv(here / "differences.csv")
    figure = page(11.0, 5.6)
    left, right = figure.subplots(1, 2, sharey=True)
    for i, (by, name) in enumerate(WORDS.items()):
        _line(left, _shares_of(table, by), "features", i, f"chosen by the {name}" if by != ANY else "chosen by chance")
    left.set(xlabel=f"features sent, of {_n_features(table)}", ylabel="mAP at an overlap of ½")
    left.set_title(f"which features: at {AT_DB:g} dB")
    for i, (value, part) in enumerate(_of(table, "threshold", NETWORK).groupby("value")):
        name = "all features" if value == 0 else f"μ = {value:g}"
        _line(right, part, "esno_db", i, f"{name}: {part['symbols'].iloc[0]:,.0f} symbols")
    for i, (_, part) in enumerate(_of(table, "jpeg2000").groupby("value")):
        _line(right, part, "esno_db", i, "JPEG 2000, best LDPC and QAM, in as many symbols" if i == 0 else None, "--")
    right.set(xlabel="mean Es/N0, dB")
    right.set_title("how many: importance network of detection, against JPEG 2000")
    original = _of(table, "original").iloc[0]
    for axes in (left, right):
        axes.axhline(original["map_50"], color="#666666", linewidth=0.8, linestyle=":")
        axes.set_ylim(0, None)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), fontsize=8.5)
    figure.suptitle(
        f"Which features does a detector need?\n{int(original['n'])} street scenes of 96 × 128 over slow Rayleigh "
        "fading; bars: 95 % intervals over pictures; dotted: the originals",
        x=0.01, ha="left", fontsize=10,
    )  # fmt: skip
    save([left, right], here / "figure.png")
    _pictures(here)
    readme = here / "README.md"
    write_table(readme, "answer", answer(table, differences))
    write_table(readme, "shares", markdown(_shares(table)))
    write_table(readme, "thresholds", markdown(_thresholds(table)))
    write_table(readme, "differences", markdown(_shown(differences)))


def _of(table: pd.DataFrame, what: str, by: str | None = None) -> pd.DataFrame:
    return table[(table["what"] == what) & (table["by"] == (by or what))]


def _shares_of(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """One way's points by rising number of features; the last, all of them, is the same for each."""
    every = _of(table, "threshold", NETWORK).query("value == 0 and esno_db == @AT_DB")
    return pd.concat([_of(table, "share", by), every])


def _n_features(table: pd.DataFrame) -> int:
    return int(table["features"].max())


def _line(axes: Axes, of: pd.DataFrame, x: str, i: int, name: str | None, style: str = "-") -> None:
    """Lines stand a little beside each other, so that no bar hides another."""
    bars = np.abs(of[["map_low", "map_high"]].to_numpy().T - of["map_50"].to_numpy())
    aside = 0.006 * (i - 1 + 0.5 * (style != "-")) * (of[x].max() - of[x].min())
    axes.errorbar(
        of[x] + aside, of["map_50"], yerr=bars, color=ARM_COLOURS[i], marker=MARKERS[i], label=name, elinewidth=0.7,
        linestyle=style, linewidth=1.6 if style == "-" else 1.0, markersize=5 if style == "-" else 3.5,
    )  # fmt: skip


def answer(table: pd.DataFrame, differences: pd.DataFrame) -> str:
    """What came out, in sentences whose figures come from the tables."""
    of = differences.set_index("question")
    lines = []
    for by in (NETWORK, ENTROPY):
        sent = _of(table, "threshold", by).groupby("value")["symbols"].mean()
        before, after = (sent[threshold] for threshold in THRESHOLDS)
        row = of.loc[f"raised {by}"]
        lines.append(
            f"- **μ from {THRESHOLDS[0]:g} to {THRESHOLDS[1]:g}, by the {WORDS[by]}**, saves "
            f"{100 * (1 - after / before):.1f} % of the symbols ({before:,.0f} to {after:,.0f}). mAP, mean over Es/N0 "
            f"below {LOW_BELOW_DB:g} dB, goes from {row['before']:.3f} to {row['after']:.3f}: {_percent(row)}; "
            f"{_told(row)}."
        )
    lines[0] += (
        f" The paper has {_signed(PAPER['symbols'], 1)} % of the symbols and {_signed(PAPER['map_50'], 1)} % of the "
        "mAP."
    )
    for by in (NETWORK, ENTROPY):
        for name, where in (("high", f"at {HIGH_FROM_DB:g} dB and above"), ("low", f"below {LOW_BELOW_DB:g} dB")):
            row = of.loc[f"{THRESHOLDS[0]:g} {by} {name}"]
            lines.append(
                f"- **All features against μ = {THRESHOLDS[0]:g} of the {WORDS[by]}**, {where}: mAP "
                f"{row['before']:.3f} against {row['after']:.3f}, {_percent(row)}; {_told(row)}."
            )
    for by in (NETWORK, ENTROPY):
        row = of.loc[f"halved {by}"]
        lines.append(
            f"- **All features against half of them by the {WORDS[by]}**, at {AT_DB:g} dB: mAP {row['before']:.3f} "
            f"against {row['after']:.3f}, {_percent(row)}; {_told(row)}."
        )
    for by in (ENTROPY, OTHER_TASK, ANY):
        row = of.loc[f"half {by}"]
        lines.append(
            f"- **Half of the features at {AT_DB:g} dB**: chosen by the {WORDS[NETWORK]} mAP {row['after']:.3f}, by "
            f"{'chance' if by == ANY else 'the ' + WORDS[by]} {row['before']:.3f}, difference "
            f"{_signed(row['difference'], 3)} ({_signed(row['low'], 3)} to {_signed(row['high'], 3)}); {_told(row)}."
        )
    lines += [_against_jpeg2000(table), _against_originals(table)]
    return "\n".join(lines)


def _percent(row: Mapping[str, Any]) -> str:
    low, high = _signed(row["percent_low"], 1), _signed(row["percent_high"], 1)
    return f"{_signed(row['percent'], 1)} % (95 % interval {low} to {high} %)"


def _told(row: Mapping[str, Any]) -> str:
    return "they differ beyond the interval" if row["low"] > 0 or row["high"] < 0 else "they can't be told apart"


def _signed(value: float, places: int) -> str:
    return f"{value:+.{places}f}".replace("-", "−")


def _against_jpeg2000(table: pd.DataFrame) -> str:
    parts = []
    for value, rival in _of(table, "jpeg2000").groupby("value"):
        own = _of(table, "threshold", NETWORK).query("value == @value").set_index("esno_db")
        rival = rival.set_index("esno_db")
        apart = own["map_low"] > rival["map_high"]
        leads = (own["map_50"] > rival["map_50"]) & ~apart
        said = [f"{words} at {_listed(own.index[which])} dB" for which, words in (
            (apart, "beyond both intervals"), (leads, "by the means alone"),
        ) if which.any()]  # fmt: skip
        parts.append(("all features" if value == 0 else f"μ = {value:g}") + ": " + (", ".join(said) or "nowhere"))
    head = "- **SE-SC is ahead of JPEG 2000 with the best LDPC and QAM in as many symbols** with "
    return head + "; with ".join(parts) + "."


def _against_originals(table: pd.DataFrame) -> str:
    original = next(_of(table, "original").itertuples())
    every = _of(table, "threshold", NETWORK).query("value == 0")
    best = next(every[every["esno_db"] == every["esno_db"].max()].itertuples())
    return (
        f"- **What the codec itself loses**: on the originals the judge's mAP is {_interval(original)}, on pictures of "
        f"which all features were sent at {best.esno_db:g} dB {_interval(best)}."
    )


def _listed(values: pd.Index) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _interval(row: Any) -> str:
    return f"{row.map_50:.3f} [{row.map_low:.3f}, {row.map_high:.3f}]"


def _shares(table: pd.DataFrame) -> pd.DataFrame:
    """mAP over the number of features, a column for each way to choose them."""
    columns = {}
    for by, name in WORDS.items():
        part = _shares_of(table, by)
        columns[name] = [_interval(row) for row in part.itertuples()]
    return pd.DataFrame({"features": part["features"].astype(int).to_numpy(), **columns})


def _thresholds(table: pd.DataFrame) -> pd.DataFrame:
    """mAP over Es/N0 of each μ, by network and by entropy, and of JPEG 2000 in as many symbols."""
    rows = []
    for what, by in (("threshold", NETWORK), ("threshold", ENTROPY), ("jpeg2000", None)):
        for value, part in _of(table, what, by).groupby("value"):
            name = "all features" if value == 0 else f"μ = {value:g}, {WORDS.get(by or '', '')}"
            if by is None:
                name = "JPEG 2000 in those of " + ("all features" if value == 0 else f"μ = {value:g}, {WORDS[NETWORK]}")
            symbols = part["symbols"].mean()
            row = {
                "way": name,
                "symbols": round(symbols),
                "saved": f"{100 * (1 - symbols / table['symbols'].max()):.0f} %",
            }
            rows.append(row | {f"mAP at {r.esno_db:g} dB": _interval(r) for r in part.itertuples()})
    return pd.DataFrame(rows)


def _shown(differences: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({
        "question": [_question(q) for q in differences["question"]],
        "Es/N0, dB": [" to ".join(f"{db:g}" for db in sorted({r.from_db, r.to_db})) for r in differences.itertuples()],
        "mAP of the first": [f"{v:.4f}" for v in differences["before"]],
        "of the second": [f"{v:.4f}" for v in differences["after"]],
        "difference [95 %]": [
            f"{_signed(r.difference, 4)} [{_signed(r.low, 4)}, {_signed(r.high, 4)}]" for r in differences.itertuples()
        ],
        "in % [95 %]": [
            f"{_signed(r.percent, 1)} [{_signed(r.percent_low, 1)}, {_signed(r.percent_high, 1)}]"
            for r in differences.itertuples()
        ],
    })  # fmt: skip


def _question(key: str) -> str:
    kind, by, *_ = key.split()
    if kind == "raised":
        return f"μ = {THRESHOLDS[0]:g}, then {THRESHOLDS[1]:g}: {WORDS[by]}"
    if kind == "half":
        return f"half of the features, by {'chance' if by == ANY else WORDS[by]}, then by the {WORDS[NETWORK]}"
    if kind == "halved":
        return f"all features, then half of them: {WORDS[by]}"
    return f"all features, then μ = {kind}: {WORDS[by]}"


def _pictures(here: Path) -> None:
    """Originals, weights, what arrives, and what is found in each (the paper's Fig. 4)."""
    codec, ways = networks()
    detector = load_detector(model_dir(JUDGE) / "weights.safetensors")
    sample = CamVidSmall().load("sample")
    judge = DetectionJudge.of(sample, detector)
    images = torch.tensor(sample.images[list(SHOWN)]).float() / 255
    threshold = THRESHOLDS[-1]
    with torch.no_grad():
        weights = {by: ways[by](images) for by in (NETWORK, ENTROPY)}
    made = {by: transmission(codec, ways[by], partial(above, threshold=threshold), AT_DB)(images) for by in weights} | {
        "all": transmission(codec, ways[NETWORK], partial(above, threshold=0.0), AT_DB)(images)
    }
    figure = page(13.0, 6.6)
    grid = figure.subplots(len(images), 6)
    truth = [judge.truth[i] for i in SHOWN]
    for row, axes in enumerate(grid):
        sent = {by: int(above(weights[by], threshold)[row].sum()) for by in weights}
        shown = [
            ("original", images[row], True),
            ("weights: network", weights[NETWORK][row], False),
            (f"μ = {threshold:g}, network", made[NETWORK][row], True),
            ("weights: entropy", weights[ENTROPY][row], False),
            (f"μ = {threshold:g}, entropy", made[ENTROPY][row], True),
            ("all features", made["all"][row], True),
        ]
        for ax, (title, picture, detect) in zip(axes, shown, strict=True):
            if detect:
                ax.imshow(picture.permute(1, 2, 0).numpy(), interpolation="nearest")
                _boxes(ax, detector, picture, truth[row] if title == "original" else None)
            else:
                ax.imshow(
                    picture.view(codec.shape.grid).numpy(), cmap="viridis", vmin=0, vmax=1, interpolation="nearest"
                )
            ax.set_xticks([])
            ax.set_yticks([])
            ax.grid(False)
            if title.startswith("μ"):
                ax.set_xlabel(f"{sent[title.split()[-1]]} of {codec.shape.n_features} features", fontsize=8)
            if row == 0:
                ax.set_title(title)
    handles = [Line2D([], [], color=ARM_COLOURS[i], label=name) for i, name in enumerate(DETECTED)]
    handles.append(Line2D([], [], color="#444444", linestyle=":", label="true boxes, in their class's colour"))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=8.5)
    figure.suptitle(
        f"What does a detector need of a picture?\nSlow Rayleigh fading, mean Es/N0 {AT_DB:g} dB; boxes: detections of "
        f"score {SURE:g} and above, dotted: true ones",
        x=0.01, ha="left", fontsize=10,
    )  # fmt: skip
    save(grid.ravel().tolist(), here / "pictures.png")


@torch.no_grad()
def _boxes(axes: Axes, detector: Detector, picture: Tensor, truth: Boxes | None) -> None:
    (found,) = boxes_of(detector.detect(picture[None]))
    for boxes, line in ((found[found[:, 5] >= SURE], "-"), (truth, ":")):
        for left, top, right, bottom, label, _ in boxes if boxes is not None else ():
            axes.add_patch(Rectangle(
                (left - 0.5, top - 0.5), right - left, bottom - top, fill=False, linestyle=line,
                edgecolor=ARM_COLOURS[int(label)], linewidth=1.4,
            ))  # fmt: skip


if __name__ == "__main__":
    flags = {"draw": DRAW, "sample": "measure the few pictures that come with simnet"}
    given = page_arguments(__doc__, flags, here=HERE)
    folder = given.here
    if not given.draw:
        torch.set_num_threads(1)
        pictures = CamVidSmall().load("sample" if given.sample else "test")
        for name, found in zip(("points", "differences"), measure(pictures), strict=True):
            found.to_csv(folder / f"{name}.csv", index=False, float_format="%.5g", lineterminator="\n")
    draw(folder)
