"""Simulated time: SimPy's environment, and two ways to do without events where nothing could come between."""

from __future__ import annotations

import math
from collections.abc import Generator
from heapq import heappop, heappush
from typing import Any

import simpy
from simpy.core import EmptySchedule
from simpy.events import NORMAL, EventPriority


class Clock(simpy.Environment):
    """An environment whose processes may move time on by themselves.

    A hop over an idle wire is over at a known time. If nothing else is due until then, waiting for it by an event
    changes nothing but the speed: :meth:`advance` sets the time instead. The order of all that happens stays the same.
    """

    now: float = 0.0  # SimPy's is a property: every hop reads it, and may set it
    """Simulated time, s."""
    free_until_s: float = -math.inf
    """Whoever runs now, in a process and with nothing left to do at the present time, may set ``now`` to any earlier
    time: nothing else happens until then. −∞ where others are woken by the same event."""

    def timeout(self, delay_s: float = 0.0, value: object = None) -> simpy.Event:  # type: ignore[override]
        if delay_s < 0.0:
            raise ValueError(f"delay_s: got {delay_s}; allowed: >= 0")
        alarm = self.alarm(self.now + delay_s)
        if value is not None:
            alarm._value = value
        return alarm

    def alarm(self, time_s: float) -> simpy.Event:
        """What happens at this time, exactly, and is to be waited for; not before now."""
        alarm = _Alarm.__new__(_Alarm)
        alarm.env, alarm.callbacks = self, []
        heappush(self._queue, (time_s, NORMAL, next(self._eid), alarm))
        if time_s < self.free_until_s:
            self.free_until_s = time_s
        return alarm

    def schedule(self, event: simpy.Event, priority: EventPriority = NORMAL, delay: float = 0.0) -> None:
        time_s = self.now + delay
        heappush(self._queue, (time_s, priority, next(self._eid), event))
        if time_s < self.free_until_s:
            self.free_until_s = time_s

    def step(self) -> None:
        """Process the next event: SimPy's own step, which also notes until when its one callback is alone."""
        queue = self._queue
        try:
            self.now, _, _, event = heappop(queue)
        except IndexError:
            raise EmptySchedule from None
        callbacks, event.callbacks = event.callbacks, None  # type: ignore[assignment]
        if len(callbacks) == 1:
            self.free_until_s = queue[0][0] if queue else math.inf
            callbacks[0](event)
        else:
            self.free_until_s = -math.inf
            for callback in callbacks:
                callback(event)
        if not event._ok and not hasattr(event, "_defused"):
            raise event._value

    def advance(self, delay_s: float) -> bool:
        """Move time on if nothing else happens until then, and say whether. If not, wait: ``yield timeout(delay_s)``.

        Only for what runs in a process, with nothing left to do at the present time.
        """
        due_s = self.now + delay_s
        if due_s >= self.free_until_s:
            return False
        self.now = due_s
        return True

    def start(self, process: Generator[simpy.Event, Any, Any]) -> None:
        """Run a process, beginning at once, for whose end nobody waits: without the events of SimPy's own."""
        _Started(process).resume(None)


class _Alarm(simpy.Event):
    """SimPy's timeout, made in a third of its time."""

    _ok = True
    _value = None


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
            if target.callbacks is not None:
                target.callbacks.append(self.resume)
                return
            event = target  # type: ignore[unreachable]  # it has happened already
