"""Routes by expected airtime."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from simnet.net.errors import NoRoute

REFERENCE_BYTE = 1024
"""Size of the payload whose expected airtime is a link's length."""


class Link(Protocol):
    """What routing and planning need of a link."""

    def other(self, node: str) -> str: ...

    def expected_airtime_s(self, n_byte: int, sender: str) -> float: ...

    def expected_energy_j(self, n_byte: int, sender: str) -> float: ...


L = TypeVar("L", bound=Link)


class Routes(Generic[L]):
    """Shortest paths from each node, found when first asked for (Dijkstra, one run per origin).

    Args:
        links_of: node -> its links, in a fixed order: of equal routes the one found first wins.
    """

    def __init__(self, links_of: Mapping[str, Sequence[L]]) -> None:
        self.links_of = links_of
        self._trees: dict[str, tuple[dict[str, float], dict[str, L]]] = {}
        self._paths: dict[tuple[str, str], tuple[L, ...]] = {}

    def path(self, origin: str, target: str) -> tuple[L, ...]:
        """Links from one node to another, in order; () if they are the same.

        Raises:
            NoRoute: nothing connects them.
        """
        key = (origin, target)
        if key not in self._paths:
            arrived_by = self._tree(origin)[1]
            links: list[L] = []
            node = target
            while node != origin:
                if node not in arrived_by:
                    raise NoRoute(f"{origin} to {target}")
                links.append(arrived_by[node])
                node = arrived_by[node].other(node)
            self._paths[key] = tuple(reversed(links))
        return self._paths[key]

    def distance_s(self, origin: str, target: str) -> float:
        """Expected airtime of a reference payload; inf if nothing connects them."""
        return self._tree(origin)[0].get(target, math.inf)

    def cost(self, origin: str, target: str, n_byte: int, kind: str) -> float:
        """What sending a payload is expected to cost: ``bytes`` end to end, ``airtime`` s or ``energy`` J."""
        if kind == "bytes":
            return float(n_byte)
        measure: Callable[[L, str], float] = (
            (lambda link, sender: link.expected_airtime_s(n_byte, sender))
            if kind == "airtime"
            else (lambda link, sender: link.expected_energy_j(n_byte, sender))
        )
        total, node = 0.0, origin
        for link in self.path(origin, target):
            total += measure(link, node)
            node = link.other(node)
        return total

    def _tree(self, origin: str) -> tuple[dict[str, float], dict[str, L]]:
        """(node -> distance, node -> the link by which the shortest path reaches it)."""
        if origin in self._trees:
            return self._trees[origin]
        distance = {origin: 0.0}
        arrived_by: dict[str, L] = {}
        heap: list[tuple[float, int, str]] = [(0.0, 0, origin)]
        order, done = 0, set()
        while heap:
            here, _, node = heapq.heappop(heap)
            if node in done:
                continue
            done.add(node)
            for link in self.links_of[node]:
                there, length = link.other(node), here + link.expected_airtime_s(REFERENCE_BYTE, node)
                if length < distance.get(there, math.inf):
                    order += 1
                    distance[there], arrived_by[there] = length, link
                    heapq.heappush(heap, (length, order, there))
        self._trees[origin] = (distance, arrived_by)
        return self._trees[origin]
