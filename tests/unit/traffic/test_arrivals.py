"""When: Poisson and periodic wishes, and that each consumer's depend on its own name only."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from simnet.core.plugins import KINDS
from simnet.traffic.base import CatalogueItem, RequestPlan, Traffic
from simnet.traffic.periodic import Periodic
from simnet.traffic.poisson import Poisson

CATALOGUE = [CatalogueItem(i, f"type-{i % 4}", f"node-{i % 9}") for i in range(60)]
GENERATED = [Poisson(Poisson.Params(rate_per_s=0.2)), Periodic(Periodic.Params(period_s=5.0))]


def wishes(traffic: Traffic, consumers: list[str], duration_s: float = 400.0, seed: int = 1) -> list[RequestPlan]:
    return list(traffic.requests(consumers=consumers, catalogue=CATALOGUE, duration_s=duration_s, seed=seed))


def test_every_plugin_is_found() -> None:
    assert KINDS["traffic"].names() == ["periodic", "poisson", "trace"]


def test_poisson_counts_and_intervals() -> None:
    rate_per_s, duration_s = 0.5, 10_000.0
    traffic = Poisson(Poisson.Params(rate_per_s=rate_per_s))
    times_s = np.array([wish.time_s for wish in wishes(traffic, ["me"], duration_s)])
    mean = rate_per_s * duration_s
    assert abs(len(times_s) - mean) < 4 * math.sqrt(mean)
    gaps_s = np.diff(times_s, prepend=0.0)
    # Exponential intervals: the standard deviation is the mean; its standard error is √2 · mean / √n.
    assert abs(gaps_s.std(ddof=1) - 1 / rate_per_s) < 4 * math.sqrt(2 / len(gaps_s)) / rate_per_s
    late = float((gaps_s > 2 / rate_per_s).mean())
    p = math.exp(-2)
    assert abs(late - p) < 4 * math.sqrt(p * (1 - p) / len(gaps_s))


def test_periodic_keeps_its_period_and_phase() -> None:
    traffic = Periodic(Periodic.Params(period_s=5.0))
    phases_s = {}
    for consumer in ("a", "b", "c"):
        times_s = [wish.time_s for wish in wishes(traffic, [consumer])]
        assert len(times_s) == 80
        assert all(math.isclose(b - a, 5.0, abs_tol=1e-9) for a, b in pairwise(times_s))
        phases_s[consumer] = times_s[0]
    assert all(0.0 < phase_s < 5.0 for phase_s in phases_s.values())
    assert len(set(phases_s.values())) == 3


@pytest.mark.parametrize("traffic", GENERATED, ids=["poisson", "periodic"])
def test_order_indices_and_owners(traffic: Traffic) -> None:
    owners = {item.item_id: item.owner for item in CATALOGUE}
    plan = wishes(traffic, [f"node-{i}" for i in range(9)])
    assert len(plan) > 500
    assert plan == sorted(plan)
    assert all(0.0 <= wish.time_s < 400.0 for wish in plan)
    assert all(owners[wish.item_id] != wish.consumer for wish in plan)
    for consumer in {wish.consumer for wish in plan}:
        indices = [wish.request_index for wish in plan if wish.consumer == consumer]
        assert indices == list(range(len(indices)))


@pytest.mark.parametrize("traffic", GENERATED, ids=["poisson", "periodic"])
def test_adding_a_consumer_or_time_changes_no_others_wishes(traffic: Traffic) -> None:
    few = wishes(traffic, ["node-1", "node-2"])
    many = wishes(traffic, ["node-3", "node-2", "node-1"], duration_s=900.0)
    assert few == [wish for wish in many if wish.consumer != "node-3" and wish.time_s < 400.0]
    assert few != wishes(traffic, ["node-1", "node-2"], seed=2)


@pytest.mark.parametrize("traffic", GENERATED, ids=["poisson", "periodic"])
def test_no_consumers_no_wishes(traffic: Traffic) -> None:
    assert wishes(traffic, []) == []


def test_settings_out_of_range() -> None:
    with pytest.raises(ValueError, match="rate_per_s"):
        Poisson.Params(rate_per_s=0.0)
    with pytest.raises(ValueError, match="period_s"):
        Periodic.Params(period_s=-1.0)
    with pytest.raises(ValueError, match="rate_per_s"):
        Poisson.Params(rate_per_s=math.inf)
