"""Which item a wish is for: Zipf within a source type, interests of each consumer, and drift over the day."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from pydantic import Field

from simnet.core.streams import uniform
from simnet.traffic.base import CatalogueItem, Settings, TrafficError

ATTEMPTS = 16
"""Draws that may hit an own item before the items of others are listed, which is slow. It doesn't change the
law."""


class PopularityParams(Settings):
    """How wishes spread over the catalogue."""

    zipf_exponent: float = Field(default=0.8, ge=0.0, le=5.0)
    """Within a source type the item of rank r is wished for ∝ r^−exponent; 0: all alike. Ranks follow the
    seed."""
    drift_period_s: float | None = Field(default=None, gt=0.0)
    """In this time each item goes once through all ranks of its type, and each type once through its tide.
    None: no drift."""
    tide: float = Field(default=0.5, ge=0.0, lt=1.0)
    """With drift, a source type's share rises and falls by this fraction; the types' high tides are spread
    evenly."""
    preferred_types: int = Field(default=1, ge=1)
    """Number of source types that each consumer prefers, drawn by its name."""
    concentration: float = Field(default=0.7, ge=0.0, le=1.0)
    """Share of a consumer's wishes, before the tide, that goes to its preferred types, alike; the rest goes
    to the others, alike. If it prefers all types, they share alike."""


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
        self._ranked = [[i for i in shuffled if i.source_type == t] for t in self.types]
        self._zipf = [[rank**-params.zipf_exponent for rank in range(1, len(r) + 1)] for r in self._ranked]
        self._zipf_sums = [list(accumulate(weights)) for weights in self._zipf]
        self._interest: dict[str, list[float]] = {}

    def draw(self, consumer: str, request_index: int, time_s: float) -> int:
        """Id of the item that this wish is for.

        Raises:
            TrafficError: the consumer owns the whole catalogue.
        """
        share_sums = list(accumulate(self.type_shares(consumer, time_s)))
        for attempt in range(ATTEMPTS):
            names = (consumer, request_index, attempt)
            type_index = _pick(share_sums, uniform(self.seed, "type", *names))
            rank = _pick(self._zipf_sums[type_index], uniform(self.seed, "item", *names))
            item = self.item_at_rank(type_index, rank, time_s)
            if item.owner != consumer:
                return item.item_id
        return self._draw_foreign(consumer, request_index, time_s)

    def type_shares(self, consumer: str, time_s: float) -> list[float]:
        """Weight of each source type, in the order of ``types``, for this consumer at this time."""
        if consumer not in self._interest:
            self._interest[consumer] = self._interests(consumer)
        period_s = self.params.drift_period_s
        if period_s is None:
            return self._interest[consumer]
        phase = time_s / period_s
        n = len(self.types)
        return [
            interest * (1.0 + self.params.tide * math.cos(2.0 * math.pi * (phase - index / n)))
            for index, interest in enumerate(self._interest[consumer])
        ]

    def _interests(self, consumer: str) -> list[float]:
        n, n_preferred = len(self.types), self.params.preferred_types
        if n_preferred >= n:
            return [1.0 / n] * n
        by_liking = sorted(self.types, key=lambda t: uniform(self.seed, "liking", consumer, t))
        preferred = by_liking[:n_preferred]
        liked = self.params.concentration / n_preferred
        other = (1.0 - self.params.concentration) / (n - n_preferred)
        return [liked if t in preferred else other for t in self.types]

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
            scale = share / self._zipf_sums[type_index][-1]
            for rank, weight in enumerate(self._zipf[type_index]):
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
