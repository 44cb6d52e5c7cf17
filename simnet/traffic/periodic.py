"""Wishes by the clock: one per period and consumer, items by popularity."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

from pydantic import Field

from simnet.core.streams import uniform
from simnet.traffic.base import CatalogueItem, RequestPlan, Settings, Traffic
from simnet.traffic.popularity import Popularity, PopularityParams


class Periodic(Traffic):
    """Each consumer wishes once per period, at a phase drawn by its name."""

    class Params(Settings):
        """How often, and for what."""

        period_s: float = Field(gt=0.0)
        popularity: PopularityParams = PopularityParams()

    def __init__(self, params: Params) -> None:
        self.params = params

    def requests(
        self, *, consumers: Sequence[str], catalogue: Sequence[CatalogueItem], duration_s: float, seed: int
    ) -> Iterator[RequestPlan]:
        popularity = Popularity(self.params.popularity, catalogue, seed=seed)
        return heapq.merge(*(self._of(consumer, popularity, duration_s) for consumer in consumers))

    def _of(self, consumer: str, popularity: Popularity, duration_s: float) -> Iterator[RequestPlan]:
        phase = uniform(popularity.seed, "phase", consumer)
        index = 0
        while (time_s := (phase + index) * self.params.period_s) < duration_s:
            yield RequestPlan(time_s, consumer, popularity.draw(consumer, index, time_s), index)
            index += 1
