"""The best that picture codec, LDPC rate and QAM order give together, for each bandwidth, Es/N0 and channel.

``points.yaml``::

    data_set: cifar10
    split: sample
    judge: classifier/cifar10_judge
    codecs:
      hevc: {kind: hevc, quality: [0, 10, 20, 30, 40, 50, 60]}     # the rate knob, from the fewest bytes to the most
    sides: [1, 10]            # a picture for each image, and mosaics of 10 x 10
    headers: [count, strip]
    fadings: [awgn, rayleigh_block, rayleigh_fast]
    symbols: [128, 512]       # complex channel uses per image
    esno_db: [5, 20]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simnet.codecs.classical.file_codec import FileCodec
from simnet.core.errors import SimnetError
from simnet.core.mcs import MCS_TABLE, mcs_by_name
from simnet.core.plugins import KINDS
from simnet.core.units import db_to_linear
from simnet.data.base import Split
from simnet.phy.bounds.capacity import capacity, ergodic_rayleigh_capacity, outage_probability
from simnet.signal.digital.ladder import Ladder, Viewer, check_side, climb
from simnet.signal.digital.transport import Fading, Words, delivery, most_byte
from simnet.signal.points_file import in_words, read_points_file
from simnet.tasks.classification import Classification

SCHEMES = tuple(f"{modulation} {rate}" for modulation in ("QPSK", "16-QAM", "64-QAM") for rate in ("1/2", "2/3", "3/4"))
"""Paper 003, section VI-A."""
CAPACITY = "capacity"
Criterion = Literal["psnr", "accuracy"]
CRITERIA: tuple[Criterion, ...] = ("psnr", "accuracy")
N_RATE = 60
"""Rates that the bound is searched over, beside those of the schemes."""


class Points(BaseModel):
    """The content of a ``points.yaml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_set: str
    split: Split = "sample"
    judge: str
    codecs: dict[str, dict[str, Any]] = Field(min_length=1)
    sides: tuple[Annotated[int, Field(ge=1, le=64)], ...] = Field((1,), min_length=1)
    headers: tuple[Literal["count", "strip"], ...] = Field(("count", "strip"), min_length=1)
    fadings: tuple[Fading, ...] = Field(("awgn",), min_length=1)
    symbols: tuple[Annotated[int, Field(ge=1)], ...] = Field(min_length=1)
    esno_db: tuple[Annotated[float, Field(ge=-300.0, le=300.0)], ...] = Field(min_length=1)
    schemes: tuple[str, ...] = Field(SCHEMES, min_length=1)
    criteria: tuple[Criterion, ...] = Field(CRITERIA, min_length=1)


class Outcome(NamedTuple):
    """What one way of sending gives, as means over all images.

    Attributes:
        scheme: modulation and rate, or ``capacity``.
        delivered: probability that a unit arrives, mean over the units.
        mean_byte: of a unit's code.
        fallback: share of units for which only the mean colour fitted, or nothing.
    """

    scheme: str
    delivered: float
    mean_byte: float
    fallback: float
    psnr_db: float
    accuracy: float
    ss: float

    def of(self, criterion: Criterion) -> float:
        return self.psnr_db if criterion == "psnr" else self.accuracy


@dataclass(frozen=True)
class Budget:
    """The channel that every unit gets.

    Attributes:
        symbols: complex channel uses per image.
        fading: of the channel; one h for a whole unit where it is ``rayleigh_block``.
        esno: mean Es/N0, linear.
    """

    symbols: int
    fading: Fading
    esno: float


def best(ladder: Ladder, budget: Budget, *, strip: bool, schemes: Sequence[str], criterion: Criterion) -> Outcome:
    """The scheme whose expected ``criterion`` is the highest.

    Of each unit the finest code that fits is sent: single images in short words, mosaics in full ones. A unit of which
    a block is lost is worth what nothing is.
    """
    return max((_sent(ladder, budget, strip, scheme) for scheme in schemes), key=lambda o: o.of(criterion))


def bound(ladder: Ladder, budget: Budget, *, strip: bool, criterion: Criterion) -> Outcome:
    """With codes of infinite length that reach capacity, no CRC and no filling up, at the best of many rates.

    AWGN: rates up to log2(1 + Es/N0); fast fading: up to its ergodic mean; block fading: any rate, a unit being lost
    with the rate's outage probability. Where a coarser code happens to be recognised better, a lower rate is the best;
    so what the schemes themselves can carry is among the rates.
    """
    n_symbol = budget.symbols * ladder.side**2
    fades = budget.fading == "rayleigh_block"
    limit = ergodic_rayleigh_capacity if budget.fading == "rayleigh_fast" else capacity
    most = n_symbol * float(limit(8 * budget.esno if fades else budget.esno)) / 8

    def at(n_byte: int) -> Outcome:
        arrives = 1.0 - float(outage_probability(8 * n_byte / n_symbol, budget.esno)) if fades else 1.0
        return _outcome(ladder, strip, CAPACITY, n_byte, lambda sent: arrives)

    tried = {math.floor(n_byte) for n_byte in np.geomspace(min(1.0, most), most, N_RATE)}
    tried |= {n for mcs in MCS_TABLE if (n := most_byte(n_symbol, mcs, _words(ladder))) <= most}
    return max(map(at, sorted(tried)), key=lambda o: o.of(criterion))


def _words(ladder: Ladder) -> Words:
    return "short" if ladder.side == 1 else "2304"


