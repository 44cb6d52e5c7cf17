"""Break-even in closed form against the report's measured one, simulation, and hand-made numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from simnet.results import ResultsError, break_even, miss_ratio


def test_numbers_by_hand() -> None:
    found = break_even(model_byte=1000, rival_byte=100, code_byte=20)
    assert (found.n_star, found.p_miss_limit, found.n) == (12.5, 0.08, 1)
    assert (found.low, found.high) == (None, None)
    assert str(found) == "12.5 uses"


def test_a_code_that_costs_as_much_never_pays() -> None:
    for rival in (20, 10):
        found = break_even(1000, rival, 20)
        assert found.n_star is None and str(found) == "never"
        assert found.p_miss_limit is not None and found.p_miss_limit <= 0
        assert found.least_ttl_s(0.1, "from_fetch") == found.least_ttl_s(0.1, "renewed_on_use") == math.inf


def test_a_model_that_costs_nothing_still_never_wins_with_codes_that_cost_as_much() -> None:
    for rival, least_s in ((20, math.inf), (10, math.inf), (21, 0.0)):
        found = break_even(0, rival, 20)
        assert found.p_miss_limit is None
        assert found.least_ttl_s(0.1, "from_fetch") == found.least_ttl_s(0.1, "renewed_on_use") == least_s


def test_interval_over_replications_is_fiellers() -> None:
    rng = np.random.default_rng(2)
    model, rival, code = rng.normal(1000, 40, 9), rng.normal(100, 5, 9), rng.normal(20, 2, 9)
    found = break_even(model, rival, code)
    assert found.n_star == pytest.approx(model.mean() / (rival.mean() - code.mean()))
    assert found.low is not None and found.high is not None and found.low < found.n_star < found.high
    for end in (found.low, found.high):
        assert stats.ttest_1samp(model - end * (rival - code), 0).pvalue == pytest.approx(0.05, abs=1e-6)
    assert str(found).endswith("n = 9)")


def test_a_saving_that_may_be_none_has_no_upper_bound() -> None:
    found = break_even([1000, 1001, 1002], [20, 30, 25], [20, 22, 24])
    assert found.high == math.inf
    assert "∞" in str(found)


@pytest.mark.parametrize("rate_per_s", [0.01, 0.5])
def test_least_ttl_is_where_the_miss_ratio_meets_the_limit(rate_per_s: float) -> None:
    found = break_even(1000, 100, 20)
    for ttl_from in ("from_fetch", "renewed_on_use"):
        ttl_s = found.least_ttl_s(rate_per_s, ttl_from)
        assert miss_ratio(rate_per_s, ttl_s, ttl_from) == pytest.approx(0.08)
    assert miss_ratio(rate_per_s, None, "from_fetch") == 0.0
    assert break_even(50, 100, 20).least_ttl_s(rate_per_s, "from_fetch") == 0.0
    assert break_even(0, 100, 20).least_ttl_s(rate_per_s, "from_fetch") == 0.0


@pytest.mark.parametrize("ttl_from", ["from_fetch", "renewed_on_use"])
def test_miss_ratio_of_poisson_requests(ttl_from: str) -> None:
    """One holder's requests drawn one by one; batches of 1000 requests give the standard error."""
    rate_per_s, ttl_s, n = 0.2, 7.0, 200_000
    at_s = np.cumsum(np.random.default_rng(5).exponential(1 / rate_per_s, n))
    missed, until_s = np.zeros(n), -1.0
    for i, now_s in enumerate(at_s):
        missed[i] = now_s > until_s
        if missed[i] or ttl_from == "renewed_on_use":
            until_s = now_s + ttl_s
    batches = missed.reshape(-1, 1000).mean(axis=1)
    expected = miss_ratio(rate_per_s, ttl_s, ttl_from)  # type: ignore[arg-type]
    assert abs(batches.mean() - expected) < 4 * stats.sem(batches)


@pytest.mark.parametrize(
    ("got", "said"),
    [
        ((-1, 3, 4), "got model_byte -1; allowed a finite number ≥ 0"),
        ((1, math.nan, 4), "got rival_byte nan; allowed"),
        ((1, 3, [4, math.inf]), "got code_byte inf; allowed"),
        (("much", 3, 4), "got model_byte 'much'; allowed"),
        ((1, [], 4), r"got rival_byte of shape \(0,\); allowed"),
        (([1, 2], 3, 4), "got 2 of model_byte, 1 of rival_byte, 1 of code_byte; allowed one number each, or as many"),
    ],
)
def test_nonsense_is_refused_by_name_and_value(got: tuple[Any, Any, Any], said: str) -> None:
    with pytest.raises(ResultsError, match=f"break_even: {said}"):
        break_even(*got)


def test_a_miss_ratio_needs_a_rate_and_a_time_to_live() -> None:
    with pytest.raises(ResultsError, match="miss_ratio: got rate_per_s 0; allowed > 0"):
        miss_ratio(0, 60, "from_fetch")
    with pytest.raises(ResultsError, match="miss_ratio: got ttl_from 'fetch'; allowed 'from_fetch' or"):
        miss_ratio(0.1, 60, "fetch")  # type: ignore[arg-type]
    with pytest.raises(ResultsError, match="least_ttl_s: got rate_per_s nan"):
        break_even(1000, 100, 20).least_ttl_s(math.nan, "from_fetch")
    with pytest.raises(ResultsError, match=r"got ttl_s -10\.0; allowed ≥ 0, or None"):
        miss_ratio(0.1, -10.0, "from_fetch")


def test_a_journey_and_a_saving_that_may_both_be_none_have_no_bounds_at_all() -> None:
    # neither mean is told from 0, so no ratio is excluded: Fieller's interval is the whole line
    found = break_even([0, 1000, 500], [20, 60, 20], [20, 22, 25])
    assert (found.low, found.high) == (-math.inf, math.inf)
    assert str(found).endswith("(−∞–∞, n = 3)")
