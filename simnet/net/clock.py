"""Simulated time: SimPy's environment, and two ways to do without events where nothing could come between."""

from __future__ import annotations

from collections.abc import Generator
from heapq import heappop, heappush
from operator import attrgetter
from typing import Any

import simpy
from simpy.core import EmptySchedule
from simpy.events import NORMAL


class Clock(simpy.Environment):
    """An environment whose processes may move time on by themselves.

    A hop over an idle wire is over at a known time. If nothing else is due until then, waiting for it by an event
    changes nothing but the speed: :meth:`advance` sets the time instead. The order of all that happens stays the same.
    """

    now: float = property(attrgetter("_now"))  # type: ignore[assignment]
    """Simulated time, s; read by every hop, so without a call in Python."""

    def __init__(self) -> None:
        super().__init__()
        self._alone = False
        """Whether the event that is being processed has one callback only, so that nobody else is at this time."""

    def timeout(self, delay_s: float = 0.0, value: object = None) -> simpy.Timeout:
        """SimPy's own, made in half its time."""
        if delay_s < 0.0:
            raise ValueError(f"delay_s: got {delay_s}; allowed: >= 0")
        event = simpy.Timeout.__new__(simpy.Timeout)
        event.env, event.callbacks, event._value, event._ok, event._delay = self, [], value, True, delay_s
        heappush(self._queue, (self._now + delay_s, NORMAL, next(self._eid), event))
        return event

    def step(self) -> None:
        """Process the next event: SimPy's own step, which also notes who is alone."""
        try:
            self._now, _, _, event = heappop(self._queue)
        except IndexError:
            raise EmptySchedule from None
        callbacks, event.callbacks = event.callbacks, None  # type: ignore[assignment]
        self._alone = len(callbacks) == 1
        for callback in callbacks:
            callback(event)
        if not event._ok and not hasattr(event, "_defused"):
            raise event._value

    def advance(self, delay_s: float) -> bool:
        """Move time on if nothing else happens until then, and say whether. If not, wait: ``yield timeout(delay_s)``.

        Only for what runs in a process, with nothing left to do at the present time.
        """
        due_s = self._now + delay_s
        if not self._alone or (self._queue and self._queue[0][0] <= due_s):
            return False
        self._now = due_s
        return True

    def start(self, process: Generator[simpy.Event, Any, Any]) -> None:
        """Run a process, beginning at once, for whose end nobody waits: without the events of SimPy's own."""
        _Started(process).resume(None)


class _Started:
    """What keeps a started process going: the callback of whatever it waits for."""

    __slots__ = ("_process",)

    def __init__(self, process: Generator[simpy.Event, Any, Any]) -> None:
        self._process = process

    def resume(self, event: simpy.Event | None) -> None:
        while True:
            try:
                if event is None:
                    target = next(self._process)
                elif event._ok:
                    target = self._process.send(event._value)
                else:
                    event._defused = True
                    target = self._process.throw(event._value)
            except StopIteration:
                return
            if not target.processed:
                target.callbacks.append(self.resume)
                return
            event = target  # it has happened already
