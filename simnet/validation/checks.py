"""Every check that ``simnet validate`` knows, and how their findings become rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from simnet.core.errors import UnknownName
from simnet.validation import distribution, draws, queues, radio, requests, stores
from simnet.validation.bench import Bench
from simnet.validation.finding import Finding, Verdict

FAMILY_ERROR = 1e-3
"""Probability that, of all comparisons of all checks, chance alone makes one or more fail."""


@dataclass(frozen=True)
class Check:
    """One simulation, or a few, and what theory says of them.

    Args:
        n_finding: how many comparisons it makes: all checks share :data:`FAMILY_ERROR`.
    """

    n_finding: int
    run: Callable[[Bench], Sequence[Finding]]


CHECKS: dict[str, Check] = {
    "lru": Check(4, stores.lru),
    "fifo": Check(2, stores.fifo),
    "lfu": Check(2, stores.lfu),
    "ttl": Check(2, stores.ttl),
    "mm1": Check(2, queues.mm1),
    "md1": Check(2, queues.md1),
    "priority": Check(2, queues.priority),
    "erlang_b": Check(1, queues.erlang_b),
    "erlang_c": Check(2, queues.erlang_c),
    "little": Check(1, requests.little),
    "distribution": Check(3, distribution.distribution),
    "arq": Check(2, radio.arq),
    "ber": Check(2, radio.ber),
    "bler": Check(1, radio.bler),
    "noise": Check(3, radio.noise),
    "streams": Check(4, draws.named_draws),
}


@dataclass(frozen=True)
class Row:
    """One comparison, flat.

    Args:
        simulated: estimate; None if the run was too short for one, as ``half_width``.
        half_width: of its interval, at the level that all comparisons share.
        n: independent values behind it: batches, replications or trials.
        theory_low, theory_high: the values that theory allows; None: no bound on that side.
        theory, interval: the same as text.
    """

    check: str
    quantity: str
    simulated: float | None
    half_width: float | None
    n: int
    theory_low: float | None
    theory_high: float | None
    interval: str
    theory: str
    verdict: Verdict
    source: str


def confidence() -> float:
    """Of each comparison's interval: Bonferroni's correction of :data:`FAMILY_ERROR`, whichever checks are run."""
    return 1 - FAMILY_ERROR / sum(check.n_finding for check in CHECKS.values())


def validate(
    names: Sequence[str] = (), *, seed: int = 1, long: bool = False, tell: Callable[[str], None] = lambda name: None
) -> Iterator[Row]:
    """Run checks, one after the other.

    Args:
        names: of :data:`CHECKS`, in any order; none: all.
        seed: every draw is a function of it.
        long: minutes instead of seconds.
        tell: called with the name of each check before it is run.

    Raises:
        UnknownName: no such check.
    """
    for name in names:
        if name not in CHECKS:
            raise UnknownName("check", name, CHECKS)
    return _rows([name for name in CHECKS if not names or name in names], Bench(seed, long, confidence()), tell)


def _rows(names: Sequence[str], bench: Bench, tell: Callable[[str], None]) -> Iterator[Row]:
    for name in names:
        tell(name)
        check = CHECKS[name]
        found = check.run(bench)
        if len(found) != check.n_finding:
            raise AssertionError(f"check {name} made {len(found)} comparisons; it announced {check.n_finding}")
        yield from (_row(name, finding) for finding in found)


def _row(name: str, finding: Finding) -> Row:
    simulated, theory = finding.simulated, finding.theory
    low, high = (None if abs(end) == float("inf") else end for end in (theory.low, theory.high))
    return Row(
        name,
        finding.quantity,
        simulated.value,
        simulated.half_width,
        simulated.n,
        low,
        high,
        f"{simulated.value:,.6g} (n = {simulated.n})" if simulated.half_width == 0 else str(simulated),
        str(theory),
        finding.verdict,
        theory.source,
    )
