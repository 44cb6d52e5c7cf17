"""Tensor work that several runs have in common, done once: what a sweep's worker keeps from run to run."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Kept:
    """Results by what they depend on: codecs, images, codes; never on a seed, so that runs with others share them.

    Every run has one; those that are given the same one share it. A result is the same whether it is made or found, for
    networks see chunks of one shape.
    """

    def __init__(self) -> None:
        self._results: dict[Hashable, Any] = {}

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """The result of this name, made if there is none yet."""
        if key not in self._results:
            self._results[key] = make()
        found: T = self._results[key]
        return found

    def find(self, key: Hashable) -> Any | None:
        """The result of this name, if there is one."""
        return self._results.get(key)

    def keep(self, key: Hashable, result: object) -> None:
        self._results[key] = result
