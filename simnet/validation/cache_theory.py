"""Hit ratios under the independent reference model: each request is for item i with probability p_i, whatever went
before. Items of one size; ``capacity`` of them fit."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

Vector = NDArray[np.float64]


def zipf(n: int, exponent: float) -> Vector:
    """[n] p_r ∝ r^−exponent, adding up to 1."""
    weights: Vector = np.arange(1, n + 1, dtype=float) ** -exponent
    p: Vector = weights / weights.sum()
    return p


def lru_hit_ratios(p: Vector, capacity: int) -> Vector:
    """[N] hit ratio of each item under LRU, exact: King's sum over ordered contents, as one integral.

    Let requests come as a Poisson process of rate 1. Item i is held if fewer than ``capacity`` others were requested
    since its own last request, which was Exp(p_i) ago; others come independently of each other:

        h_i = ∫ p_i·e^(−p_i·t) · P(X_i(t) ≤ capacity − 1) dt,   X_i(t) = Σ_{j≠i} Bernoulli(1 − e^(−p_j·t)).

    P. Flajolet, D. Gardy, L. Thimonier, "Birthday paradox, coupon collectors, caching algorithms and self-organizing
    search", Discrete Applied Mathematics 39 (1992); W. F. King, IFIP Congress 1971. The integral is done by
    the trapezoidal rule over ln t, to 1e-6 or better.

    Args:
        p: [N] probabilities > 0.
        capacity: 1..N−1.
    """
    n = len(p)
    t = _times(p, capacity)
    q = -np.expm1(-np.outer(t, p))
    pmf = np.zeros((len(t), n + 1))
    pmf[:, 0] = 1.0
    for j in range(n):
        here = q[:, j : j + 1]
        pmf[:, 1:] = pmf[:, 1:] * (1 - here) + pmf[:, :-1] * here
        pmf[:, 0] *= 1 - here[:, 0]
    held = _fewer_without_one(pmf, q, capacity)
    weighed = p * t[:, None] * np.exp(-np.outer(t, p)) * held
    hit: Vector = -np.expm1(-p * t[0]) + (weighed[:-1] + weighed[1:]).sum(axis=0) * math.log(t[1] / t[0]) / 2
    return hit


def _times(p: Vector, capacity: int) -> Vector:
    """Nodes in even steps of ln t: from where nothing is evicted yet to where, but for 1e-9 of cases, everything is."""
    che = che_time(p, capacity)
    step = min(0.1, 1 / math.sqrt(capacity))  # the law of the number of items moves over some 1/√capacity
    t: Vector = np.exp(np.arange(math.log(1e-5 * che), math.log(60 * che), step))
    mean = -np.expm1(-np.outer(t, p)).sum(axis=1)
    full = mean - capacity > np.sqrt(2 * mean * 21)  # P(X ≤ m − x) ≤ e^(−x²/2m), Chernoff
    return t[: int(np.argmax(full)) + 1] if full.any() else t


def _fewer_without_one(pmf: Vector, q: Vector, capacity: int) -> Vector:
    """[T, N] P(sum of all but i ≤ capacity − 1), from the [T, N+1] law of the sum and each one's chance [T, N].

    Taking one out divides polynomials: upwards where its chance is below 1/2, downwards where it is above, so that
    errors shrink either way.
    """
    rare = q < 0.5
    low_q, high_q = np.where(rare, q, 0.0), np.where(rare, 1.0, q)
    up, total_up = np.zeros_like(q), np.zeros_like(q)
    for k in range(capacity):
        up = (pmf[:, k : k + 1] - low_q * up) / (1 - low_q)
        total_up += up
    down, total_down = np.zeros_like(q), np.zeros_like(q)
    for k in range(pmf.shape[1] - 1, 0, -1):
        down = (pmf[:, k : k + 1] - (1 - high_q) * down) / high_q  # the law of the others at k − 1
        if k <= capacity:
            total_down += down
    return np.where(rare, total_up, total_down)


def che_time(p: Vector, capacity: int) -> float:
    """Characteristic time t, in requests: Σ (1 − e^(−p_i·t)) = capacity."""
    return float(brentq(lambda t: float(-np.expm1(-p * t).sum()) - capacity, 1e-6, 1e3 * capacity / p.min()))


def che_hit_ratios(p: Vector, capacity: int) -> Vector:
    """[N] Che's approximation of :func:`lru_hit_ratios`: 1 − e^(−p_i·t).

    H. Che, Y. Tung, Z. Wang, "Hierarchical Web caching systems", IEEE JSAC 20(7), 2002.
    """
    ratios: Vector = -np.expm1(-p * che_time(p, capacity))
    return ratios


def fifo_hit_ratios(p: Vector, capacity: int) -> Vector:
    """[N] hit ratio of each item under FIFO, or under random replacement, exact: P(content) ∝ Π p_i.

    h_i = p_i·e_{capacity−1}(others) / e_capacity(all), e_k the elementary symmetric polynomials.
    E. Gelenbe, "A unified approach to the evaluation of a class of replacement algorithms", IEEE Trans. Comput.
    C-22(6), 1973.

    Args:
        p: [N] probabilities > 0.
        capacity: 1..N−1.
    """
    weights = p / p.mean()
    n = len(p)
    others = np.tile(weights, (n, 1))
    np.fill_diagonal(others, 0.0)
    e = np.zeros((n, capacity + 1))
    e[:, 0] = 1.0
    for j in range(n):
        e[:, 1:] += e[:, :-1] * others[:, j : j + 1]
    held = weights * e[:, capacity - 1]
    ratios: Vector = held / (held + e[:, capacity])
    return ratios


def optimal_hit_ratio(p: Vector, capacity: int) -> float:
    """The most that any policy reaches which stores what it fetches and knows the future only by p: A₀.

    It keeps the capacity − 1 most popular items and, in the last place, whatever else was requested last:
    Σ_{i<c} p_i + Σ_{i≥c} p_i² / Σ_{i≥c} p_i.
    A. V. Aho, P. J. Denning, J. D. Ullman, "Principles of optimal page replacement", J. ACM 18(1), 1971.
    """
    ranked = np.sort(p)[::-1]
    rest = ranked[capacity - 1 :]
    return float(ranked[: capacity - 1].sum() + (rest**2).sum() / rest.sum())
