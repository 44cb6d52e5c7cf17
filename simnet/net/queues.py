"""Who gets a carrier's next grant: the schedulers ``fifo``, ``round_robin`` and ``priority``."""

from __future__ import annotations

import heapq
from abc import ABC, abstractmethod
from collections import deque
from itertools import takewhile
from typing import Any, Generic, Protocol, TypeVar


class Waiting(Protocol):
    """What a scheduler must know of a transfer."""

    @property
    def flow(self) -> str: ...

    @property
    def urgency(self) -> int: ...

    @property
    def order(self) -> int: ...


T = TypeVar("T", bound=Waiting)


class Queue(ABC, Generic[T]):
    """Transfers that wait for a carrier."""

    @abstractmethod
    def push(self, transfer: T) -> None:
        """A new transfer queues."""

    @abstractmethod
    def push_again(self, transfer: T) -> None:
        """A transfer that has just had its grant and isn't done queues again."""

    @abstractmethod
    def rejoin(self, transfer: T) -> None:
        """A transfer that had its grant earlier and has stayed away since queues again."""

    @abstractmethod
    def pop(self) -> T:
        """The transfer to serve next."""

    @abstractmethod
    def __len__(self) -> int: ...


class Fifo(Queue[T]):
    """First in, first out; a transfer keeps the carrier, burst after burst, until it is done."""

    def __init__(self) -> None:
        self._waiting: deque[T] = deque()

    def push(self, transfer: T) -> None:
        self._waiting.append(transfer)

    def push_again(self, transfer: T) -> None:
        self._waiting.appendleft(transfer)

    def rejoin(self, transfer: T) -> None:
        _insert(self._waiting, transfer)

    def pop(self) -> T:
        return self._waiting.popleft()

    def __len__(self) -> int:
        return len(self._waiting)


class RoundRobin(Queue[T]):
    """One burst for each flow (sender and receiver) in turn; first in, first out within a flow."""

    def __init__(self) -> None:
        self._flows: dict[str, deque[T]] = {}
        """In the order of their turns."""
        self._served = ""
        self._size = 0

    def push(self, transfer: T) -> None:
        self._flows.setdefault(transfer.flow, deque()).append(transfer)
        self._size += 1

    def push_again(self, transfer: T) -> None:
        self._flows.setdefault(transfer.flow, deque()).appendleft(transfer)
        self._size += 1

    def rejoin(self, transfer: T) -> None:
        _insert(self._flows.setdefault(transfer.flow, deque()), transfer)
        self._size += 1

    def pop(self) -> T:
        if self._served in self._flows:
            self._flows[self._served] = self._flows.pop(self._served)  # behind all that came during its turn
        self._served, waiting = next(iter(self._flows.items()))
        transfer = waiting.popleft()
        if not waiting:
            del self._flows[self._served]
        self._size -= 1
        return transfer

    def __len__(self) -> int:
        return self._size


class Priority(Queue[T]):
    """The most urgent first (control, code, enhancement, model), between bursts; of equals the one that came first."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, T]] = []

    def push(self, transfer: T) -> None:
        heapq.heappush(self._heap, (transfer.urgency, transfer.order, transfer))

    def push_again(self, transfer: T) -> None:
        self.push(transfer)

    def rejoin(self, transfer: T) -> None:
        self.push(transfer)

    def pop(self) -> T:
        return heapq.heappop(self._heap)[2]

    def __len__(self) -> int:
        return len(self._heap)


def _insert(waiting: deque[T], transfer: T) -> None:
    """Before all that came later."""
    earlier = sum(1 for _ in takewhile(lambda other: other.order < transfer.order, waiting))
    waiting.insert(earlier, transfer)


SCHEDULERS: dict[str, type[Queue[Any]]] = {"fifo": Fifo, "round_robin": RoundRobin, "priority": Priority}
