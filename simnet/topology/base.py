"""What a topology is: settings and a seed give a plan of the network."""

from __future__ import annotations

from abc import ABC, abstractmethod

from simnet.core.errors import SimnetError
from simnet.topology.plan import NetworkPlan, Plan


class TopologyError(SimnetError):
    """A topology's file or settings that no network can be made of."""


class Topology(ABC):
    """Base of the topologies. Each has its own ``Params``."""

    Params: type[Plan]

    @abstractmethod
    def build(self, *, seed: int) -> NetworkPlan:
        """The network. A function of the settings, the seed and the nodes' names only (DESIGN §6).

        Raises:
            TopologyError: no network can be made of the settings.
        """
