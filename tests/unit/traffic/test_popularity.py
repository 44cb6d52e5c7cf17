"""Which item: Zipf within a type, interests, own items left out, drift."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from simnet.traffic.base import CatalogueItem, TrafficError
from simnet.traffic.popularity import Popularity, PopularityParams


def catalogue(n: int, types: int = 1, owner: str = "nobody") -> list[CatalogueItem]:
    return [CatalogueItem(i, f"type-{i % types}", owner) for i in range(n)]


def draws(popularity: Popularity, n: int, *, consumer: str = "me", time_s: float = 0.0) -> Counter[int]:
    return Counter(popularity.draw(consumer, index, time_s) for index in range(n))


def within_4_errors(count: int, n: int, p: float) -> bool:
    return abs(count - n * p) < 4 * math.sqrt(n * p * (1 - p))


@pytest.mark.parametrize("exponent", [0.0, 0.8, 1.5])
def test_frequencies_are_zipf(exponent: float) -> None:
    n, n_items = 20_000, 20
    popularity = Popularity(PopularityParams(zipf_exponent=exponent), catalogue(n_items), seed=1)
    counts = draws(popularity, n)
    weights = np.arange(1, n_items + 1.0) ** -exponent
    ranked = [popularity.item_at_rank(0, rank, 0.0).item_id for rank in range(n_items)]
    assert sorted(ranked) == list(range(n_items))
    for item_id, p in zip(ranked, weights / weights.sum(), strict=True):
        assert within_4_errors(counts[item_id], n, p)


def test_the_most_popular_differ_by_seed_and_not_by_order_of_the_catalogue() -> None:
    items = catalogue(200)
    params = PopularityParams(zipf_exponent=2.0)
    top = [draws(Popularity(params, items, seed=seed), 300).most_common(1)[0][0] for seed in range(6)]
    assert len(set(top)) > 2
    shuffled = Popularity(params, items[::-1], seed=0)
    assert draws(shuffled, 300) == draws(Popularity(params, items, seed=0), 300)


def test_interest_concentrates_on_the_preferred_types() -> None:
    n = 8000
    params = PopularityParams(preferred_types=2, concentration=0.7)
    popularity = Popularity(params, catalogue(40, types=5), seed=1)
    seen = set()
    for consumer in ("a", "b", "c", "d"):
        counts: Counter[str] = Counter()
        for item_id, count in draws(popularity, n, consumer=consumer).items():
            counts[f"type-{item_id % 5}"] += count
        shares = [0.35, 0.35, 0.1, 0.1, 0.1]
        ranked = counts.most_common()
        assert all(within_4_errors(count, n, p) for (_, count), p in zip(ranked, shares, strict=True))
        seen.add(frozenset(name for name, _ in ranked[:2]))
    assert len(seen) > 1, "all consumers prefer the same"


def test_one_who_prefers_all_types_shares_alike() -> None:
    popularity = Popularity(PopularityParams(preferred_types=9), catalogue(4, types=4), seed=1)
    assert popularity.type_shares("me", 0.0) == [0.25] * 4


@pytest.mark.parametrize("own", [{0, 3, 4, 5}, set(range(11))])
def test_own_items_are_left_out_and_the_rest_keeps_its_proportions(own: set[int]) -> None:
    n, n_items = 12_000, 12
    items = [CatalogueItem(i, f"type-{i % 3}", "me" if i in own else "other") for i in range(n_items)]
    params = PopularityParams(zipf_exponent=1.0, concentration=0.6)
    popularity = Popularity(params, items, seed=2)
    law = {}
    for type_index, share in enumerate(popularity.type_shares("me", 0.0)):
        harmonic = sum(1 / rank for rank in range(1, 5))
        for rank in range(4):
            law[popularity.item_at_rank(type_index, rank, 0.0).item_id] = share / (rank + 1) / harmonic
    foreign = sum(p for item_id, p in law.items() if item_id not in own)
    counts = draws(popularity, n)
    assert not own & set(counts)
    for item_id in set(range(n_items)) - own:
        p = law[item_id] / foreign
        assert counts[item_id] == n if p > 1 - 1e-12 else within_4_errors(counts[item_id], n, p)


def test_who_owns_everything_has_nothing_to_wish_for() -> None:
    popularity = Popularity(PopularityParams(), catalogue(5, owner="me"), seed=1)
    with pytest.raises(TrafficError, match="consumer 'me' has nothing to wish for"):
        popularity.draw("me", 0, 0.0)
    with pytest.raises(TrafficError, match="the catalogue is empty"):
        Popularity(PopularityParams(), [], seed=1)


def test_drift_turns_ranks_and_types_once_per_period() -> None:
    params = PopularityParams(zipf_exponent=3.0, drift_period_s=100.0, tide=0.5, preferred_types=2)
    popularity = Popularity(params, catalogue(20, types=2), seed=1)
    tops = [popularity.item_at_rank(0, 0, time_s).item_id for time_s in np.arange(5.0, 100.0, 10.0)]
    assert sorted(tops) == list(range(0, 20, 2)), "each item of the type is once the most popular"
    assert popularity.item_at_rank(0, 0, 105.0) == popularity.item_at_rank(0, 0, 5.0)
    assert popularity.type_shares("me", 0.0) == pytest.approx([0.75, 0.25])
    assert popularity.type_shares("me", 25.0) == pytest.approx([0.5, 0.5])
    assert popularity.type_shares("me", 50.0) == pytest.approx([0.25, 0.75])
    n = 4000
    first = sum(count for item_id, count in draws(popularity, n, time_s=50.0).items() if item_id % 2 == 0)
    assert within_4_errors(first, n, 0.25)


def test_drift_does_not_change_the_shares_over_a_whole_period() -> None:
    params = PopularityParams(drift_period_s=60.0, tide=0.9)
    popularity = Popularity(params, catalogue(9, types=3), seed=1)
    shares = np.array([popularity.type_shares("me", time_s) for time_s in np.arange(0, 60, 0.5)])
    assert shares.mean(axis=0) == pytest.approx(sorted_interest(popularity), rel=1e-9)


def sorted_interest(popularity: Popularity) -> list[float]:
    still = Popularity(PopularityParams(), catalogue(9, types=3), seed=popularity.seed)
    return still.type_shares("me", 0.0)


@pytest.mark.parametrize(
    "settings",
    [{"zipf_exponent": -1}, {"tide": 1.0}, {"drift_period_s": 0}, {"concentration": 1.1}, {"zipf": 1}],
)
def test_settings_out_of_range(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        PopularityParams.model_validate(settings)
