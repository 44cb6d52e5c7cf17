"""After how many uses has a model paid for itself against a codec that needs none? (DESIGN §1)

J, c, M are the mean wire bytes of a rival's delivery, of a code, and of one fetch of a model, all overheads
included: every byte of every request is in one of them, also of those that failed. An arm with F fetches in n
requests has sent n·c + F·M, its rival n·J. So it has paid off exactly if p_miss = F/n < (J − c)/M.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simnet.core.streams import generator
from simnet.report.statistics import LEAST_UNITS, N_RESAMPLES

MAX_BLOCKS = 200
"""The bootstrap resamples this many runs of consecutive requests, which keeps their dependence in time."""

Verdict = Literal["crossed", "beyond_run", "never"]


@dataclass(frozen=True)
class Costs:
    """What the same requests cost in the arm and in its rival, in order of their creation.

    Args:
        use: [N] of the arm, without models.
        model: [N] of the arm: models fetched for this request.
        rival: [N] of the rival, everything.
        created_s: [N].
        holder: [N] int: who consumes.
        first: [N] bool: this holder fetches this kind of model for the first time, which happens only once.
        upfront: cost of models that the holders were given before the first request.
    """

    use: NDArray[np.int64]
    model: NDArray[np.int64]
    rival: NDArray[np.int64]
    created_s: NDArray[np.float64]
    holder: NDArray[np.int64]
    first: NDArray[np.bool_]
    upfront: int = 0

    @property
    def excess(self) -> NDArray[np.int64]:
        """[N] how much more than the rival the arm has cost up to and including this request."""
        return self.upfront + np.cumsum(self.use + self.model - self.rival)


@dataclass(frozen=True)
class BreakEven:
    """The answer for one arm, rival and source type; None stands for "no such number".

    Args:
        n_star: closed form M/(J − c), uses of one holder after one fetch; None: never, as J ≤ c.
        n_star_low, n_star_high: 95 % bootstrap interval; None: without bound.
        crossing_request: from this request on (1-based, in order of creation) the arm's sum stays below the
            rival's.
        expected_request: where the crossing is to be expected if requests go on saving what those of the run's
            second half did, first fetches left out. If they save nothing, the verdict is "never".
        holders, holders_crossed: consumers, and those whose own requests have paid for their own fetches.
        holder_median_request: own request at which the median holder had; None: it hasn't yet.
    """

    requests: int
    rival_mean: float
    use_mean: float
    model_mean: float | None
    fetches: int
    p_miss: float
    p_miss_limit: float | None
    n_star: float | None
    n_star_low: float | None
    n_star_high: float | None
    upfront: int
    verdict: Verdict
    crossing_request: int | None
    crossing_s: float | None
    expected_request: int | None
    holders: int
    holders_crossed: int
    holder_median_request: float | None


def break_even(costs: Costs, *, seed: int) -> BreakEven | None:
    """Closed form and measured crossing; None if there was no request.

    Args:
        costs: see :class:`Costs`.
        seed: of the bootstrap; one seed resamples every comparison of equal length alike.
    """
    n = len(costs.use)
    if n == 0:
        return None
    j, c = float(costs.rival.mean()), float(costs.use.mean())
    holders = len(np.unique(costs.holder))
    fetched = costs.model > 0
    fetches = int(fetched.sum())
    if fetches:
        m: float | None = float(costs.model.sum()) / fetches
    else:
        m = costs.upfront / holders if costs.upfront else None
    n_star = uses_to_pay(m or 0.0, j, c)
    low, high = _n_star_interval(costs, m, fetches, seed) if m is not None else (None, None)
    verdict, crossing, expected = _crossing(costs)
    paid = _holder_crossings(costs, upfront_each=costs.upfront // holders)
    median = float(np.median(paid))
    return BreakEven(
        requests=n,
        rival_mean=j,
        use_mean=c,
        model_mean=m,
        fetches=fetches,
        p_miss=fetches / n,
        p_miss_limit=(j - c) / m if m else None,
        n_star=n_star,
        n_star_low=low,
        n_star_high=high,
        upfront=costs.upfront,
        verdict=verdict,
        crossing_request=crossing,
        crossing_s=None if crossing is None else float(costs.created_s[crossing - 1]),
        expected_request=expected,
        holders=holders,
        holders_crossed=int(np.isfinite(paid).sum()),
        holder_median_request=median if math.isfinite(median) else None,
    )


def uses_to_pay(model_byte: float, rival_byte: float, code_byte: float) -> float | None:
    """n* = M/(J − c): uses of one holder after which one fetch has paid for itself; None: never, as J ≤ c."""
    return model_byte / (rival_byte - code_byte) if rival_byte > code_byte else None


def _crossing(costs: Costs) -> tuple[Verdict, int | None, int | None]:
    """Verdict, crossing and expected crossing, from the sums as measured."""
    excess = costs.excess
    n = len(excess)
    if excess[-1] < 0:
        not_yet = np.flatnonzero(excess >= 0)
        return "crossed", int(not_yet[-1]) + 2 if len(not_yet) else 1, None
    half = slice(n // 2, n)
    again = np.where(costs.first, 0, costs.model)
    saving = float((costs.rival - costs.use - again)[half].mean())
    if saving <= 0:
        return "never", None, None
    return "beyond_run", None, n + math.floor(float(excess[-1]) / saving) + 1


def _holder_crossings(costs: Costs, *, upfront_each: int) -> NDArray[np.float64]:
    """[K] own request from which each holder's own sum stays below the rival's; inf where it doesn't yet."""
    order = np.argsort(costs.holder, kind="stable")
    step = (costs.use + costs.model - costs.rival)[order]
    _, starts, sizes = np.unique(costs.holder[order], return_index=True, return_counts=True)
    total = np.cumsum(step)
    before = np.repeat(total[starts] - step[starts], sizes)
    rank = np.arange(len(step)) - np.repeat(starts, sizes) + 1
    not_yet = np.where(total - before + upfront_each >= 0, rank, 0)
    last = np.maximum.reduceat(not_yet, starts)
    return np.where(last < sizes, last + 1.0, np.inf)


