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

POLLACZEK = "Pollaczek–Khinchine, λE[S²]/(2(1 − ρ)); Kleinrock 1975, ch. 5"
SECOND_MOMENT = "2E[W]² + λE[S³]/(3(1 − ρ)), first in, first out; Kleinrock 1975, ch. 5"
MM1 = "M/M/1, ρS/(1 − ρ), Kleinrock 1975, ch. 3; ± what rounding to bytes changes"
COBHAM = "Cobham 1954, R/((1 − σ_{k−1})(1 − σ_k)); Kleinrock 1976, ch. 3"
ERLANG_B = "Erlang 1917, B; Kleinrock 1975, ch. 3: exact for any sizes"
ERLANG_C = (
    "Erlang 1917, C, of M/M/c; Kleinrock 1975, ch. 3; for sizes of mean 1000 to 1001 bytes, since they are rounded up"
)
_LOAD = 0.5
"""Of M/M/1 and M/D/1."""
_MEAN_BYTE = 1000
"""Of exponential sizes."""
_BYTE_PER_S = 125_000.0
"""Of the wires."""
_CHANNELS, _OFFERED = 4, 2.8
"""Of the wires of several channels."""
_WARM_UP = 200
"""Payloads left out at the front: the queues start empty, and forget that within some 20 services at these loads."""


def mm1(bench: Bench) -> list[Finding]:
    """Exponential sizes on a wire: mean wait, and the share that waits at all."""
    mean_s = _MEAN_BYTE / _BYTE_PER_S
    rate_per_s = _LOAD / mean_s
    load = [
        Offered(time_s, "device", "gateway", exponential_byte(bench.seed, "mm1", i))
        for i, time_s in enumerate(arrivals_s(bench, "mm1", rate_per_s))
    ]
    waits_s = _waits_s(over_wire(load, seed=bench.seed, rate_bit_per_s=8 * _BYTE_PER_S))
    ideal_s = _LOAD * mean_s / (1 - _LOAD)
    first, second = theory.round_up_moments(_MEAN_BYTE)
    real_s = theory.mean_wait(rate_per_s, first / _BYTE_PER_S, second / _BYTE_PER_S**2)
    return [
        Finding(
            f"mean wait for a wire, ρ = {_LOAD}, s",
            bench.mean_of_series(waits_s),
            Theory.about(ideal_s, abs(real_s - ideal_s), MM1),
        ),
        Finding(
            f"share that waits for a wire, ρ = {_LOAD}",
            bench.mean_of_series(waits_s > 1e-12),
            Theory.exactly(rate_per_s * first / _BYTE_PER_S, "M/G/1: P(W > 0) = ρ; Kleinrock 1975, ch. 5"),
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
    end_s = bench.n(20_000, 300_000) / sum(rate for rate, _, _ in kinds.values())
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


def erlang_b(bench: Bench) -> list[Finding]:
    """A wire of several channels and no room to wait: the share of payloads that it rejects."""
    rate_per_s, load = _wire_load(bench, "erlang b")
    rows = over_wire(load, seed=bench.seed, rate_bit_per_s=8 * _BYTE_PER_S, channels=_CHANNELS, queue_limit=0)
    lost = np.array([row.outcome == "lost" for row in rows])[_WARM_UP:]
    offered = rate_per_s * theory.round_up_moments(_MEAN_BYTE)[0] / _BYTE_PER_S
    return [
        Finding(
            f"share rejected, {_CHANNELS} channels, {_OFFERED:g} Erlang, no queue",
            bench.mean_of_series(lost),
            Theory.exactly(theory.erlang_b(offered, _CHANNELS), ERLANG_B),
        )
    ]


def erlang_c(bench: Bench) -> list[Finding]:
    """A wire of several channels and an endless queue: the share of payloads that wait, and their mean wait."""
    _, load = _wire_load(bench, "erlang c")
    rows = over_wire(load, seed=bench.seed, rate_bit_per_s=8 * _BYTE_PER_S, channels=_CHANNELS)
    waits = _waits_s(rows) * _BYTE_PER_S / _MEAN_BYTE
    least, most = (_waiting(a) for a in (_OFFERED, _OFFERED * (1 + 1 / _MEAN_BYTE)))
    title = f"{_CHANNELS} channels, {_OFFERED:g} Erlang"
    return [
        Finding(f"share that waits, {title}", bench.mean_of_series(waits > 1e-9), Theory(least[0], most[0], ERLANG_C)),
        Finding(f"mean wait, {title}, services", bench.mean_of_series(waits), Theory(least[1], most[1], ERLANG_C)),
    ]


def _waiting(load: float) -> tuple[float, float]:
    """Share that waits and mean wait, in services of :data:`_MEAN_BYTE`, at this load of :data:`_CHANNELS` channels."""
    share = theory.erlang_c(load, _CHANNELS)
    return share, share / (_CHANNELS - load) * load / _OFFERED


def _wire_load(bench: Bench, name: str) -> tuple[float, list[Offered]]:
    """Payloads per second, and payloads of exponential sizes, that offer a wire :data:`_OFFERED` Erlang."""
    rate_per_s = _OFFERED * _BYTE_PER_S / _MEAN_BYTE
    return rate_per_s, [
        Offered(time_s, "device", "gateway", exponential_byte(bench.seed, name, i))
        for i, time_s in enumerate(arrivals_s(bench, name, rate_per_s))
    ]


def arrivals_s(bench: Bench, name: str, rate_per_s: float, n: int | None = None) -> list[float]:
    """Times of the simulator's own Poisson traffic; ``name`` names the draws."""
    n = bench.n(14_000, 250_000) if n is None else n
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
