"""Requests as the simulator's own traffic makes them, at one consumer: Poisson in time, Zipf over items."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from simnet.traffic.base import CatalogueItem
from simnet.traffic.poisson import Poisson
from simnet.traffic.popularity import Popularity, PopularityParams


@dataclass(frozen=True)
class Wishes:
    """Requests in order of time.

    Args:
        times_s: [n].
        ids: [n] id of the item that each is for.
        ranked: [items] ids from the most to the least popular.
    """

    times_s: NDArray[np.float64]
    ids: NDArray[np.int64]
    ranked: NDArray[np.int64]


@lru_cache(maxsize=8)
def wishes(consumer: str, n: int, *, n_items: int, exponent: float, rate_per_s: float, seed: int) -> Wishes:
    """The first ``n`` requests of one consumer, whose name names the draws.

    Args:
        n_items: in the catalogue, of one source type.
        exponent: of Zipf's law.
        rate_per_s: mean requests per second.
    """
    popularity = PopularityParams(zipf_exponent=exponent)
    catalogue = [CatalogueItem(i, "type", "owner") for i in range(n_items)]
    traffic = Poisson(Poisson.Params(rate_per_s=rate_per_s, popularity=popularity))
    plans = traffic.requests(consumers=[consumer], catalogue=catalogue, duration_s=math.inf, seed=seed)
    made = list(islice(plans, n))
    law = Popularity(popularity, catalogue, seed=seed)
    ranked = [law.item_at_rank(0, rank, 0.0).item_id for rank in range(n_items)]
    return Wishes(np.array([p.time_s for p in made]), np.array([p.item_id for p in made]), np.array(ranked))