def _n_star_interval(costs: Costs, m: float, fetches: int, seed: int) -> tuple[float | None, float | None]:
    """Percentile interval of M/(J − c) over resampled blocks of consecutive requests; none of too few."""
    n = len(costs.use)
    if n < LEAST_UNITS:
        return None, None
    starts = np.linspace(0, n, min(n, MAX_BLOCKS) + 1).astype(int)[:-1]
    facts = np.stack([costs.rival - costs.use, costs.model, (costs.model > 0).astype(np.int64), np.ones(n, np.int64)])
    blocks = np.add.reduceat(facts, starts, axis=1)
    saved, model, fetch, count = (_weights(seed, len(starts)) @ blocks.T).T.astype(float)
    saving = saved / count
    per_fetch = np.where(fetch > 0, model / np.maximum(fetch, 1), np.nan) if fetches else np.full(N_RESAMPLES, m)
    with np.errstate(divide="ignore"):
        found = np.where(saving > 0, per_fetch / np.where(saving > 0, saving, 1.0), np.inf)
    found = np.sort(found[~np.isnan(found)])
    low, high = found[int(0.025 * len(found))], found[min(len(found) - 1, int(0.975 * len(found)))]
    return _finite(low), _finite(high)


@lru_cache(maxsize=8)
def _weights(seed: int, n_blocks: int) -> NDArray[np.int64]:
    """[R, n_blocks] how often each block stands in each resample."""
    rng = generator(seed, "report", "break_even", n_blocks)
    return rng.multinomial(n_blocks, np.full(n_blocks, 1 / n_blocks), size=N_RESAMPLES)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
