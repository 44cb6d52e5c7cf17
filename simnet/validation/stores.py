"""Stores against theory: eviction under independent requests, and times to live."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simnet.core.plugins import KINDS
from simnet.core.terms import TtlFrom
from simnet.statistics.interval import Interval
from simnet.store.store import Store
from simnet.validation.bench import Bench
from simnet.validation.cache_theory import (
    che_hit_ratios,
    fifo_hit_ratios,
    lru_hit_ratios,
    optimal_hit_ratio,
    zipf,
)
from simnet.validation.finding import Finding, Theory
from simnet.validation.wishes import Wishes, wishes

KING = "King 1971; as one integral, Flajolet, Gardy, Thimonier 1992: exact"
CHE = "Che, Tung, Wang 2002: 1 − e^(−p·t); ± its distance from King's exact value"
GELENBE = "Gelenbe 1973, P(content) ∝ Π p: exact"
AHO = "Aho, Denning, Ullman 1971, A₀: Σ_{i<c} p + Σ_{i≥c} p² / Σ_{i≥c} p"
SMALL, LARGE = (8, 3, 1.2), (400, 40, 0.8)
"""Items, how many of them fit, Zipf's exponent."""
_SETTLED = 20
"""Requests per place in the store before hits are counted: a full store forgets its start after a few turnovers."""


def lru(bench: Bench) -> list[Finding]:
    """LRU: a small catalogue, a larger one, its most popular item alone, and Che's approximation of that."""
    (small,) = _hit_ratios(bench, "lru", SMALL)
    large, first = _hit_ratios(bench, "lru", LARGE, ranks=(0,))
    p_small, p_large = zipf(SMALL[0], SMALL[2]), zipf(LARGE[0], LARGE[2])
    exact, che = lru_hit_ratios(p_large, LARGE[1]), che_hit_ratios(p_large, LARGE[1])
    overall, approximate = float(p_large @ exact), float(p_large @ che)
    return [
        Finding(
            _title("hit ratio", SMALL), small, Theory.exactly(float(p_small @ lru_hit_ratios(p_small, SMALL[1])), KING)
        ),
        Finding(_title("hit ratio", LARGE), large, Theory.exactly(overall, KING)),
        Finding(_title("hit ratio", LARGE), large, Theory.about(approximate, abs(approximate - overall), CHE)),
        Finding(_title("hit ratio of the first item", LARGE), first, Theory.exactly(float(exact[0]), KING)),
    ]


def fifo(bench: Bench) -> list[Finding]:
    """FIFO: a small and a larger catalogue."""
    found = []
    for case in (SMALL, LARGE):
        (hits,) = _hit_ratios(bench, "fifo", case)
        p = zipf(case[0], case[2])
        theory = Theory.exactly(float(p @ fifo_hit_ratios(p, case[1])), GELENBE)
        found.append(Finding(_title("hit ratio", case), hits, theory))
    return found


def lfu(bench: Bench) -> list[Finding]:
    """LFU left alone can only fall short of A₀; once its counts show how popular items are, it is A₀."""
    p = zipf(LARGE[0], LARGE[2])
    best = optimal_hit_ratio(p, LARGE[1])
    (alone,) = _hit_ratios(bench, "lfu", LARGE)
    taught = bench.mean_of_series(_hits(_requests(bench, LARGE), "lfu", LARGE[1], counts_known=True))
    return [
        Finding(_title("hit ratio", LARGE), alone, Theory.at_most(best, AHO)),
        Finding(_title("hit ratio, counts known", LARGE), taught, Theory.exactly(best, AHO)),
    ]


def ttl(bench: Bench) -> list[Finding]:
    """Miss ratio of one item at rate λ: 1/(1 + λT) counted from the fetch, e^(−λT) renewed on each use."""
    rate_per_s, ttl_s = 0.01, 100.0
    laws: dict[TtlFrom, tuple[float, str]] = {
        "from_fetch": (1 / (1 + rate_per_s * ttl_s), "renewal: a miss, then Poisson(λT) hits; 1/(1 + λT)"),
        "renewed_on_use": (math.exp(-rate_per_s * ttl_s), "P(gap > T) of Poisson requests; e^(−λT)"),
    }
    requests = wishes("ttl", bench.n(12_000, 300_000), n_items=1, exponent=0.0, rate_per_s=rate_per_s, seed=bench.seed)
    found = []
    for ttl_from, (expected, source) in laws.items():
        store = Store(1, KINDS["store"].load("lru")(), ttl_s=ttl_s, ttl_from=ttl_from)
        missed = ~_hit_flags(store, requests)
        title = f"miss ratio, ttl {ttl_from}, λT = {rate_per_s * ttl_s:g}"
        found.append(Finding(title, bench.mean_of_series(missed), Theory.exactly(expected, source)))
    return found


def _title(what: str, case: tuple[int, int, float]) -> str:
    n_items, capacity, exponent = case
    return f"{what}, {capacity} of {n_items} items fit, Zipf {exponent:g}"


def _requests(bench: Bench, case: tuple[int, int, float]) -> Wishes:
    n_items, _, exponent = case
    n = bench.n(25_000, 400_000)
    return wishes("store", n, n_items=n_items, exponent=exponent, rate_per_s=1.0, seed=bench.seed)


def _hit_ratios(bench: Bench, policy: str, case: tuple[int, int, float], ranks: tuple[int, ...] = ()) -> list[Interval]:
    """Interval of the hit ratio, then of that of the items of these ranks (from 0) alone."""
    requests, capacity = _requests(bench, case), case[1]
    hits = _hits(requests, policy, capacity)[_SETTLED * capacity :]
    ids = requests.ids[_SETTLED * capacity :]
    series = [hits] + [hits[ids == requests.ranked[rank]] for rank in ranks]
    return [bench.mean_of_series(each) for each in series]


def _hits(requests: Wishes, policy: str, capacity: int, *, counts_known: bool = False) -> NDArray[np.bool_]:
    """[n] whether each request was a hit; slices of one byte.

    Args:
        counts_known: the most popular items are there, the more often used the more popular.
    """
    store = Store(capacity, KINDS["store"].load(policy)())
    if counts_known:
        for rank, item in enumerate(requests.ranked[:capacity]):
            store.insert(str(item), 1, (), 0.0)
            for _ in range(50 + 10 * (capacity - rank)):
                store.get(str(item), 0.0)
    return _hit_flags(store, requests)


def _hit_flags(store: Store, requests: Wishes) -> NDArray[np.bool_]:
    hits = np.zeros(len(requests.ids), dtype=bool)
    for index, (time_s, item) in enumerate(zip(requests.times_s.tolist(), requests.ids.tolist(), strict=True)):
        hits[index] = store.get(str(item), time_s) is not None
        if not hits[index]:
            store.insert(str(item), 1, (), time_s)
    return hits
