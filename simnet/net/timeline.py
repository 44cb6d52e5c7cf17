"""What happened when and where, in words: the trace that ``hello.yaml`` teaches with."""

from __future__ import annotations

from typing import NamedTuple


class Event(NamedTuple):
    """One line of the timeline."""

    time_s: float
    node: str
    text: str


class Timeline:
    """Collects events if wanted; asking for them changes nothing else."""

    def __init__(self, wanted: bool) -> None:
        self.wanted = wanted
        self.events: list[Event] = []

    def add(self, time_s: float, node: str, text: str) -> None:
        if self.wanted:
            self.events.append(Event(time_s, node, text))
