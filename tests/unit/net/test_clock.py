"""The clock moves on by itself only where SimPy's events would have done the same: an exact timeline says so."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st

from simnet.net.clock import Clock

Log = list[tuple[float, str]]
Process = Generator[simpy.Event, Any, None]


def walker(clock: Clock, name: str, delays_s: list[float], log: Log, shortcut: bool) -> Process:
    for delay_s in delays_s:
        if not (shortcut and clock.advance(delay_s)):
            yield clock.timeout(delay_s)
        log.append((clock.now, name))


def timeline(walks: list[list[float]], *, shortcut: bool, until_s: float | None = None) -> tuple[Log, float, int]:
    """What happened when, the time at the end, and how many events that took."""
    clock, log = Clock(), Log()
    for index, delays_s in enumerate(walks):
        clock.process(walker(clock, str(index), delays_s, log, shortcut))
    step, n_event = clock.step, 0

    def counted() -> None:
        nonlocal n_event
        n_event += 1
        step()

    clock.step = counted  # type: ignore[method-assign]
    clock.run(until=until_s)
    return log, clock.now, n_event


def test_alone_it_needs_no_events() -> None:
    walk = [[0.5] * 100]
    (log, now_s, few), (expected, end_s, many) = timeline(walk, shortcut=True), timeline(walk, shortcut=False)
    assert log == expected and now_s == end_s == 50.0
    assert many - few == 100


@given(
    walks=st.lists(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0, 1.75]), max_size=8), max_size=5),
    until_s=st.sampled_from([None, 0.6, 1.0, 3.0]),
)
def test_the_order_of_all_things_stays(walks: list[list[float]], until_s: float | None) -> None:
    """Ties included."""
    shortcut, plain = (timeline(walks, shortcut=s, until_s=until_s) for s in (True, False))
    assert shortcut[0] == plain[0]
    if until_s is not None:
        assert shortcut[1] == plain[1] == until_s


def test_it_waits_for_others_who_are_woken_by_the_same_event() -> None:
    clock, log = Clock(), Log()
    bell = clock.timeout(1.0)

    def sleeper(name: str) -> Process:
        yield bell
        advanced = clock.advance(1.0)
        log.append((clock.now, f"{name} {advanced}"))

    for name in ("a", "b"):
        clock.process(sleeper(name))
    clock.run()
    assert log == [(1.0, "a False"), (1.0, "b False")]


def test_a_started_process_runs_at_once_and_hears_of_values_and_failures() -> None:
    clock, log = Clock(), Log()
    bell, crash, over = clock.event(), clock.event(), clock.event()
    over.succeed("over")

    def process() -> Process:
        log.append((clock.now, "begun"))
        for event in (over, over, bell):  # the second time it has happened already
            value = yield event
            log.append((clock.now, value))
        with pytest.raises(ValueError, match="crash"):
            yield crash
        log.append((clock.now, "caught"))

    clock.start(process())
    assert log == [(0.0, "begun")]
    clock.run(until=2.0)
    bell.succeed("rung")
    clock.run(until=3.0)
    crash.fail(ValueError("crash"))
    clock.run()
    assert log == [(0.0, "begun"), (0.0, "over"), (0.0, "over"), (2.0, "rung"), (3.0, "caught")]


def test_a_failure_that_nobody_hears_of_is_raised() -> None:
    clock = Clock()
    clock.event().fail(ValueError("unheard"))
    with pytest.raises(ValueError, match="unheard"):
        clock.run()
