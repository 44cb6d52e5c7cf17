"""What a propagation strategy is."""

from __future__ import annotations

from abc import ABC
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, ClassVar

import simpy
from pydantic import BaseModel, ConfigDict

from simnet.net.errors import RequestEnded
from simnet.wire.slices import Slice

if TYPE_CHECKING:
    from simnet.net.exchange import Exchange
    from simnet.net.network import Network
    from simnet.net.node import Node

Steps = Generator[simpy.Event, Any, Slice]


class Propagation(ABC):
    """Base of the propagation strategies. One instance serves one arm."""

    class Params(BaseModel):
        """A strategy without settings."""

        model_config = ConfigDict(frozen=True, extra="forbid")

    may_fetch: ClassVar[bool] = True
    """Whether a slice that a consumer misses can be brought."""

    def __init__(self, params: Any, network: Network) -> None:
        self.params = params
        self.network = network

    def prepare(self, decoders: dict[str, Slice]) -> None:
        """Called once before time 0 with every decoder slice of the arm, by id."""

    def passing(self, node: Node, exchange: Exchange) -> None:
        """A REQUEST passes a node on its way to the owner; the node may add to what it declares."""

    def bring(self, slice_: Slice, exchange: Exchange) -> Steps:
        """Process: bring one missing slice to the consumer, by :meth:`Exchange.push_from` or ``pull_from``.

        Returns:
            The slice as it arrived.

        Raises:
            RequestEnded: it can't be brought.
        """
        raise RequestEnded(f"{slice_.name} is missing and nobody brings it", "no_decoder")
        yield
