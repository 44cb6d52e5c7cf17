"""Formulas of queues against Markov chains solved numerically, and against each other."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from simnet.validation.queue_theory import (
    cobham_waits,
    erlang_b,
    erlang_c,
    mean_square_wait,
    mean_wait,
    round_up_moments,
)


def stationary(births: list[float], deaths: list[float]) -> np.ndarray:
    """Law of a birth–death chain by its balance equations: births[k] from k to k + 1, deaths[k] back."""
    n = len(births) + 1
    rates = np.zeros((n, n))
    for k, (up, down) in enumerate(zip(births, deaths, strict=True)):
        rates[k, k + 1], rates[k + 1, k] = up, down
    rates -= np.diag(rates.sum(axis=1))
    return np.asarray(np.linalg.lstsq(np.vstack([rates.T, np.ones(n)]), np.append(np.zeros(n), 1.0), rcond=None)[0])


@pytest.mark.parametrize(("load", "servers"), [(0.3, 1), (2.0, 3), (9.0, 5)])
def test_erlang_b_is_the_chain_s_last_state(load: float, servers: int) -> None:
    law = stationary([load] * servers, [float(k + 1) for k in range(servers)])
    assert erlang_b(load, servers) == pytest.approx(law[-1])


@pytest.mark.parametrize(("load", "servers"), [(0.3, 1), (2.0, 3)])
def test_erlang_c_is_the_chance_to_find_all_busy(load: float, servers: int) -> None:
    most = 200
    law = stationary([load] * most, [float(min(k + 1, servers)) for k in range(most)])
    assert erlang_c(load, servers) == pytest.approx(law[servers:].sum())
    waiting = float(law[servers:] @ np.arange(most + 1 - servers))
    assert erlang_c(load, servers) / (servers - load) == pytest.approx(waiting / load)  # Little


def test_exponential_services_wait_as_the_chain_says() -> None:
    """M/M/1, μ = 1: whoever finds k waits for k services, E[W²] of which is k(k + 1)."""
    load, most = 0.6, 300
    law = stationary([load] * most, [1.0] * most)
    k = np.arange(most + 1)
    assert mean_wait(load, 1, 2) == pytest.approx(float(law @ k))
    assert mean_square_wait(load, 1, 2, 6) == pytest.approx(float(law @ (k * (k + 1))))


def test_one_class_needs_no_priority() -> None:
    assert cobham_waits([(0.5, 1.0, 3.0)]) == [pytest.approx(mean_wait(0.5, 1.0, 3.0))]


def test_priority_moves_work_and_makes_none() -> None:
    """Kleinrock's conservation law: Σ ρ_k·W_k is the same as without classes."""
    classes = [(0.2, 1.0, 1.0), (0.1, 4.0, 20.0), (0.05, 2.0, 9.0)]
    waits = cobham_waits(classes)
    assert all(urgent < patient for urgent, patient in pairwise(waits))
    rate = sum(c[0] for c in classes)
    mean, square = (sum(c[0] * c[i] for c in classes) / rate for i in (1, 2))
    together = mean_wait(rate, mean, square)
    assert sum(c[0] * c[1] * w for c, w in zip(classes, waits, strict=True)) == pytest.approx(rate * mean * together)


def test_rounding_up_is_summed_term_by_term() -> None:
    mean = 7.0
    chance = [math.exp(-(k - 1) / mean) - math.exp(-k / mean) for k in range(1, 1000)]
    first, second = round_up_moments(mean)
    assert first == pytest.approx(sum(k * p for k, p in enumerate(chance, 1)))
    assert second == pytest.approx(sum(k * k * p for k, p in enumerate(chance, 1)))
