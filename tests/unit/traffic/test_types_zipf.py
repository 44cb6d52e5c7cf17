"""Popularity over source types: Zipf, with preferences that follow it; draws that don't list the types."""

from __future__ import annotations

import math
from collections import Counter
from itertools import accumulate

import numpy as np
import pytest

from simnet.core.streams import uniform
from simnet.traffic.base import CatalogueItem
from simnet.traffic.popularity import Popularity, PopularityParams
from simnet.traffic.type_shares import TypeShares


def popularity(n_type: int, *, seed: int = 1, **params: float) -> Popularity:
    catalogue = [CatalogueItem(i, f"type-{i}", "nobody") for i in range(n_type)]
    return Popularity(PopularityParams.model_validate(params), catalogue, seed=seed)


def counted(drawn: Popularity, n: int, consumer: str = "me", time_s: float = 0.0) -> Counter[int]:
    return Counter(drawn.draw(consumer, i, time_s) for i in range(n))


def within_4_errors(count: int, n: int, p: float) -> bool:
    return abs(count - n * p) < 4 * math.sqrt(n * p * (1 - p)) + 1e-9


def test_who_prefers_all_types_wishes_by_their_zipf_ranks() -> None:
    n, n_type = 20_000, 12
    counts = counted(popularity(n_type, types_zipf_exponent=1.0, preferred_types=n_type), n)
    law = 1.0 / np.arange(1, n_type + 1.0)
    law /= law.sum()
    ranked = [count for _, count in counts.most_common()]
    assert all(within_4_errors(count, n, p) for count, p in zip(ranked, law, strict=True))


def test_a_popular_type_is_preferred_by_more_consumers_so_that_wishes_of_all_follow_the_zipf_law() -> None:
    """With concentration 1 and one preferred type, the type that each consumer prefers is a draw from the law."""
    n, n_type = 4_000, 10
    drawn = popularity(n_type, types_zipf_exponent=1.0, preferred_types=1, concentration=1.0)
    liked = Counter(drawn.draw(f"consumer-{i}", 0, 0.0) for i in range(n))
    law = 1.0 / np.arange(1, n_type + 1.0)
    law /= law.sum()
    assert all(within_4_errors(c, n, p) for (_, c), p in zip(liked.most_common(), law, strict=True))


def test_preferred_types_share_the_concentration_alike_and_the_rest_follows_popularity() -> None:
    shares = popularity(8, types_zipf_exponent=1.2, preferred_types=3, concentration=0.6).type_shares("me", 0.0)
    assert sum(shares) == pytest.approx(1.0, rel=1e-12)
    zipf = np.arange(1, 9.0) ** -1.2
    liked = [i for i, share in enumerate(shares) if share == pytest.approx(0.2, rel=1e-12)]
    assert len(liked) == 3
    others = sorted((share for i, share in enumerate(shares) if i not in liked), reverse=True)
    # the others' shares are in the proportions of some five of the eight ranks, in order
    ratios = np.array(others) / others[0]
    candidates = [zipf[list(rest)] for rest in _subsets(8, 5)]
    assert any(np.allclose(ratios, c / c[0], rtol=1e-12) for c in candidates)


def _subsets(n: int, k: int) -> list[tuple[int, ...]]:
    from itertools import combinations

    return list(combinations(range(n), k))


@pytest.mark.parametrize("exponent", [3.0, 5.0])
def test_steep_popularity_ends_and_prefers_distinct_types(exponent: float) -> None:
    drawn = popularity(2_000, types_zipf_exponent=exponent, preferred_types=40, concentration=0.9)
    shares = np.array(drawn.type_shares("me", 0.0))
    assert (shares > -1e-15).all() and shares.sum() == pytest.approx(1.0)
    assert np.isclose(shares, 0.9 / 40, rtol=1e-9).sum() == 40
    drawn.draw("me", 0, 0.0)


@pytest.mark.parametrize("tide", [(0.0, 0.0), (0.5, 0.37), (0.9, 12.81)])
def test_a_pick_is_what_the_running_sum_of_the_listed_weights_gives(tide: tuple[float, float]) -> None:
    """The oracle lists every type's weight and adds them up."""
    rng = np.random.default_rng(1)
    n, level, extras = 300, 0.3, {7: 0.4, 120: -0.01, 299: 0.05}
    weights = (rng.random(n) + 0.1).tolist()
    shares = TypeShares(weights)
    strength, phase = tide
    listed = [
        (level * w + extras.get(i, 0.0)) * (1 + strength * math.cos(2 * math.pi * (phase - i / n)))
        for i, w in enumerate(weights)
    ]
    sums = np.array(list(accumulate(listed)))
    for k in range(2_000):
        share = uniform(3, "pick", k)
        assert shares.pick(share, level, extras, tide) == int(np.searchsorted(sums, share * sums[-1], side="right"))


def test_many_types_are_drawn_without_listing_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """One draw asks for some tens of running sums, not for one per type."""
    drawn = popularity(20_000, types_zipf_exponent=0.8, preferred_types=2)
    monkeypatch.setattr(Popularity, "type_shares", lambda *_: pytest.fail("listed the types"))
    asked = 0

    class Counting(list[float]):
        def __getitem__(self, index):  # type: ignore[no-untyped-def]
            nonlocal asked
            asked += 1
            return super().__getitem__(index)

    drawn._shares._sums = Counting(drawn._shares._sums)
    n = 50
    for index in range(n):
        drawn.draw("me", index, 0.0)
    assert 0 < asked < 60 * n
