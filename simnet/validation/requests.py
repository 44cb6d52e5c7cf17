"""Whole requests: Little's law between what is seen while the simulation runs and what its records say."""

from __future__ import annotations

import numpy as np

from simnet.core.tables import RequestRow
from simnet.statistics.interval import Interval
from simnet.validation.bench import N_BATCH, Bench
from simnet.validation.finding import Finding, Theory
from simnet.validation.star import arms, star

LITTLE = "Little 1961: L = λW, W from the records; the interval is that of L − λW over stretches of time"
_N_DEVICE, _RATE_PER_S = 4, 5.0
_LOOK_S = 0.05


def little(bench: Bench) -> list[Finding]:
    """Mean number of open requests, counted while the simulation runs, against the latencies in its records.

    In each stretch of time the two differ only by what is open at its ends and by looking but now and then.
    """
    duration_s = float(bench.n(200, 2_000))
    simulation = star(
        _N_DEVICE,
        seed=bench.seed,
        uplink_bit_per_s=200e3,  # a picture takes 33 ms, 20 are asked for each second: busy for two thirds of the time
        access_bit_per_s=100e3,
        codecs={"raw": {"kind": "raw", "image_shape": [1, 28, 28]}},
        traffic={"kind": "poisson", "rate_per_s": _RATE_PER_S},
        protocol={"codecs": {"digits": ["raw"]}},
        duration_s=duration_s,
    )
    (arm,) = arms(simulation).values()
    arm.start(simulation.requests())
    seen: list[int] = []
    known = 0
    still_open: list[RequestRow] = []
    for time_s in np.arange(_LOOK_S / 2, duration_s, _LOOK_S).tolist():
        arm.clock.run(until=time_s)
        rows = arm.requests
        still_open = [row for row in (*still_open, *rows[known:]) if row.ended_s is None]
        known = len(rows)
        seen.append(len(still_open))
    arm.clock.run(until=duration_s + 1e6)
    stretch_s = duration_s / N_BATCH
    spent_s = np.zeros(N_BATCH)
    for row in arm.requests:
        assert row.ended_s is not None
        spent_s[int(row.created_s / stretch_s)] += row.ended_s - row.created_s
    counted = np.array(seen, float).reshape(N_BATCH, -1).mean(axis=1)
    difference = bench.mean_of_independent(counted - spent_s / stretch_s)
    return [
        Finding(
            f"open requests, mean; {_N_DEVICE} devices behind one wire",
            Interval(float(counted.mean()), difference.half_width, N_BATCH),
            Theory.exactly(float(spent_s.sum() / duration_s), LITTLE),
        )
    ]