def _sent(ladder: Ladder, budget: Budget, strip: bool, scheme: str) -> Outcome:
    mcs, n_symbol = mcs_by_name(scheme), budget.symbols * ladder.side**2
    words = _words(ladder)
    arrives = partial(delivery, mcs=mcs, words=words, fading=budget.fading, esno=budget.esno)
    return _outcome(ladder, strip, scheme, most_byte(n_symbol, mcs, words), arrives)


def _outcome(ladder: Ladder, strip: bool, scheme: str, most: int, arrives: Callable[[int], float]) -> Outcome:
    """The finest rung of each unit that has at most so many bytes, and what it is worth on average.

    Args:
        arrives: bytes -> the probability that they arrive.
    """
    n_byte = ladder.stripped if strip else ladder.counted
    fitting = n_byte <= most
    chosen, something = len(fitting) - 1 - fitting[::-1].argmax(0), fitting.any(0)
    sent = np.where(something, n_byte[chosen, np.arange(len(chosen))], 0)
    sizes, which = np.unique(sent, return_inverse=True)
    p_unit = np.array([arrives(int(n)) if n else 0.0 for n in sizes])[which]
    p, rung = np.repeat(p_unit, ladder.side**2), np.repeat(chosen, ladder.side**2)
    images = np.arange(len(rung))

    def mean(made: NDArray[np.float64], lost: NDArray[np.float64]) -> float:
        return float((p * made[rung, images] + (1 - p) * lost).mean())

    return Outcome(
        scheme,
        delivered=float(p_unit.mean()),
        mean_byte=float(sent.mean()),
        fallback=float((chosen * something == 0).mean()),
        psnr_db=mean(ladder.psnr_db, ladder.lost.psnr_db),
        accuracy=mean(ladder.hit, ladder.lost.hit),
        ss=mean(ladder.st, ladder.lost.st) / float(ladder.original.st.mean()),
    )


def read_points(path: Path) -> Points:
    """The points of a file.

    Raises:
        SimnetError: not readable, or a key is missing, unknown or wrong.
    """
    points = read_points_file(path, Points)
    for scheme in points.schemes:
        mcs_by_name(scheme)
    return points


def measure_points(
    points: Points, where: str, *, data_root: Path | None = None, tell: Callable[[str], None] = lambda name: None
) -> Iterator[dict[str, Any]]:
    """One row per codec, side, header, channel, Es/N0, bandwidth, and scheme (the best one, and the bound).

    Raises:
        SimnetError: a setting isn't allowed, or data or models are missing.
    """
    data = KINDS["data"].load(points.data_set)().load(points.split, data_root)
    if data.labels.ndim > 1:
        raise SimnetError(f"{where}: data_set: got {points.data_set!r} with a label per pixel; allowed: one per image")
    for side in points.sides:
        check_side(len(data), side)
    families = {
        name: _family(f"{where}: codecs.{name}", described, data.images.shape[1:])
        for name, described in points.codecs.items()
    }  # errors come before the work
    judge = Classification.judge_of(points.data_set, data.images.shape[1:], points.judge, f"{where}: judge")
    viewer = Viewer(torch.tensor(data.images) / 255, torch.tensor(data.labels), judge)
    for name, (family, params, knob) in families.items():
        for side in points.sides:
            tell(f"{name}, {side} x {side}")
            ladder = climb(family, params, knob, viewer, side)
            for row in _rows(ladder, points):
                yield {"codec": name, "side": side, **row, "n": len(data)}


def _rows(ladder: Ladder, points: Points) -> Iterator[dict[str, Any]]:
    for header in points.headers:
        for fading in points.fadings:
            for esno_db in points.esno_db:
                for symbols in points.symbols:
                    budget, strip = Budget(symbols, fading, float(db_to_linear(esno_db))), header == "strip"
                    for criterion in points.criteria:
                        for outcome in (
                            best(ladder, budget, strip=strip, schemes=points.schemes, criterion=criterion),
                            bound(ladder, budget, strip=strip, criterion=criterion),
                        ):
                            yield {
                                "header": header,
                                "fading": fading,
                                "esno_db": esno_db,
                                "symbols": symbols,
                                "best_for": criterion,
                                "scheme": outcome.scheme,
                                **{k: round(v, 4) for k, v in outcome._asdict().items() if k != "scheme"},
                            }


def _family(
    where: str, described: dict[str, Any], shape: tuple[int, ...]
) -> tuple[type[FileCodec], dict[str, Any], list[float]]:
    """Codec class, its parameters but the rate knob, and the knob's values, from the fewest bytes to the most."""
    params = dict(described)
    kinds = [k for k in KINDS["codecs"].names() if issubclass(KINDS["codecs"].load(k), FileCodec)]
    kind = params.pop("kind", None)
    if kind not in kinds:
        raise SimnetError(f"{where}.kind: got {kind!r}; allowed {', '.join(kinds)}")
    family: type[FileCodec] = KINDS["codecs"].load(kind)
    name, allowed = family.rates((shape[0], shape[1], shape[2]))
    knob = params.pop(name, None)

    def fits(value: float) -> bool:
        return allowed[0] <= value <= allowed[-1]

    if not isinstance(knob, list) or not knob or any(type(v) not in (int, float) or not fits(v) for v in knob):
        raise SimnetError(f"{where}.{name}: got {knob!r}; allowed a list of {allowed[0]:g} … {allowed[-1]:g}")
    for value in knob:
        settings = {"image_shape": shape, **params, name: value}
        try:
            family.Params.model_validate(settings)
        except ValidationError as error:
            raise SimnetError(f"{where}: {in_words(error, family.Params, settings)}") from error
    return family, params, sorted(set(knob))
