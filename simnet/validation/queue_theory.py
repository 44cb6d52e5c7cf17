"""Waiting times and losses of one service station in the long run, Poisson arrivals of rate λ.

Kleinrock, Queueing Systems, vol. 1, 1975, and vol. 2, 1976. Services are independent of each other and of the arrivals.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def mean_wait(rate: float, mean: float, mean_square: float) -> float:
    """E[W] of M/G/1 = λ·E[S²] / (2(1 − ρ)), whoever is served next by a rule that looks at no service time.

    Pollaczek–Khinchine: Kleinrock 1, chapter 5.
    """
    return rate * mean_square / (2 * (1 - rate * mean))


def mean_square_wait(rate: float, mean: float, mean_square: float, mean_cube: float) -> float:
    """E[W²] of M/G/1, first in, first out: 2·E[W]² + λ·E[S³] / (3(1 − ρ)): Kleinrock 1, chapter 5."""
    return 2 * mean_wait(rate, mean, mean_square) ** 2 + rate * mean_cube / (3 * (1 - rate * mean))


def cobham_waits(classes: Sequence[tuple[float, float, float]]) -> list[float]:
    """E[W] of each class of a non-preemptive priority M/G/1: R / ((1 − σ_{k−1})(1 − σ_k)), R = Σ λ_i·E[S_i²]/2.

    A. Cobham, "Priority assignment in waiting line problems", Operations Research 2(1), 1954; Kleinrock 2, chapter 3.

    Args:
        classes: (λ, E[S], E[S²]), the most urgent first.
    """
    residual = sum(rate * mean_square / 2 for rate, _, mean_square in classes)
    waits, above = [], 0.0
    for rate, mean, _ in classes:
        upto = above + rate * mean
        waits.append(residual / ((1 - above) * (1 - upto)))
        above = upto
    return waits


def erlang_b(load: float, servers: int) -> float:
    """Share that M/G/c/c loses: (a^c/c!) / Σ a^k/k!, by B_k = a·B_{k−1} / (k + a·B_{k−1}).

    A. K. Erlang 1917; Kleinrock 1, chapter 3.

    Args:
        load: a = λ·E[S], Erlang.
        servers: c.
    """
    blocked = 1.0
    for k in range(1, servers + 1):
        blocked = load * blocked / (k + load * blocked)
    return blocked


def erlang_c(load: float, servers: int) -> float:
    """Share that waits in M/M/c, a < c: B / (1 − (a/c)(1 − B)): Kleinrock 1, chapter 3. E[W] = C·E[S] / (c − a)."""
    blocked = erlang_b(load, servers)
    return blocked / (1 - load / servers * (1 - blocked))


def round_up_moments(mean: float) -> tuple[float, float]:
    """E and E of the square of ⌈X⌉, X exponential of this mean: geometric with p = 1 − e^(−1/mean)."""
    p = -math.expm1(-1 / mean)
    return 1 / p, (2 - p) / p**2
