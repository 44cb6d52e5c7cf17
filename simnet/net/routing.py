"""Routes by expected airtime, as it usually is: they stay, whenever somebody first asks for them."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from simnet.net.errors import NoRoute

REFERENCE_BYTE = 1024
"""Size of the payload whose usual airtime is a link's length; infinite where next to nothing arrives."""

MOST_ASKED = 1 << 14
"""Routes that are kept as they are asked for."""


class Link(Protocol):
    """What routing and planning need of a link."""

    def other(self, node: str) -> str: ...

    def expected_airtime_s(self, n_byte: int, sender: str) -> float: ...

    def usual_airtime_s(self, n_byte: int, sender: str) -> float: ...

    def expected_energy_j(self, n_byte: int, sender: str) -> float: ...


L = TypeVar("L", bound=Link)


class Routes(Generic[L]):
    """Shortest paths, found when first asked for (Dijkstra, one run per origin).

    A node with one link, such as a device at its gateway, lies on nobody's way: routes from and to it are those of its
    neighbour and that link. So a run goes through the inner nodes only, and is kept once for all devices of a gateway.

    Args:
        links_of: node -> its links, in a fixed order: of equal routes the one found first wins.
    """

    def __init__(self, links_of: Mapping[str, Sequence[L]]) -> None:
        self.links_of = links_of
        self._trees: dict[str, tuple[dict[str, float], dict[str, L]]] = {}
        self._paths: dict[tuple[str, str], tuple[L, ...]] = {}
        self._asked: dict[tuple[str, str], tuple[L, ...]] = {}
        """Between any nodes; forgotten when they become too many: devices with the inner nodes in between."""
        self._leaves: dict[str, tuple[L, str]] = {}
        """Node with one link -> that link, and the inner node at its other end."""
        for node, links in links_of.items():
            if len(links) == 1 and len(links_of[links[0].other(node)]) > 1:
                self._leaves[node] = links[0], links[0].other(node)
        self._inner: dict[str, list[L]] = {}
        self._reaches: dict[str, tuple[str, float, float]] = {}
        """See :meth:`reach`: asked for each holder of a slice whenever the nearest is wanted."""

    def path(self, origin: str, target: str) -> tuple[L, ...]:
        """Links from one node to another, in order; () if they are the same.

        Raises:
            NoRoute: nothing connects them.
        """
        path = self._asked.get((origin, target))
        if path is None:
            if len(self._asked) >= MOST_ASKED:
                self._asked.clear()
            path = self._asked[origin, target] = self._path(origin, target)
        return path

    def _path(self, origin: str, target: str) -> tuple[L, ...]:
        if origin == target:
            return ()
        first, inner_origin = self._leaves.get(origin, (None, origin))
        last, inner_target = self._leaves.get(target, (None, target))
        path = self._paths.get((inner_origin, inner_target))
        if path is None:
            path = self._inner_path(inner_origin, inner_target)
            if path is None:
                raise NoRoute(f"{origin} to {target}")
        if first is not None:
            path = (first, *path)
        return path if last is None else (*path, last)

    def distance_s(self, origin: str, target: str) -> float:
        """Usual airtime of a reference payload; inf if nothing connects them, or nothing arrives."""
        if origin == target:
            return 0.0
        inner_origin, first_s, _ = self.reach(origin)
        inner_target, _, last_s = self.reach(target)
        return self._tree(inner_origin)[0].get(inner_target, math.inf) + first_s + last_s

    def reach(self, node: str) -> tuple[str, float, float]:
        """The inner node by which a node is reached, itself if it is one; how far that is from the node, and to it."""
        reach = self._reaches.get(node)
        if reach is None:
            link, inner = self._leaves.get(node, (None, node))
            ways_s = [0.0 if link is None else link.usual_airtime_s(REFERENCE_BYTE, end) for end in (node, inner)]
            reach = self._reaches[node] = inner, ways_s[0], ways_s[1]
        return reach

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

    def _inner_path(self, origin: str, target: str) -> tuple[L, ...] | None:
        """Found, and kept; None if there is none."""
        arrived_by = self._tree(origin)[1]
        links: list[L] = []
        node = target
        while node != origin:
            if node not in arrived_by:
                return None
            links.append(arrived_by[node])
            node = arrived_by[node].other(node)
        path = self._paths[origin, target] = tuple(reversed(links))
        return path

    def _tree(self, origin: str) -> tuple[dict[str, float], dict[str, L]]:
        """Of the inner nodes: (node -> distance, node -> the link by which the shortest path reaches it)."""
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
            for link in self._inner_links(node):
                there, length = link.other(node), here + link.usual_airtime_s(REFERENCE_BYTE, node)
                if there not in distance or length < distance[there]:
                    order += 1
                    distance[there], arrived_by[there] = length, link
                    heapq.heappush(heap, (length, order, there))
        self._trees[origin] = (distance, arrived_by)
        return self._trees[origin]

    def _inner_links(self, node: str) -> Sequence[L]:
        """A node's links to inner nodes."""
        if node not in self._inner:
            self._inner[node] = [link for link in self.links_of[node] if link.other(node) not in self._leaves]
        return self._inner[node]
