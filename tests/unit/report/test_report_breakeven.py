"""Break-even on constructed records whose crossing is known exactly."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from simnet.report.breakeven import BreakEven, Costs, break_even
from simnet.report.wording import answer

CELL: dict[str, Any] = {
    "requests": 20,
    "fetches": 0,
    "model_share": 0.0,
    "ss_population": {"value": 1.0},
    "byte_per_delivered": {"value": 10.0},
    "satisfied": {"value": 1.0, "hits": 20, "n": 20},
}


def measure(
    n: int, *, j: int = 100, c: int = 20, model_at: dict[int, int] | None = None, holders: int = 1, **kw: Any
) -> BreakEven:
    """n requests, one a second; ``model_at``: 0-based request -> bytes fetched for it."""
    model = np.zeros(n, np.int64)
    for at, byte in (model_at or {}).items():
        model[at] = byte
    holder = kw.pop("holder", np.arange(n, dtype=np.int64) % holders)
    fetches = np.flatnonzero(model)
    first = np.zeros(n, bool)
    first[fetches[np.unique(holder[fetches], return_index=True)[1]]] = True
    costs = Costs(
        use=np.full(n, c, np.int64),
        model=model,
        rival=np.full(n, j, np.int64),
        created_s=np.arange(n, dtype=float),
        holder=holder,
        first=first,
        **kw,
    )
    found = break_even(costs, seed=1)
    assert found is not None
    return found


def test_one_fetch_crosses_just_after_the_closed_form() -> None:
    found = measure(50, model_at={0: 1000})
    assert found.n_star == 1000 / 80 == 12.5
    assert (found.verdict, found.crossing_request, found.crossing_s) == ("crossed", 13, 12.0)
    assert (found.rival_mean, found.use_mean, found.model_mean, found.fetches) == (100, 20, 1000, 1)


def test_equal_sums_are_not_yet_below() -> None:
    found = measure(50, model_at={0: 960})
    assert found.n_star == 12
    assert found.crossing_request == 13


def test_a_code_that_costs_as_much_as_the_rival_never_pays() -> None:
    found = measure(50, c=100, model_at={0: 1000})
    assert found.n_star is None
    assert (found.verdict, found.crossing_request, found.expected_request) == ("never", None, None)
    assert (found.n_star_low, found.n_star_high) == (None, None)


def test_beyond_the_run_it_says_where_the_crossing_is_to_be_expected() -> None:
    found = measure(50, model_at={0: 8000})
    assert found.verdict == "beyond_run"
    assert found.expected_request == measure(200, model_at={0: 8000}).crossing_request == 101


def test_holders_that_come_late_fetch_once_only() -> None:
    """Ten holders, one after the other, ten uses each: 10 · 1000 − 100 · 80 is left, 25 requests' saving."""
    late = measure(100, holder=np.repeat(np.arange(10), 10), model_at=dict.fromkeys(range(0, 100, 10), 1000))
    assert (late.p_miss, late.p_miss_limit) == (0.1, pytest.approx(0.08))
    assert (late.verdict, late.expected_request) == ("beyond_run", 126)


def test_fetching_each_time_never_pays_although_the_closed_form_exists() -> None:
    found = measure(50, model_at=dict.fromkeys(range(50), 1000))
    assert (found.n_star, found.p_miss) == (12.5, 1.0)
    assert found.verdict == "never"


@pytest.mark.parametrize("every", [2, 5, 12, 13, 14, 25])
def test_the_miss_rate_decides_exactly_as_the_formula_says(every: int) -> None:
    """p_miss < (J − c)/M = 0.08 iff fetches are rarer than one in 12.5 requests."""
    found = measure(every * 40, model_at=dict.fromkeys(range(0, every * 40, every), 1000))
    assert found.p_miss == 1 / every
    assert found.p_miss_limit == pytest.approx(0.08)
    assert (found.p_miss < found.p_miss_limit) == (found.verdict == "crossed") == (every >= 13)


def test_a_later_fetch_undoes_an_earlier_crossing() -> None:
    found = measure(60, model_at={0: 1000, 20: 1000})
    assert found.crossing_request == 26, "after two fetches: more than 2000/80 = 25 requests"


