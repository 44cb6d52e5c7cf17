"""Which item a wish is for: Zipf over source types and within each, interests of each consumer, drift over the day."""

from __future__ import annotations

import heapq
import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from pydantic import Field

from simnet.core.streams import Draws, uniform
from simnet.traffic.base import CatalogueItem, Settings, TrafficError
from simnet.traffic.type_shares import STILL, Tide, TypeShares

ATTEMPTS = 16
"""Draws that may hit an own item before the items of others are listed, which is slow. It doesn't change the
law."""


class PopularityParams(Settings):
    """How wishes spread over the catalogue."""

    zipf_exponent: float = Field(default=0.8, ge=0.0, le=5.0)
    """Within a source type the item of rank r is wished for ∝ r^−exponent; 0: all alike. Ranks follow the
    seed."""
    types_zipf_exponent: float = Field(default=0.0, ge=0.0, le=5.0)
    """The source type of rank r is wished for ∝ r^−exponent; 0: all alike. Ranks follow the seed. Popular types are
    also preferred by more consumers: each draws its preferred ones by their popularity, without replacement."""
    drift_period_s: float | None = Field(default=None, gt=0.0)
    """In this time each item goes once through all ranks of its type, and each type once through its tide.
    None: no drift."""
    tide: float = Field(default=0.5, ge=0.0, lt=1.0)
    """With drift, a source type's share rises and falls by this fraction; the types' high tides are spread
    evenly."""
    preferred_types: int = Field(default=1, ge=1)
    """Number of source types that each consumer prefers, drawn by its name. With ``types_zipf_exponent`` 0 that costs
    one draw for each consumer and type, else one for each consumer and preferred type."""
    concentration: float = Field(default=0.7, ge=0.0, le=1.0)
    """Share of a consumer's wishes, before the tide, that goes to its preferred types, alike; the rest goes
    to the others by their popularity. If it prefers all types, they share by their popularity."""


class _Consumer(NamedTuple):
    """What draws need to know of a consumer.

    Args:
        level: what it gives to each unit of a type's popularity.
        extras: type -> what is added for those that it prefers.
        of_type, of_item: its draws of types, and of ranks in them.
    """

    level: float
    extras: dict[int, float]
    of_type: Draws
    of_item: Draws


