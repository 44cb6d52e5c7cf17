"""Surrogates written out: their names, sizes and families, and which codecs an arm lets them use."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from simnet.core.plugins import KINDS
from simnet.core.streams import normal, uniform
from simnet.core.surrogate_names import surrogate_name
from simnet.scenario.schema import Protocol, Scenario, Surrogates


@dataclass(frozen=True)
class SurrogateType:
    """One surrogate source type.

    Args:
        name: e.g. ``digits_0017``.
        index: 0, 1, … of all surrogates.
        like: the source type whose images and codecs it copies.
        family: those of one family and one ``like`` share their decoders' trunks.
        trunk_factor, rest_factor: sizes of the trunk and of the rest, relative to those of the codec that it copies;
            log-normal with mean 1, the former drawn by the family's name, the latter by its own.
    """

    name: str
    index: int
    like: str
    family: int
    trunk_factor: float
    rest_factor: float

    def codec_name(self, codec: str, *, sliced: bool) -> str:
        """Name of its own version of a codec: ``digits_z40.0017``; ``…s`` if its decoder comes in two slices.

        It travels with every code, so it is short.
        """
        return f"{codec}.{self.index:04d}{'s' if sliced else ''}"


def surrogate_types(scenario: Scenario) -> tuple[SurrogateType, ...]:
    """The scenario's surrogates, in order; () if it has none. A type's draws don't depend on how many there are."""
    return () if scenario.surrogates is None else _types(scenario.surrogates, scenario.seed)


@lru_cache(maxsize=4)
def _types(spec: Surrogates, seed: int) -> tuple[SurrogateType, ...]:
    """Kept, for every part that a run is built of asks for them."""
    return tuple(_drawn(spec, seed))


def _drawn(spec: Surrogates, seed: int) -> Iterator[SurrogateType]:
    trunks: dict[tuple[str, int], float] = {}
    for index in range(spec.count):
        like = spec.like[index % len(spec.like)]
        name = surrogate_name(like, index)
        family = int(uniform(seed, "surrogate family", name) * spec.families)
        if (like, family) not in trunks:
            trunks[like, family] = _factor(spec.size_spread, normal(seed, "surrogate trunk size", like, family))
        yield SurrogateType(
            name,
            index,
            like,
            family,
            trunks[like, family],
            _factor(spec.size_spread, normal(seed, "surrogate size", name)),
        )


def _factor(spread: float, z: float) -> float:
    """Log-normal of mean 1: exp(σz − σ²/2)."""
    return math.exp(spread * z - spread**2 / 2)


def with_surrogate_sources(scenario: Scenario) -> Scenario:
    """The scenario with its surrogates among the sources, which names what judges them: what they are like."""
    spec = scenario.surrogates
    if spec is None:
        return scenario
    sources = dict(scenario.sources)
    for type_ in surrogate_types(scenario):
        like = scenario.sources[type_.like]
        changes = {"items": spec.items, "owners": spec.owners, "wish": spec.wish or like.wish}
        sources[type_.name] = like.model_copy(update=changes)
    return scenario.model_copy(update={"sources": sources})


def with_trunks(protocol: Protocol, scenario: Scenario) -> bool:
    """Whether surrogates' decoders come as a trunk that their family shares and a rest of their own."""
    return protocol.slice_sharing and scenario.surrogates is not None and scenario.surrogates.shared > 0


def with_surrogate_codecs(protocols: Mapping[str, Protocol], scenario: Scenario) -> dict[str, Protocol]:
    """Arms' protocols with a list of codecs for each surrogate: those of the source type that it is like.

    Of a codec whose decoder is learned it has a version of its own; the others serve it as they are.
    """
    if scenario.surrogates is None:
        return dict(protocols)
    semantic = {name: KINDS["codecs"].load(codec.kind).semantic for name, codec in scenario.codecs.items()}
    types = surrogate_types(scenario)
    grown = {}
    for arm, protocol in protocols.items():
        sliced = with_trunks(protocol, scenario)
        codecs = dict(protocol.codecs)
        for type_ in types:
            codecs[type_.name] = tuple(
                type_.codec_name(name, sliced=sliced) if semantic[name] else name for name in codecs[type_.like]
            )
        grown[arm] = protocol.model_copy(update={"codecs": codecs})
    return grown
