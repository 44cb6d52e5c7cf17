"""README's table of the five systems, from the zoo's cards: ``simnet models systems``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simnet.codecs.networks.jscc import n_symbols
from simnet.core.plugins import KINDS
from simnet.training.cards import Card, read_card

ALL_OF_THEM = "city_tasks"
"""The experiment in which they compete."""
ESNO_DB = 10
"""At which codes that are symbols are reported."""
Point = Callable[[Card, Any], tuple[str, float]]
"""Of a card and a codec's parameters: an operating point in words, and its SS."""


def _lsci(card: Card, params: Any) -> tuple[str, float]:
    measured: dict[str, Any] = card.measured
    small = measured["camvid_small"]
    return f"{small['bound_bpp']:.4f} bpp, streets", small["by_stages"][str(params.stages)]["ss"]


def _aesc(card: Card, params: Any) -> tuple[str, float]:
    measured: dict[str, Any] = card.measured
    bits, precision = params.code_bits, params.precision
    code = measured["code_byte"][f"{bits} bit"]["entropy_coded_mean"]
    wanted = (precision, bits)
    point = next(v for v in measured["test"]["variants"] if (v["precision"], v["code_bits"]) == wanted)
    return f"{code:.0f} bytes, CIFAR-10's vehicles", point["ss_population"]


def _sesc(card: Card, params: Any) -> tuple[str, float]:
    measured: dict[str, Any] = card.measured
    wanted = params.features or measured["n_features"]
    point = next(r for r in measured["over_esno"] if (r["features"], r["esno_db"]) == (wanted, ESNO_DB))
    return f"{point['symbols']:,} symbols at {ESNO_DB} dB, streets", point["ss"]


def _jscc(card: Card, params: Any) -> tuple[str, float]:
    measured: dict[str, Any] = card.measured
    symbols = n_symbols((32, 32), params.head)
    point = next(r for r in measured["over_esno"] if (r["symbols"], r["esno_db"]) == (symbols, ESNO_DB))
    return f"{symbols} symbols at {ESNO_DB} dB, CIFAR-10", point["ss"]


def _rlasc(card: Card, params: Any) -> tuple[str, float]:
    measured: dict[str, Any] = card.measured
    point = measured["by_level"][params.level - 1]
    return f"{point['features_bpp']:.3f} bpp of features, streets", point["ss"]


@dataclass(frozen=True)
class System:
    """One paper's system as a codec of ours.

    Args:
        paper: its authors; CITATION.cff has the rest.
        travels: what goes through the network, in a reader's words.
        kind: plug-in of kind ``codecs``.
        params: of the codec that the row is about.
        point: what its card says of that codec.
        experiments: folders of ``experiments/``.
    """

    name: str
    paper: str
    travels: str
    kind: str
    params: dict[str, Any]
    point: Point
    experiments: tuple[str, ...]


SYSTEMS = (
    System(
        "LSCI, SeSM", "Dong et al.", "base model and enhancement slices; scalar-quantised codes", "lsci", {"stages": 0},
        _lsci, ("lsci_rate", "lsci_slices", "slice_or_model", "lsci_channel", "lsci_variants"),
    ),
    System(
        "AESC-I", "Dong et al.", "an autoencoder's decoder for each source; entropy-coded features", "aesc",
        {"model": "vehicles_z8", "precision": "int6", "code_bits": 4},
        _aesc, ("break_even", "keep_or_fetch", "corrupted_models", "traffic_against_ss", "aesc_channel"),
    ),
    System(
        "SE-SC", "Fu et al.", "shared feature and decoder; symbols of the features that the task needs", "sesc", {},
        _sesc, ("sesc_features", "sesc_detection"),
    ),
    System(
        "SemCC, SemRE", "Tang et al.", "one trunk, a head for each bandwidth; an image as symbols", "jscc",
        {"model": "semcc_awgn", "head": 8},
        _jscc, ("jscc_bandwidth", "semantic_order", "jscc_mismatch", "jscc_or_digital"),
    ),
    System(
        "RL-ASC", "Huang et al.", "trunk and a head for each class; label map and features", "rlasc", {"level": 3},
        _rlasc, ("concept_bits", "concept_levels", "concept_noise"),
    ),
)  # fmt: skip


def table(zoo: Path) -> str:
    """Markdown: each system, its decoder's bytes, a point of its card, links.

    Args:
        zoo: the folder ``models``.
    """
    lines = [
        "| system | what travels | decoder | for example | SS | card | experiments |",
        "|---|---|---:|---|---:|---|---|",
    ]
    for system in SYSTEMS:
        codec = KINDS["codecs"].load(system.kind)
        built = codec(codec.Params(**system.params))
        name = built.params.models()["model"]
        code, ss = system.point(read_card(zoo / name), built.params)
        experiments = ", ".join(f"[`{e}`](experiments/{e})" for e in (*system.experiments, ALL_OF_THEM))
        decoder = sum(s.n_byte for s in built.decoder_slices)
        lines.append(
            f"| {system.name} ({system.paper}) | {system.travels} | {decoder / 1e3:,.0f} kB | {code} | {ss:.3f} "
            f"| [`{name}`](models/{name}/card.yaml) | {experiments} |"
        )
    return "\n".join(lines)
