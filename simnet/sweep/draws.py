"""Drawn axes: values between two ends, each key by a stream of its own, so that a further key changes no other."""

from __future__ import annotations

import math

from simnet.core import streams
from simnet.sweep.schema import Draws, Range


def random_values(draws: Draws, seed: int) -> dict[str, list[int | float]]:
    """Key -> [n] independent draws; the first of them stay when n grows."""
    return {
        key: [within(each, streams.uniform(seed, "random axis", key, i)) for i in range(draws.n)]
        for key, each in draws.keys.items()
    }


def latin_hypercube_values(draws: Draws, seed: int) -> dict[str, list[int | float]]:
    """Key -> [n] draws, one from each n-th of the range, in an order drawn for each key (McKay et al. 1979)."""
    values: dict[str, list[int | float]] = {}
    for key, each in draws.keys.items():
        generator = streams.generator(seed, "latin hypercube axis", key)
        order, jitter = generator.permutation(draws.n), generator.random(draws.n)
        values[key] = [within(each, float(u)) for u in (order + jitter) / draws.n]
    return values


def within(range_: Range, u: float) -> int | float:
    """The value at the share u in [0, 1) of the range; whole numbers are equally likely on a linear scale."""
    low, high = range_.low, range_.high
    widened = (low - 0.5, high + 0.5) if range_.integer else (low, high)
    if range_.scale == "log":
        value = math.exp(math.log(widened[0]) + u * (math.log(widened[1]) - math.log(widened[0])))
    else:
        value = widened[0] + u * (widened[1] - widened[0])
    value = min(max(value, low), high)
    return math.floor(value + 0.5) if range_.integer else value
