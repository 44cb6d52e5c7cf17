"""Slices in an order in which they can be installed: each after those that it requires."""

from __future__ import annotations

from collections.abc import Sequence

from simnet.core.errors import SimnetError
from simnet.wire.slices import Slice


class DependencyError(SimnetError):
    """Slices whose requirements cannot be met: the plug-in that made them must be mended."""


def in_dependency_order(slices: Sequence[Slice]) -> tuple[Slice, ...]:
    """The slices, each after those that it requires; else in the given order.

    Raises:
        DependencyError: a slice requires one that isn't among them, or slices require each other in a circle.
    """
    by_id = {slice_.id: slice_ for slice_ in slices}
    ordered: dict[str, Slice] = {}
    path: list[Slice] = []

    def visit(slice_: Slice) -> None:
        if slice_.id in ordered:
            return
        if slice_ in path:
            circle = " -> ".join(s.name for s in [*path[path.index(slice_) :], slice_])
            raise DependencyError(f"slices require each other in a circle: {circle}; one of them must stand alone")
        path.append(slice_)
        for required in slice_.requires:
            if required not in by_id:
                raise DependencyError(
                    f"slice {slice_.name!r} requires {required}, which its codec doesn't have: "
                    f"it has {', '.join(f'{s.name} ({s.id})' for s in slices)}"
                )
            visit(by_id[required])
        ordered[path.pop().id] = slice_

    for slice_ in slices:
        visit(slice_)
    return tuple(ordered.values())
