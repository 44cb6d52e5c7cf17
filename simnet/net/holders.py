"""Who offers which slice, and who of them is nearest: what the oracle knows."""

from __future__ import annotations

from collections.abc import Mapping
from heapq import heappop, heappush
from typing import Any

from simnet.net.node import Node
from simnet.net.routing import Routes

Heap = list[tuple[float, str]]
"""Holders that one inner node reaches: how far each is from there, s, and its name."""


class Holders:
    """Finds the nearest holder without measuring the way to each of them.

    The devices of a gateway differ only in how far they are from it, for everyone else alike: of each such group the
    nearest lies on top of a heap. Who has lost the slice is found out when it comes to the top.

    Args:
        expiring: slices have a time to live. A store notices that it is over when it is next asked, and tells of it
            then; so whoever was known to have the slice is asked whenever somebody looks for it.
    """

    def __init__(self, nodes: Mapping[str, Node], routes: Routes[Any], *, expiring: bool) -> None:
        self._nodes = nodes
        self._routes = routes
        self._expiring = expiring
        self._known: dict[str, dict[str, None]] = {}
        """Slice id -> those to be asked, if slices expire."""
        self._groups: dict[str, dict[str, Heap]] = {}
        """Slice id -> inner node -> those that it reaches."""
        self._listed: dict[str, set[str]] = {}
        """Slice id -> all that lie in its heaps."""

    def add(self, slice_id: str, name: str) -> None:
        """A node has a clean copy now."""
        if self._expiring:
            self._known.setdefault(slice_id, {})[name] = None
        listed = self._listed.setdefault(slice_id, set())
        if name not in listed:
            listed.add(name)
            inner, from_s, _ = self._routes.reach(name)
            heappush(self._groups.setdefault(slice_id, {}).setdefault(inner, []), (from_s, name))

    def nearest(self, slice_id: str, target: str) -> str:
        """By expected airtime to the target, of equals the first by name; somebody offers the slice."""
        if self._expiring:
            self._let_expire(slice_id)
        listed, groups = self._listed[slice_id], self._groups[slice_id]
        if target in listed and self._nodes[target].offers(slice_id):
            return target
        while True:
            inner, name = self._nearest_listed(groups, target)
            if self._nodes[name].offers(slice_id):
                return name
            listed.remove(name)
            heappop(groups[inner])
            if not groups[inner]:
                del groups[inner]

    def _let_expire(self, slice_id: str) -> None:
        known = self._known[slice_id]
        for name in [name for name in known if not self._nodes[name].offers(slice_id)]:
            del known[name]

    def _nearest_listed(self, groups: Mapping[str, Heap], target: str) -> tuple[str, str]:
        """Of the heaps' tops: the inner node and the name."""
        distance_s = self._routes.distance_s
        _, name, inner = min((distance_s(heap[0][1], target), heap[0][1], inner) for inner, heap in groups.items())
        return inner, name
