"""Wishes at random: a Poisson process per consumer, items by popularity."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

from pydantic import Field

from simnet.core.streams import Draws
from simnet.traffic.base import CatalogueItem, RequestPlan, Settings, Traffic
from simnet.traffic.popularity import Popularity, PopularityParams


class Poisson(Traffic):
    """Each consumer wishes at exponentially distributed intervals, whatever the others do."""

    class Params(Settings):
        """How often, and for what."""

        rate_per_s: float = Field(gt=0.0)
        """Mean wishes per second of each consumer."""
        popularity: PopularityParams = PopularityParams()

    def __init__(self, params: Params) -> None:
        self.params = params

    def requests(
        self, *, consumers: Sequence[str], catalogue: Sequence[CatalogueItem], duration_s: float, seed: int
    ) -> Iterator[RequestPlan]:
        popularity = Popularity(self.params.popularity, catalogue, seed=seed)
        return heapq.merge(*(self._of(consumer, popularity, duration_s) for consumer in consumers))

    def _of(self, consumer: str, popularity: Popularity, duration_s: float) -> Iterator[RequestPlan]:
        time_s, index, intervals = 0.0, 0, Draws(popularity.seed, "interval", consumer)
        while True:
            time_s += intervals.exponential(index) / self.params.rate_per_s
            if time_s >= duration_s:
                return
            yield RequestPlan(time_s, consumer, popularity.draw(consumer, index, time_s), index)
            index += 1
