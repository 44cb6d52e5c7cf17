"""Seeds of replications: the same for every point and arm (common random numbers), independent across replications."""

from __future__ import annotations

from functools import lru_cache

from simnet.core import streams

LARGEST = 2**31


@lru_cache(maxsize=16)
def seeds(seed: int, n: int) -> tuple[int, ...]:
    """[n] distinct scenario seeds in 1 … 2³¹ − 1 of replications 0 … n − 1; the first stay when n grows.

    Args:
        seed: the sweep's. Other sweeps' seeds are other ones, but for chance.
        n: replications.
    """
    found: dict[int, None] = {}
    attempt = 0
    while len(found) < n:
        found.setdefault(1 + int(streams.uniform(seed, "replication", attempt) * (LARGEST - 1)))
        attempt += 1
    return tuple(found)
