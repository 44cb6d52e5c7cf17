"""The schema of ``sweep.yaml``: which scenario, what is varied, how often, what is kept."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from simnet.report.metrics import ALL, METRICS
from simnet.scenario.schema import Name, NonNegative, Part, Positive

NUMBERS = tuple(name for name in METRICS if name != "fidelity")
"""Metrics that can be averaged."""
KeyPathText = Annotated[str, Field(min_length=1, max_length=400)]
"""Keys of the scenario joined by dots, as after ``--set``."""
Column = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=64)]
Values = Annotated[tuple[Any, ...], Field(min_length=1)]
Entries = Annotated[tuple[Annotated[dict[str, Any], Field(min_length=1)], ...], Field(min_length=1)]


class Range(Part):
    """Where a drawn value may lie."""

    low: float = Field(description="least value")
    high: float = Field(description="greatest value")
    scale: Literal["linear", "log"] = Field("linear", description="log: equally likely in every octave")
    integer: bool = Field(False, description="whole numbers, both ends included")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"got low {self.low:g} and high {self.high:g}; allowed: low < high")
        if math.isinf(self.high - self.low):
            raise ValueError(f"got {self.low:g} .. {self.high:g}; allowed: ends less than 1.8e308 apart")
        if self.scale == "log" and self.low <= 0:
            raise ValueError(f"got low {self.low:g} on a log scale; allowed: low > 0, or scale: linear")
        if self.integer and not (self.low.is_integer() and self.high.is_integer()):
            raise ValueError(f"got {self.low:g} .. {self.high:g} for whole numbers; allowed: whole ends")
        return self


class Draws(Part):
    """So many points, every key of each drawn."""

    n: int = Field(ge=1, le=100_000, description="points")
    keys: dict[KeyPathText, Range] = Field(min_length=1, description="key.path -> range")


class Block(Part):
    """One factor of the product of axes: exactly one way to list its settings."""

    grid: dict[KeyPathText, Values] | None = Field(None, description="all combinations of the keys' values")
    zip: dict[KeyPathText, Values] | None = Field(None, description="first values together, second values together …")
    list: Entries | None = Field(None, description="settings written out: key.path: value, and label: {column: text}")
    random: Draws | None = Field(None, description="independent draws")
    latin_hypercube: Draws | None = Field(None, description="draws of which each n-th of every range gets one")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(ways) != 1:
            allowed = ", ".join(type(self).model_fields)
            got = " and ".join(ways) or "none"
            raise ValueError(f"got {got} in one block; allowed: exactly one of {allowed}; give each a '- ' of its own")
        for word in ("grid", "zip"):
            if (keys := getattr(self, word)) is not None and not keys:
                raise ValueError(f"got no keys in {word}; allowed: key.path: [values]")
        if self.zip and len({len(values) for values in self.zip.values()}) > 1:
            lengths = ", ".join(f"{key}: {len(values)}" for key, values in self.zip.items())
            raise ValueError(f"got lists of unequal lengths in zip ({lengths}); allowed: equal lengths")
        return self


class Until(Part):
    """How precise a mean has to be."""

    metric: Literal.__getitem__(NUMBERS) = Field(description="column of the results")  # type: ignore[valid-type]
    arm: Name = Field(description="arm of the scenario; 'main' where it has none")
    source_type: str = Field(ALL, description="source type, or all")
    half_width: Positive = Field(description="wanted half width of the 95 % Student-t interval, in the metric's unit")


class Sequential(Part):
    """As many replications as a precision takes."""

    least: int = Field(10, ge=3, description="replications before the interval is looked at")
    most: int = Field(40, ge=3, description="replications after which a point is given up as not precise enough")
    until: Until

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.most < self.least:
            raise ValueError(f"got least {self.least} and most {self.most}; allowed: least <= most")
        return self


def _which(value: object) -> str:
    return "a mapping" if isinstance(value, dict | Sequential) else "a number"


Replications = Annotated[
    Annotated[int, Field(ge=1), Tag("a number")] | Annotated[Sequential, Tag("a mapping")], Discriminator(_which)
]
"""The tags have spaces, so that they are no key of the file."""


class SweepFile(Part):
    """A whole sweep."""

    name: Name = Field(description="names the folder of the results")
    question: str = Field("", description="what the sweep is to answer; reports and figures show it")
    base: str = Field(min_length=1, description="scenario file, relative to this one")
    set: dict[KeyPathText, Any] = Field({}, description="key.path -> value, set in the scenario before the axes")
    axes: tuple[Block, ...] = Field((), description="blocks, of which the points are the product")
    columns: dict[KeyPathText, Column] = Field({}, description="key.path -> its column; default: its last part")
    constraints: tuple[str, ...] = Field((), description="expressions over columns that a point must fulfil")
    replications: Replications = Field(10, description="runs of every point, or least, most, until")
    seed: int = Field(1, ge=0, description="seeds of replications and draws of axes are functions of this")
    warm_up: Literal["none", "mser5"] | NonNegative = Field(
        "none", description="requests before it don't count: none, mser5 (chosen run by run), or s"
    )
    keep: Literal["rows", "records"] = Field("rows", description="records: every run's whole folder as well")
    page: str | None = Field(None, description="Python file whose draw(folder, here) is called at the end")
