"""Links as service stations: how long payloads wait for a wire or a carrier."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from simnet.core.streams import exponential
from simnet.core.tables import PayloadClass, TransferRow
from simnet.net.offered_load import Offered
from simnet.validation import queue_theory as theory
from simnet.validation.bench import Bench
from simnet.validation.finding import Finding, Theory
from simnet.validation.links import LONG_BYTE, LONG_S, SHORT_BYTE, SHORT_S, over_radio, over_wire
from simnet.validation.wishes import wishes

POLLACZEK = "Pollaczek–Khinchine; Kleinrock 1975, eq. 5.70"
SECOND_MOMENT = "Kleinrock 1975, eq. 5.114: first in, first out"
MM1 = "M/M/1, ρS/(1 − ρ), Kleinrock 1975, eq. 3.27; ± what rounding to bytes changes (eq. 5.70)"
COBHAM = "Cobham 1954; Kleinrock 1976, eq. 3.31"
_LOAD = 0.5
"""Of M/M/1 and M/D/1."""
_MEAN_BYTE = 1000
"""Of exponential sizes."""
_WARM_UP = 200
"""Payloads left out at the front: the queues start empty, and forget that within some 20 services at these loads."""


def mm1(bench: Bench) -> list[Finding]:
    """Exponential sizes on a wire: mean wait, and the share that waits at all."""
    byte_per_s = 125_000.0
    mean_s = _MEAN_BYTE / byte_per_s
    rate_per_s = _LOAD / mean_s
    load = [
        Offered(time_s, "device", "gateway", exponential_byte(bench.seed, "mm1", i))
        for i, time_s in enumerate(arrivals_s(bench, "mm1", rate_per_s))
    ]
    waits_s = _waits_s(over_wire(load, seed=bench.seed, rate_bit_per_s=8 * byte_per_s))
    ideal_s = _LOAD * mean_s / (1 - _LOAD)
    first, second = theory.round_up_moments(_MEAN_BYTE)
    real_s = theory.mean_wait(rate_per_s, first / byte_per_s, second / byte_per_s**2)
    return [
        Finding(
            f"mean wait for a wire, ρ = {_LOAD}, s",
            bench.mean_of_series(waits_s),
            Theory.about(ideal_s, abs(real_s - ideal_s), MM1),
        ),
        Finding(
            f"share that waits for a wire, ρ = {_LOAD}",
            bench.mean_of_series(waits_s > 1e-12),
            Theory.exactly(rate_per_s * first / byte_per_s, "M/G/1: P(W > 0) = ρ; Kleinrock 1975, sec. 5.6"),
        ),
    ]


def md1(bench: Bench) -> list[Finding]:
    """Payloads of one codeword on a carrier that serves them in order: mean wait, and its second moment."""
    rate_per_s = _LOAD / SHORT_S
    load = [Offered(t, "device", "gateway", SHORT_BYTE) for t in arrivals_s(bench, "md1", rate_per_s)]
    waits = _waits_s(over_radio(load, seed=bench.seed, scheduler="fifo")) / SHORT_S
    mean = theory.mean_wait(_LOAD, 1, 1)
    square = theory.mean_square_wait(_LOAD, 1, 1, 1)
    return [
        Finding(
            f"mean wait for a carrier, ρ = {_LOAD}, airtimes",
            bench.mean_of_series(waits),
            Theory.exactly(mean, POLLACZEK),
        ),
        Finding(
            f"mean square of the wait, ρ = {_LOAD}, airtimes²",
            bench.mean_of_series(waits**2),
            Theory.exactly(square, SECOND_MOMENT),
        ),
    ]


def priority(bench: Bench) -> list[Finding]:
    """A carrier that lets control go before models, between bursts: mean wait of each class."""
    kinds: dict[PayloadClass, tuple[float, float, int]] = {
        "control": (0.3 / SHORT_S, SHORT_S, SHORT_BYTE),
        "model": (0.4 / LONG_S, LONG_S, LONG_BYTE),
    }
    end_s = bench.n(20_000, 600_000) / sum(rate for rate, _, _ in kinds.values())
    load = sorted(
        Offered(t, "device", "gateway", n_byte, name)
        for name, (rate, _, n_byte) in kinds.items()
        for t in arrivals_s(bench, name, rate, n=math.ceil(end_s * rate))
    )
    rows = over_radio(load, seed=bench.seed, scheduler="priority")
    expected = theory.cobham_waits([(rate, air_s, air_s**2) for rate, air_s, _ in kinds.values()])
    return [
        Finding(
            f"mean wait of {name}, ρ = 0.3 control + 0.4 model, s",
            bench.mean_of_series(_waits_s([row for row in rows if row.payload_class == name])),
            Theory.exactly(wait_s, COBHAM),
        )
        for name, wait_s in zip(kinds, expected, strict=True)
    ]


def arrivals_s(bench: Bench, name: str, rate_per_s: float, n: int | None = None) -> list[float]:
    """Times of the simulator's own Poisson traffic; ``name`` names the draws."""
    n = bench.n(14_000, 500_000) if n is None else n
    made = wishes(name, n, n_items=1, exponent=0.0, rate_per_s=rate_per_s, seed=bench.seed)
    times_s: list[float] = made.times_s.tolist()
    return times_s


def exponential_byte(seed: int, name: str, index: int) -> int:
    """An exponential size, rounded up."""
    return math.ceil(_MEAN_BYTE * exponential(seed, "size", name, index))


def _waits_s(rows: Sequence[TransferRow]) -> np.ndarray:
    if lost := sum(row.outcome != "delivered" for row in rows):
        raise AssertionError(f"{lost} of {len(rows)} payloads did not arrive over a link without errors or limits")
    return np.array([row.queue_s for row in rows])[_WARM_UP:]
