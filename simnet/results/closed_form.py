"""Break-even in closed form (DESIGN §1): when a model has paid for its journey, and how long to keep it for that."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simnet.core.terms import TtlFrom
from simnet.report.breakeven import uses_to_pay
from simnet.report.wording import number
from simnet.results.errors import ResultsError
from simnet.statistics.ratio import ratio_of_means


@dataclass(frozen=True)
class BreakEven:
    """J, c, M: mean wire bytes of a rival's delivery, of a code, of a model, all overheads included.

    Args:
        n_star: M/(J − c), uses of one holder after one fetch; None: never, as J ≤ c.
        low, high: 95 % interval (Fieller) over replications; None: there is none (fewer than two, or never);
            ±inf: without bound.
        n: replications; 1 for single numbers.
        p_miss_limit: (J − c)/M; models win iff a smaller share of requests must fetch. ≤ 0: never; None: M = 0, and the
            share doesn't matter: always, or never if ``n_star`` is None.
    """

    n_star: float | None
    low: float | None
    high: float | None
    n: int
    p_miss_limit: float | None

    def __str__(self) -> str:
        """``12.5 uses``, with its interval if there is one, or ``never``."""
        if self.n_star is None:
            return "never"
        if self.low is None or self.high is None:
            return f"{number(self.n_star)} uses"
        return f"{number(self.n_star)} uses ({_end(self.low)}–{_end(self.high)}, n = {self.n})"

    def least_ttl_s(self, rate_per_s: float, ttl_from: TtlFrom) -> float:
        """The time to live from which models win, if one holder asks at this Poisson rate.

        Args:
            rate_per_s: requests of one holder for this model, > 0.
            ttl_from: ``from_fetch`` or ``renewed_on_use``.

        Returns:
            Seconds, with p = ``p_miss_limit``: (1/p − 1)/λ from the fetch, −ln(p)/λ renewed on use; 0: always;
            inf: never.
        """
        _check("least_ttl_s", rate_per_s, ttl_from)
        p = self.p_miss_limit
        if self.n_star is None:
            return math.inf
        if p is None or p >= 1:
            return 0.0
        return (1 / p - 1) / rate_per_s if ttl_from == "from_fetch" else -math.log(p) / rate_per_s


def break_even(model_byte: ArrayLike, rival_byte: ArrayLike, code_byte: ArrayLike) -> BreakEven:
    """n* = M/(J − c) and the miss ratio below which models win.

    Args:
        model_byte: M, one number or [n] one per replication, ≥ 0; likewise for the others, in the same order.
        rival_byte: J.
        code_byte: c.

    Raises:
        ResultsError: different lengths, or what is no finite number ≥ 0.
    """
    names = ("model_byte", "rival_byte", "code_byte")
    parts = [_numbers(name, part) for name, part in zip(names, (model_byte, rival_byte, code_byte), strict=True)]
    if len({len(part) for part in parts}) > 1:
        got = ", ".join(f"{len(part)} of {name}" for name, part in zip(names, parts, strict=True))
        raise ResultsError(f"break_even: got {got}; allowed one number each, or as many, replication by replication")
    m, j, c = (float(part.mean()) for part in parts)
    n_star = uses_to_pay(m, j, c)
    low: float | None = None
    high: float | None = None
    if n_star is not None:
        found = ratio_of_means(parts[0], parts[1] - parts[2])
        low, high = found.low, found.high
    return BreakEven(n_star, low, high, len(parts[0]), (j - c) / m if m else None)


def miss_ratio(rate_per_s: float, ttl_s: float | None, ttl_from: TtlFrom) -> float:
    """Share of one holder's requests at which the model has expired, at Poisson rate λ and in the long run.

    1/(1 + λT) if the time to live T counts from the fetch, e^(−λT) if each use renews it.

    Args:
        rate_per_s: requests of one holder for this model, > 0.
        ttl_s: T ≥ 0; None: for ever.
        ttl_from: ``from_fetch`` or ``renewed_on_use``.

    Raises:
        ResultsError: a rate that is not above 0, a negative time to live, another ``ttl_from``.
    """
    _check("miss_ratio", rate_per_s, ttl_from)
    if ttl_s is None:
        return 0.0
    if not ttl_s >= 0:
        raise ResultsError(f"miss_ratio: got ttl_s {ttl_s}; allowed ≥ 0, or None for ever")
    load = rate_per_s * ttl_s
    return 1 / (1 + load) if ttl_from == "from_fetch" else math.exp(-load)


def _end(bound: float) -> str:
    return number(bound) if math.isfinite(bound) else "∞" if bound > 0 else "−∞"


def _numbers(name: str, got: ArrayLike) -> NDArray[np.float64]:
    """[n] finite, ≥ 0."""
    allowed = "allowed a finite number ≥ 0, or a list of them, replication by replication"
    try:
        part = np.atleast_1d(np.asarray(got, float))
    except (TypeError, ValueError):
        raise ResultsError(f"break_even: got {name} {got!r}; {allowed}") from None
    if part.ndim != 1 or len(part) == 0:
        raise ResultsError(f"break_even: got {name} of shape {part.shape}; {allowed}")
    if len(wrong := part[~(np.isfinite(part) & (part >= 0))]):
        raise ResultsError(f"break_even: got {name} {wrong[0]:g}; {allowed}")
    return part


def _check(what: str, rate_per_s: float, ttl_from: str) -> None:
    if not rate_per_s > 0:
        raise ResultsError(f"{what}: got rate_per_s {rate_per_s}; allowed > 0")
    if ttl_from not in ("from_fetch", "renewed_on_use"):
        raise ResultsError(f"{what}: got ttl_from {ttl_from!r}; allowed 'from_fetch' or 'renewed_on_use'")