class Popularity:
    """P(item | consumer, time) ∝ interest(consumer, type) · tide(type, time) · Zipf(rank of item in type,
    time).

    A consumer never wishes for an item of its own: the law is that, given that the owner is another.

    Args:
        catalogue: at least one item; the order doesn't matter.
    """

    def __init__(self, params: PopularityParams, catalogue: Sequence[CatalogueItem], *, seed: int) -> None:
        if not catalogue:
            raise TrafficError("traffic: the catalogue is empty; give the scenario items to wish for")
        self.params = params
        self.seed = seed
        self.types = sorted({item.source_type for item in catalogue})
        shuffled = sorted(catalogue, key=lambda item: (uniform(seed, "rank", item.item_id), item.item_id))
        by_type: dict[str, list[CatalogueItem]] = {name: [] for name in self.types}
        for item in shuffled:
            by_type[item.source_type].append(item)
        self._ranked = list(by_type.values())
        self._zipf = {n: [rank**-params.zipf_exponent for rank in range(1, n + 1)] for n in set(map(len, self._ranked))}
        self._zipf_sums = {n: list(accumulate(weights)) for n, weights in self._zipf.items()}
        self._shares = TypeShares(self._popularities())
        self._consumers: dict[str, _Consumer] = {}
        """Of those that were asked about."""

    def draw(self, consumer: str, request_index: int, time_s: float) -> int:
        """Id of the item that this wish is for.

        Raises:
            TrafficError: the consumer owns the whole catalogue.
        """
        level, extras, of_type, of_item = self._consumer(consumer)
        tide = self._tide(time_s)
        for attempt in range(ATTEMPTS):
            type_index = self._shares.pick(of_type.uniform(request_index, attempt), level, extras, tide)
            ranked = self._ranked[type_index]
            if len(ranked) == 1:
                item = ranked[0]
            else:
                rank = _pick(self._zipf_sums[len(ranked)], of_item.uniform(request_index, attempt))
                item = self.item_at_rank(type_index, rank, time_s)
            if item.owner != consumer:
                return item.item_id
        return self._draw_foreign(consumer, request_index, time_s)

    def type_shares(self, consumer: str, time_s: float) -> list[float]:
        """Weight of each source type, in the order of ``types``, for this consumer at this time."""
        level, extras, _, _ = self._consumer(consumer)
        tide = self._tide(time_s)
        return [
            (level * weight + extras.get(index, 0.0)) * self._shares.tide_of(index, tide)
            for index, weight in enumerate(self._shares.weights)
        ]

    def _tide(self, time_s: float) -> Tide:
        period_s = self.params.drift_period_s
        return STILL if period_s is None else (self.params.tide, time_s / period_s)

    def _popularities(self) -> list[float]:
        """[n] of the types in their order, before anyone's preferences."""
        exponent = self.params.types_zipf_exponent
        if not exponent:
            return [1.0] * len(self.types)
        ranked = sorted(range(len(self.types)), key=lambda i: uniform(self.seed, "type rank", self.types[i]))
        weights = [0.0] * len(self.types)
        for rank, index in enumerate(ranked, start=1):
            weights[index] = rank**-exponent
        return weights

    def _consumer(self, name: str) -> _Consumer:
        consumer = self._consumers.get(name)
        if consumer is None:
            draws = Draws(self.seed, "type", name), Draws(self.seed, "item", name)
            consumer = self._consumers[name] = _Consumer(*self._interest(name), *draws)
        return consumer

    def _interest(self, consumer: str) -> tuple[float, dict[int, float]]:
        """``level`` and ``extras`` of a consumer."""
        shares, n_preferred = self._shares, self.params.preferred_types
        if n_preferred >= len(self.types):
            return 1.0 / shares.total, {}
        preferred = self._likings(consumer) if self.params.types_zipf_exponent else self._whims(consumer)
        others = shares.total - sum(shares.weights[i] for i in preferred)
        if others < 1e-6 * shares.total:  # the difference of two nearly equal sums: add up the others themselves
            others = math.fsum(w for i, w in enumerate(shares.weights) if i not in preferred)
        level = (1.0 - self.params.concentration) / others
        liked = self.params.concentration / n_preferred
        return level, {i: liked - level * shares.weights[i] for i in preferred}

    def _whims(self, consumer: str) -> list[int]:
        """Preferred types where all are equally popular."""
        n = len(self.types)
        return heapq.nsmallest(
            self.params.preferred_types,
            range(n),
            key=lambda i: uniform(self.seed, "liking", consumer, self.types[i]),
        )

    def _likings(self, consumer: str) -> list[int]:
        """Preferred types, drawn by their popularity without replacement."""
        weights, taken = self._shares.weights, dict[int, float]()
        while len(taken) < self.params.preferred_types:
            index = self._shares.pick(uniform(self.seed, "liking", consumer, len(taken)), 1.0, taken)
            if index in taken:  # by rounding, where all that is left weighs next to nothing
                index = max((i for i in range(len(weights)) if i not in taken), key=lambda i: weights[i])
            taken[index] = -weights[index]
        return list(taken)

    def item_at_rank(self, type_index: int, rank: int, time_s: float) -> CatalogueItem:
        """The item that has this rank (from 0) in its type at this time."""
        ranked = self._ranked[type_index]
        period_s = self.params.drift_period_s
        steps = 0 if period_s is None else math.floor(time_s / period_s * len(ranked))
        return ranked[(rank + steps) % len(ranked)]

    def _draw_foreign(self, consumer: str, request_index: int, time_s: float) -> int:
        """A draw from the items of others alone: the law of drawing on until one hits, but it always ends."""
        foreign: list[tuple[float, int]] = []
        for type_index, share in enumerate(self.type_shares(consumer, time_s)):
            n = len(self._ranked[type_index])
            scale = share / self._zipf_sums[n][-1]
            for rank, weight in enumerate(self._zipf[n]):
                item = self.item_at_rank(type_index, rank, time_s)
                if item.owner != consumer:
                    foreign.append((scale * weight, item.item_id))
        if not any(weight for weight, _ in foreign):
            raise TrafficError(
                f"traffic: consumer {consumer!r} has nothing to wish for: it owns all that interests it; "
                "let other nodes own items, take it from the consumers, or lower 'concentration'"
            )
        sums = list(accumulate(weight for weight, _ in foreign))
        return foreign[_pick(sums, uniform(self.seed, "foreign", consumer, request_index))][1]


def _pick(sums: list[float], share: float) -> int:
    """Index drawn with the weights whose running sums are given; ``share`` is uniform in (0, 1)."""
    return min(bisect_right(sums, share * sums[-1]), len(sums) - 1)
