"""Drawn axes and seeds: in range, in every stratum, of the right law, and unchanged by what is added."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simnet.sweep.draws import latin_hypercube_values, random_values, within
from simnet.sweep.schema import Draws, Range
from simnet.sweep.seeds import LARGEST, seeds

RANGES = {"a.x": Range(low=2, high=6), "a.y": Range(low=1e-3, high=10, scale="log")}


@given(st.integers(1, 60), st.integers(0, 99))
def test_a_latin_hypercube_has_one_point_in_every_stratum(n: int, seed: int) -> None:
    values = latin_hypercube_values(Draws(n=n, keys=RANGES), seed)
    linear = (np.array(values["a.x"]) - 2) / 4
    log = np.log10(np.array(values["a.y"]) / 1e-3) / 4
    for shares in (linear, log):
        assert sorted(np.floor(shares * n + 1e-9).astype(int)) == list(range(n))


def test_random_draws_follow_the_scale() -> None:
    n = 4000
    values = random_values(Draws(n=n, keys=RANGES), seed=5)
    spread = math.sqrt(1 / 12 / n)  # standard error of a mean of uniforms
    assert abs((np.mean(values["a.x"]) - 2) / 4 - 0.5) < 4 * spread
    assert abs(np.mean(np.log10(np.array(values["a.y"]) / 1e-3) / 4) - 0.5) < 4 * spread
    correlation = np.corrcoef(values["a.x"], np.log(values["a.y"]))[0, 1]
    assert abs(correlation) < 4 / math.sqrt(n)


def test_whole_numbers_are_equally_likely_to_both_ends() -> None:
    n = 6000
    (drawn,) = random_values(Draws(n=n, keys={"k": Range(low=3, high=5, integer=True)}), seed=1).values()
    assert all(type(value) is int for value in drawn)
    counts = {value: drawn.count(value) for value in set(drawn)}
    assert set(counts) == {3, 4, 5}
    assert all(abs(count / n - 1 / 3) < 4 * math.sqrt(2 / 9 / n) for count in counts.values())


@given(st.floats(0, 1, exclude_max=True), st.booleans(), st.sampled_from(["linear", "log"]))
def test_no_draw_leaves_its_range(u: float, integer: bool, scale: str) -> None:
    range_ = Range(low=2, high=6, integer=integer, scale=scale)  # type: ignore[arg-type]
    assert 2 <= within(range_, u) <= 6


def test_a_further_key_or_draw_changes_no_other() -> None:
    few = random_values(Draws(n=5, keys={"a.x": RANGES["a.x"]}), seed=1)
    many = random_values(Draws(n=9, keys=RANGES), seed=1)
    assert many["a.x"][:5] == few["a.x"]
    alone = latin_hypercube_values(Draws(n=5, keys={"a.x": RANGES["a.x"]}), seed=1)
    assert latin_hypercube_values(Draws(n=5, keys=RANGES), seed=1)["a.x"] == alone["a.x"]
    assert random_values(Draws(n=5, keys={"a.x": RANGES["a.x"]}), seed=2) != few


def test_seeds_are_distinct_and_the_first_stay() -> None:
    many = seeds(1, 3000)
    assert len(set(many)) == 3000 and all(0 < seed < LARGEST for seed in many)
    assert many[:10] == seeds(1, 10)
    assert not set(many[:100]) & set(seeds(2, 100))
    centre, spread = LARGEST / 2, LARGEST / math.sqrt(12 * 3000)
    assert abs(np.mean(many) - centre) < 4 * spread
