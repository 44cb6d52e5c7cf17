"""What happened when and where, in words: the trace that ``hello.yaml`` teaches with."""

from __future__ import annotations

from typing import NamedTuple


class Event(NamedTuple):
    """One line of the timeline."""

    time_s: float
    node: str
    text: str


class Timeline:
    """Collects events if wanted; asking for them changes nothing else. Words are made when they are read."""

    def __init__(self, wanted: bool) -> None:
        self.wanted = wanted
        self._notes: list[tuple[float, str, str, tuple[object, ...]]] = []

    def add(self, time_s: float, node: str, text: str, *facts: object) -> None:
        """Note what happened; ``text`` has a {} for each fact."""
        if self.wanted:
            self._notes.append((time_s, node, text, facts))

    @property
    def events(self) -> list[Event]:
        """All that was noted, in order."""
        return [Event(time_s, node, text.format(*facts)) for time_s, node, text, facts in self._notes]
