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
        popularity, rate_per_s = Popularity(self.params.popularity, catalogue, seed=seed), self.params.rate_per_s
        intervals = {consumer: Draws(seed, "interval", consumer) for consumer in consumers}
        coming = [(draws.exponential(0) / rate_per_s, consumer, 0) for consumer, draws in intervals.items()]
        heapq.heapify(coming)
        while coming and coming[0][0] < duration_s:
            time_s, consumer, index = coming[0]
            yield RequestPlan(time_s, consumer, popularity.draw(consumer, index, time_s), index)
            next_s = time_s + intervals[consumer].exponential(index + 1) / rate_per_s
            heapq.heapreplace(coming, (next_s, consumer, index + 1))
