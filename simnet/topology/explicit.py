"""Nodes and links written out in the scenario."""

from __future__ import annotations

from collections.abc import Iterator

from simnet.topology.base import Topology
from simnet.topology.plan import Misfit, NetworkPlan


class Explicit(Topology):
    """Nodes and links as the scenario writes them out; the seed changes nothing."""

    class Params(NetworkPlan):
        """``nodes`` and ``links``, as in a plan."""

        def misfits(self) -> Iterator[Misfit]:
            """Those of any plan, and losses that are gains: only drawn shadowing may make one, rarely."""
            yield from super().misfits()
            for index, link in enumerate(self.links):
                if link.path_loss_db is not None and link.path_loss_db < 0.0:
                    text = f"got {link.path_loss_db:g}; allowed: 0..1000: a loss is written without a minus sign"
                    yield ("links", index, "path_loss_db"), text

    def __init__(self, params: Params) -> None:
        self.params = params

    def build(self, *, seed: int) -> NetworkPlan:
        return NetworkPlan(nodes=self.params.nodes, links=self.params.links)
