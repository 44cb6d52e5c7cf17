"""M/M/1 by Lindley's recursion: a series whose mean, transient and correlation theory knows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def waits_s(load: float, n: int, *, rng: np.random.Generator, backlog_s: float = 0.0) -> NDArray[np.float64]:
    """[n] waiting times of successive customers, service rate 1/s; in the long run their mean is load/(1 − load).

    Args:
        load: arrival rate × mean service, in (0, 1).
        n: customers.
        rng: for arrivals and services.
        backlog_s: work that the first customer finds.
    """
    service, gap = rng.exponential(1, n), rng.exponential(1 / load, n)
    walk = backlog_s + np.concatenate([[0.0], np.cumsum(service[:-1] - gap[1:])])
    waits: NDArray[np.float64] = walk - np.minimum(np.minimum.accumulate(walk), 0)
    return waits
