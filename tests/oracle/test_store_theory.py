"""Stores against theory (TTL, King, Gelenbe, Che) and against brute-force twins."""

from __future__ import annotations

import math
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import brentq

from simnet.core.plugins import KINDS
from simnet.core.terms import TtlFrom
from simnet.store.store import Store


def miss_flags(store: Store, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    """One slice of 1 byte per id, fetched on each miss."""
    missed = np.zeros(len(ids), dtype=bool)
    for step, index in enumerate(ids):
        if store.get(str(index), float(step)) is None:
            missed[step] = True
            store.insert(str(index), 1, (), float(step))
    return missed


def mean_and_error(flags: NDArray[np.bool_], n_batch: int = 50) -> tuple[float, float]:
    """Mean and its standard error by batch means, since neighbouring requests are dependent."""
    means = flags[: len(flags) // n_batch * n_batch].reshape(n_batch, -1).mean(axis=1)
    return float(means.mean()), float(means.std(ddof=1) / math.sqrt(n_batch))


@pytest.mark.parametrize("rate_times_ttl", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("ttl_from", ["from_fetch", "renewed_on_use"])
def test_miss_ratio_of_a_time_to_live(ttl_from: TtlFrom, rate_times_ttl: float) -> None:
    n = 20_000
    rate_per_s = 0.01
    rng = np.random.default_rng(1)
    times_s = rng.exponential(1 / rate_per_s, n).cumsum()
    store = Store(1, KINDS["store"].load("lru")(), ttl_s=rate_times_ttl / rate_per_s, ttl_from=ttl_from)
    n_miss = 0
    for time_s in times_s:
        if store.get("a", time_s) is None:
            n_miss += 1
            store.insert("a", 1, (), time_s)
    if ttl_from == "from_fetch":
        # A cycle is one miss and Poisson(λT) hits; the error is that of 1 / (mean of n·p cycles).
        p_miss = 1 / (1 + rate_times_ttl)
        error = p_miss**2 * math.sqrt(rate_times_ttl / (n * p_miss))
    else:
        p_miss = math.exp(-rate_times_ttl)
        error = math.sqrt(p_miss * (1 - p_miss) / n)
    assert abs(n_miss / n - p_miss) < 4 * error


def king_miss_ratio(p: NDArray[np.float64], capacity: int) -> float:
    """LRU under independent requests, exactly (W. F. King, 1971): sum over the ordered contents."""
    total = 0.0
    for content in permutations(range(len(p)), capacity):
        probability, left = 1.0, 1.0
        for index in content:
            probability *= p[index] / left
            left -= p[index]
        total += probability * left
    return total


def gelenbe_miss_ratio(p: NDArray[np.float64], capacity: int) -> float:
    """FIFO under independent requests, exactly (E. Gelenbe, 1973): P(content) ∝ their product."""
    weights = {content: math.prod(p[list(content)]) for content in combinations(range(len(p)), capacity)}
    missed = sum(weight * (1 - sum(p[list(content)])) for content, weight in weights.items())
    return float(missed / sum(weights.values()))


@pytest.mark.parametrize(("policy", "exact"), [("lru", king_miss_ratio), ("fifo", gelenbe_miss_ratio)])
def test_small_store_under_independent_requests(policy: str, exact: object) -> None:
    assert callable(exact)
    p = 1 / np.arange(1, 8) ** 1.2
    p /= p.sum()
    ids = np.random.default_rng(2).choice(7, size=60_000, p=p)
    mean, error = mean_and_error(miss_flags(Store(3, KINDS["store"].load(policy)()), ids)[1000:])
    assert abs(mean - exact(p, 3)) < 4 * error
    other = {"lru": gelenbe_miss_ratio, "fifo": king_miss_ratio}[policy]
    assert abs(mean - other(p, 3)) > 4 * error, "too little data to tell the policies apart"


def test_lru_against_che() -> None:
    """Che's approximation: Σ (1 − e^(−pᵢ t)) = capacity gives t, the hit ratio of item i is 1 − e^(−pᵢ t)."""
    n, capacity = 1000, 100
    p = 1 / np.arange(1, n + 1) ** 0.8
    p /= p.sum()
    time = brentq(lambda t: float((1 - np.exp(-p * t)).sum()) - capacity, 1.0, 1e7)
    ids = np.random.default_rng(3).choice(n, size=120_000, p=p)
    missed = miss_flags(Store(capacity, KINDS["store"].load("lru")()), ids)[10_000:]
    mean, error = mean_and_error(missed)
    # Its own error falls as 1/capacity (Fricker, Robert, Roberts, 2012): some 1e-3 here.
    assert abs(mean - float((p * np.exp(-p * time)).sum())) < 4 * error + 1e-3
    for item in (0, 9, 99):
        flags = missed[ids[10_000:] == item]
        p_miss = math.exp(-p[item] * time)
        assert abs(flags.mean() - p_miss) < 4 * math.sqrt(p_miss * (1 - p_miss) / len(flags)) + 1e-2


class Twin:
    """A store without heaps, clocks or lazy anything: lists that are searched and sorted at every step."""

    def __init__(self, policy: str, capacity: int, ttl: int | None, renewed: bool) -> None:
        self.policy, self.capacity, self.ttl, self.renewed = policy, capacity, ttl, renewed
        self.arrived: list[int] = []
        self.recent: list[int] = []
        self.count: dict[int, int] = {}
        self.born: dict[int, int] = {}
        self.touched: dict[int, int] = {}
        self.pins: dict[int, int] = {}
        self.worth: dict[int, float] = {}
        self.age = 0.0

    def group(self, x: int) -> set[int]:
        found = {x}
        while True:
            more = {y for y in self.arrived if any(r in found for r in REQUIRES[y])} | found
            if more == found:
                return found
            found = more

    def drop(self, x: int) -> None:
        for y in self.group(x):
            self.arrived.remove(y)
            self.recent.remove(y)
            for table in (self.count, self.born, self.touched, self.worth):
                del table[y]
            self.pins.pop(y, None)

    def free(self, x: int) -> bool:
        return not any(self.pins.get(y) for y in self.group(x))

    def tick(self, now: int) -> None:
        while self.ttl is not None:
            since = self.touched if self.renewed else self.born
            due = [x for x in self.arrived if since[x] + self.ttl <= now and self.free(x)]
            if not due:
                return
            self.drop(due[0])

    def touch(self, x: int, now: int) -> None:
        self.count[x] += 1
        self.touched[x] = now
        self.recent.remove(x)
        self.recent.append(x)
        self.worth[x] = self.age + self.count[x] * (WORTH if self.policy == "ss_aware" else COST)[x] / SIZE[x]

    def use(self, x: int, now: int) -> bool:
        """True: a hit."""
        if x in self.arrived:
            self.touch(x, now)
            return True
        self.fetch(x, now)
        return False

    def queue(self) -> list[int]:
        if self.policy == "fifo":
            return list(self.arrived)
        if self.policy == "lru":
            return list(self.recent)
        measure = self.count if self.policy == "lfu" else self.worth
        return sorted(self.recent, key=lambda x: measure[x])  # stable: of equals the least recent first

    def fetch(self, x: int, now: int) -> None:
        if SIZE[x] > self.capacity or any(r not in self.arrived for r in REQUIRES[x]):
            return
        going: set[int] = set()
        chosen = []
        for y in self.queue():
            if sum(SIZE[z] for z in self.arrived if z not in going) + SIZE[x] <= self.capacity:
                break
            if y not in going and self.free(y) and not self.group(y) & set(REQUIRES[x]):
                going |= self.group(y)
                chosen.append(y)
        if sum(SIZE[z] for z in self.arrived if z not in going) + SIZE[x] > self.capacity:
            return
        for y in chosen:
            self.age = self.worth[y]
            self.drop(y)
        self.arrived.append(x)
        self.recent.append(x)
        self.count[x], self.born[x], self.touched[x] = 0, now, now
        self.touch(x, now)


SIZE = (1, 2, 4, 1, 8, 2, 4, 1)
"""Powers of two, so that GDSF's quotients are exact and ties are ties."""
COST = (1, 4, 4, 3, 8, 6, 20, 2)
WORTH = (0.5, 0.25, 1.0, 0.0, 0.75, 1.0, 0.5, 0.125)
REQUIRES: tuple[tuple[int, ...], ...] = ((), (0,), (1,), (), (0, 3), (), (5,), ())

trace_steps = st.lists(
    st.tuples(st.sampled_from(["use"] * 6 + ["pin", "unpin"]), st.integers(0, 7), st.sampled_from([0, 1, 4])),
    max_size=120,
)


@pytest.mark.parametrize("policy", ["lru", "lfu", "fifo", "gdsf", "ss_aware"])
@given(trace=trace_steps, capacity=st.integers(1, 16), ttl=st.sampled_from([None, 2, 9]), renewed=st.booleans())
@settings(max_examples=150, deadline=None)
def test_brute_force_twin(
    policy: str, trace: list[tuple[str, int, int]], capacity: int, ttl: int | None, renewed: bool
) -> None:
    twin = Twin(policy, capacity, ttl, renewed)
    store = Store(
        capacity,
        KINDS["store"].load(policy)(),
        ttl_s=None if ttl is None else float(ttl),
        ttl_from="renewed_on_use" if renewed else "from_fetch",
    )
    now = 0
    for what, x, wait in trace:
        for second in range(wait):  # the twin looks at each second, the store only at the last
            twin.tick(now + second + 1)
        now += wait
        if what == "use":
            hit = store.get(str(x), now) is not None
            assert hit == twin.use(x, now)
            if not hit:
                requires = tuple(map(str, REQUIRES[x]))
                store.insert(str(x), SIZE[x], requires, now, fetch_cost_byte=COST[x], worth=WORTH[x])
        elif what == "pin" and x in twin.arrived:
            twin.pins[x] = twin.pins.get(x, 0) + 1
            store.pin(str(x), now)
        elif what == "unpin" and twin.pins.get(x):
            twin.pins[x] -= 1
            store.unpin(str(x), now)
            twin.tick(now)
        assert [int(y) for y in store.slice_ids(now)] == twin.arrived
