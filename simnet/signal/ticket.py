"""Tickets: promises of results, so that tensor work can wait until a batch is worth running or somebody must know."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

T = TypeVar("T")
_WAITING = object()


class Ticket(Generic[T]):
    """A result to come. Its inputs are frozen in ``key`` when it is submitted."""

    __slots__ = ("key", "queue", "value")

    def __init__(self, queue: TicketQueue[T], key: Hashable) -> None:
        self.queue = queue
        self.key = key
        self.value: Any = _WAITING

    @property
    def done(self) -> bool:
        return self.value is not _WAITING


class TicketQueue(Generic[T]):
    """Tickets of one kind of work. The same work is done once.

    Args:
        work: inputs of waiting tickets, in the order of submission -> their results.
        limit: waiting tickets at which the work is done; None: only when a result is asked for.
    """

    def __init__(self, work: Callable[[list[Any]], list[T]], limit: int | None = None) -> None:
        self._work = work
        self._limit = limit
        self._known: dict[Hashable, Ticket[T]] = {}
        self._waiting: list[tuple[Ticket[T], Any]] = []
        self.submitted = 0
        self.worked = 0

    def submit(self, key: Hashable, inputs: Any) -> Ticket[T]:
        """A ticket for this work: the one given before, if the key was seen already."""
        self.submitted += 1
        ticket = self._known.get(key)
        if ticket is None:
            ticket = self._known[key] = Ticket(self, key)
            self._waiting.append((ticket, inputs))
            if self._limit is not None and len(self._waiting) >= self._limit:
                self.run()
        return ticket

    def result(self, ticket: Ticket[T]) -> T:
        """The ticket's result; if it isn't there yet, all that waits is worked off."""
        if not ticket.done:
            self.run()
        return ticket.value  # type: ignore[no-any-return]

    def run(self) -> None:
        """Work off all that waits."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        self.worked += len(waiting)
        for (ticket, _), value in zip(waiting, self._work([inputs for _, inputs in waiting]), strict=True):
            ticket.value = value

    def forget(self, ticket: Ticket[T]) -> None:
        """Let go of a result that nobody will ask for again under this key."""
        self._known.pop(ticket.key, None)