def test_it_holds_per_holder() -> None:
    found = measure(80, holders=4, model_at=dict.fromkeys(range(4), 1000))
    assert found.n_star == 12.5
    assert found.crossing_request == 51, "four fetches: more than 4 · 12.5 requests of all"
    assert (found.holders, found.holders_crossed, found.holder_median_request) == (4, 4, 13)


def test_a_holder_with_few_uses_has_not_paid_off() -> None:
    found = measure(40, holders=4, model_at=dict.fromkeys(range(4), 1000))
    assert (found.holders_crossed, found.holder_median_request) == (0, None)


def test_decoders_given_beforehand_are_charged() -> None:
    found = measure(80, holders=4, upfront=4000)
    assert (found.model_mean, found.n_star, found.fetches, found.p_miss) == (1000, 12.5, 0, 0.0)
    assert found.crossing_request == 51
    assert found.holder_median_request == 13


def test_never_blames_no_fetches_where_there_were_none() -> None:
    """Decoders were given beforehand, and when half the run was over, nothing more was delivered or saved."""
    ones = np.ones(20, np.int64)
    rival = np.where(np.arange(20) < 10, 100, 10)
    costs = Costs(10 * ones, 0 * ones, rival, ones.astype(float), 0 * ones, ones < 0, upfront=4000)
    found = break_even(costs, seed=1)
    assert found is not None and found.verdict == "never" and found.n_star is not None
    arm = {"needs_models": True, "all": CELL}
    row = {"arm": "given", "rival": "jpeg", "source_type": "digits", "basis": "counted", **asdict(found)}
    arms = {"given": arm, "jpeg": arm | {"needs_models": False}}
    said = " ".join(answer({"arms": arms, "baseline": "jpeg", "duration_s": 20.0, "break_even": [row]}))
    assert "digits never pays off if requests go on saving as little as in the run's second half." in said


def test_only_what_has_paid_off_is_said_to_have() -> None:
    crossed = measure(80, holders=4, model_at=dict.fromkeys(range(4), 1000))
    later = measure(30, holders=4, model_at=dict.fromkeys(range(4), 1000))
    assert (crossed.verdict, later.verdict) == ("crossed", "beyond_run")
    kinds = {"digits": crossed, "clothes": later}
    rows = [
        {"arm": "travels", "rival": "jpeg", "source_type": source, "basis": basis, **asdict(found)}
        for basis in ("counted", "stripped")
        for source, found in kinds.items()
    ]
    arm = {"needs_models": True, "all": CELL}
    summary = {"arms": {"travels": arm, "jpeg": arm | {"needs_models": False}}, "baseline": "jpeg", "duration_s": 20.0}
    *_, counted, stripped = answer(summary | {"break_even": rows})
    for sentence, start in ((counted, "Against “jpeg”, headers counted: "), (stripped, "With headers stripped: ")):
        digits, clothes = sentence.removeprefix(start).split("; ")
        assert digits == "digits paid off after 51 requests (one holder, one fetch: n* = 12.5)"
        said = f"clothes has not paid off in this run, expected at n = {later.expected_request} (one holder"
        assert clothes.startswith(said)
    *_, counted, _ = answer(summary | {"break_even": [row for row in rows if row["source_type"] == "clothes"]})
    assert "it has paid off" not in counted and counted.startswith(f"Against “jpeg”, headers counted: {said}")


def test_without_any_model_it_pays_from_the_first_request() -> None:
    assert measure(10).crossing_request == 1


def test_the_interval_covers_the_closed_form() -> None:
    """J and c vary by request: 95 % intervals of 200 runs must cover M/(E J − E c) about 190 times."""
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(200):
        n = 400
        model = np.zeros(n, np.int64)
        model[0] = 1000
        costs = Costs(
            use=rng.integers(10, 31, n),
            model=model,
            rival=rng.integers(50, 151, n),
            created_s=np.arange(n, dtype=float),
            holder=np.zeros(n, np.int64),
            first=model > 0,
        )
        found = break_even(costs, seed=seed)
        assert found is not None and found.n_star_low is not None and found.n_star_high is not None
        covered += found.n_star_low <= 12.5 <= found.n_star_high
    assert abs(covered - 190) < 4 * (200 * 0.95 * 0.05) ** 0.5


def test_no_request_no_answer() -> None:
    empty = np.zeros(0, np.int64)
    costs = Costs(empty, empty, empty, empty.astype(float), empty, empty.astype(bool))
    assert break_even(costs, seed=1) is None
