"""Named random streams: uniform, independent of each other, and no two names the same."""

from __future__ import annotations

from itertools import product

import numpy as np
from scipy import stats

from simnet.core import streams
from simnet.core.streams import Name
from simnet.statistics.interval import Interval
from simnet.validation.bench import Bench
from simnet.validation.finding import Finding, Theory

KOLMOGOROV = "Kolmogorov–Smirnov, exact law of the distance (Simard, L’Ecuyer 2011)"
INDEPENDENT = "independence: E[12(u − ½)(v − ½)] = 0"
DISTINCT = "a draw of 53 bits hits another once in 2⁵³"


def named_draws(bench: Bench) -> list[Finding]:
    """One long row of names, pairs of names that differ in one part, and a set of names that look alike."""
    n = bench.n(20_000, 1_000_000)
    row = np.array([streams.uniform(bench.seed, "validate", i) for i in range(n)])
    distance = float(stats.kstest(row, "uniform").statistic)
    power = [abs(streams.complex_normal(bench.seed, "validate", i)) ** 2 for i in range(n)]
    names = _alike()
    repeats = sum(len(draws) - len(set(draws)) for draws in _draws_of(bench, names))
    most = float(stats.kstwo.ppf(bench.confidence, n))
    return [
        Finding("distance of draws from uniform", Interval(distance, 0.0, n), Theory.at_most(most, KOLMOGOROV)),
        Finding(
            "correlation of draws whose names differ in one part",
            bench.mean_of_independent(_products(bench, n // 4)),
            Theory.exactly(0, INDEPENDENT),
        ),
        Finding("E|z|² of complex normal draws", bench.mean_of_independent(power), Theory.exactly(1, "CN(0, 1)")),
        Finding(
            "equal draws among different names", Interval(repeats, 0.0, 3 * len(names)), Theory.exactly(0, DISTINCT)
        ),
    ]


def _products(bench: Bench, n: int) -> list[float]:
    """12(u − ½)(v − ½) of pairs that differ in the first, second or third name or in the seed."""
    products = []
    for i in range(n):
        seed, name = bench.seed, ("pair", i, b"left")
        others: tuple[tuple[int, tuple[Name, ...]], ...] = (
            (seed, ("riap", i, b"left")),
            (seed, ("pair", -1 - i, b"left")),
            (seed, ("pair", i, b"right")),
            (seed + 1 + i, name),
        )
        other_seed, other = others[i % 4]
        u, v = streams.uniform(seed, *name), streams.uniform(other_seed, *other)
        products.append(12 * (u - 0.5) * (v - 0.5))
    return products


def _alike() -> list[tuple[Name, ...]]:
    """Different names that careless joining, or ignoring a part or a type, would make equal."""
    parts: list[Name] = ["", "a", "b", "ab", "1", "|", "s1:a", b"", b"a", b"1", 0, 1, -1, 11]
    singles: list[tuple[Name, ...]] = [(part,) for part in parts]
    return [(), *singles, *product(parts, repeat=2), *product(parts, repeat=3)]


def _draws_of(bench: Bench, names: list[tuple[Name, ...]]) -> list[list[float]]:
    """The draws of each kind, one per name."""
    seed = bench.seed
    return [
        [streams.uniform(seed, *name) for name in names],
        [streams.complex_normal(seed, *name).real for name in names],
        [float(streams.generator(seed, *name).random()) for name in names],
    ]
