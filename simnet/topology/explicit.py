"""Nodes and links written out in the scenario."""

from __future__ import annotations

from simnet.topology.base import Topology
from simnet.topology.plan import NetworkPlan


class Explicit(Topology):
    """Nodes and links as the scenario writes them out; the seed changes nothing."""

    class Params(NetworkPlan):
        """``nodes`` and ``links``, as in a plan."""

    def __init__(self, params: Params) -> None:
        self.params = params

    def build(self, *, seed: int) -> NetworkPlan:
        return NetworkPlan(nodes=self.params.nodes, links=self.params.links)
