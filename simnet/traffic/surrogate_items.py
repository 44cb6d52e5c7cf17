"""The items of surrogate source types, and who owns them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simnet.core.streams import uniform
from simnet.scenario.schema import Surrogates
from simnet.scenario.surrogates import SurrogateType
from simnet.traffic.base import CatalogueItem


def surrogate_items(
    spec: Surrogates, types: Sequence[SurrogateType], nodes: Sequence[str], *, first_item_id: int, seed: int
) -> Iterator[CatalogueItem]:
    """The items of all surrogates, in order: those of one type spread over its ``owners_per_type`` owners by name.

    Args:
        nodes: of the tier that owns them, at least one.
    """
    for type_ in types:
        owners = _owners(seed, type_.name, nodes, min(spec.owners_per_type, len(nodes)))
        for index in range(spec.items):
            owner = owners[int(uniform(seed, "owner", type_.name, index) * len(owners))]
            yield CatalogueItem(first_item_id + type_.index * spec.items + index, type_.name, owner)


def _owners(seed: int, source_type: str, nodes: Sequence[str], n: int) -> list[str]:
    """``n`` different nodes, drawn by the type's name."""
    found: dict[str, None] = {}
    attempt = 0
    while len(found) < n:
        found[nodes[int(uniform(seed, "surrogate owner", source_type, attempt) * len(nodes))]] = None
        attempt += 1
    return list(found)
