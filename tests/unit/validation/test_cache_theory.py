"""Formulas of hit ratios against Markov chains solved numerically, and King's sum over ordered contents."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest

from simnet.validation.cache_theory import (
    Vector,
    che_hit_ratios,
    fifo_hit_ratios,
    lru_hit_ratios,
    optimal_hit_ratio,
    zipf,
)

Content = tuple[int, ...]


def lru_step(content: Content, item: int) -> Content:
    """The most recent first."""
    return (item, *(i for i in content if i != item))[: len(content)]


def fifo_step(content: Content, item: int) -> Content:
    """The newest first."""
    return content if item in content else (item, *content[:-1])


def chain_hit_ratios(p: Vector, capacity: int, step: Callable[[Content, int], Content]) -> Vector:
    """[N] by the stationary law of the chain of ordered contents."""
    states = {content: index for index, content in enumerate(permutations(range(len(p)), capacity))}
    move = np.zeros((len(states), len(states)))
    for content, index in states.items():
        for item, chance in enumerate(p):
            move[index, states[step(content, item)]] += chance
    balance = np.vstack([move.T - np.eye(len(states)), np.ones(len(states))])
    law = np.linalg.lstsq(balance, np.append(np.zeros(len(states)), 1.0), rcond=None)[0]
    return np.array([sum(law[index] for content, index in states.items() if i in content) for i in range(len(p))])


@pytest.mark.parametrize(("n", "capacity", "exponent"), [(5, 1, 0.7), (6, 3, 1.2), (5, 4, 2.5)])
@pytest.mark.parametrize(("formula", "step"), [(lru_hit_ratios, lru_step), (fifo_hit_ratios, fifo_step)])
def test_small_stores_are_markov_chains(
    formula: Callable[[Vector, int], Vector],
    step: Callable[[Content, int], Content],
    n: int,
    capacity: int,
    exponent: float,
) -> None:
    p = zipf(n, exponent)
    assert formula(p, capacity) == pytest.approx(chain_hit_ratios(p, capacity, step), abs=1e-6)


def test_king_s_sum() -> None:
    """Σ over ordered contents of Π p_i/(1 − those before), times what is not held."""
    p = zipf(8, 1.2)
    missed = 0.0
    for content in permutations(range(8), 3):
        probability, left = 1.0, 1.0
        for item in content:
            probability *= p[item] / left
            left -= p[item]
        missed += probability * left
    assert float(p @ lru_hit_ratios(p, 3)) == pytest.approx(1 - missed, abs=1e-6)


@pytest.mark.parametrize("formula", [lru_hit_ratios, fifo_hit_ratios, che_hit_ratios])
def test_stores_of_many_items_are_full(formula: Callable[[Vector, int], Vector]) -> None:
    """The items' chances of being held add up to the capacity."""
    assert formula(zipf(300, 0.8), 30).sum() == pytest.approx(30, abs=1e-5)


def test_items_alike_are_all_held_alike() -> None:
    for formula in (lru_hit_ratios, fifo_hit_ratios, che_hit_ratios):
        assert formula(np.full(50, 1 / 50), 20) == pytest.approx(np.full(50, 0.4), abs=1e-6)
    assert optimal_hit_ratio(np.full(50, 1 / 50), 20) == pytest.approx(0.4)


def test_the_optimum_keeps_the_most_popular() -> None:
    """By its own chain: one place holds whatever else was requested last."""
    p = np.array([0.5, 0.3, 0.15, 0.05])
    others = [0.3, 0.15, 0.05]
    last = [q / sum(others) for q in others]
    assert optimal_hit_ratio(p, 2) == pytest.approx(0.5 + sum(q * held for q, held in zip(others, last, strict=True)))
    assert optimal_hit_ratio(p, 2) > float(p @ lru_hit_ratios(p, 2))
