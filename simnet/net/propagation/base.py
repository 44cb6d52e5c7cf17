"""What a propagation strategy is."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import simpy
from pydantic import BaseModel, ConfigDict

from simnet.net.errors import RequestEnded
from simnet.wire.slices import Slice

if TYPE_CHECKING:
    from simnet.net.fetch import Fetch
    from simnet.net.network import Network
    from simnet.net.node import Node

Steps = Generator[simpy.Event, Any, Slice]


class Propagation:
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

    def passing(self, node: Node) -> Sequence[str]:
        """A REQUEST passes a node on its way to the owner: ids of the slices that the node offers to splice in."""
        return ()

    def bring(self, fetch: Fetch) -> Steps:
        """Process: bring a slice that the REQUEST did not name to the consumer, by the fetch's verbs.

        Returns:
            The slice as it arrived.

        Raises:
            RequestEnded: it can't be brought.
        """
        return self.bring_again(fetch)

    def obtain(self, fetch: Fetch) -> Steps:
        """Process: bring a slice to a consumer that wishes for the slice itself; like :meth:`bring`, without an owner
        who sends a code and knows what is missing."""
        return self.bring_again(fetch)

    def bring_again(self, fetch: Fetch) -> Steps:
        """Process: bring a slice that the consumer has lost since its REQUEST named it: it asks the owner."""
        arrived = None
        if self.may_fetch:
            arrived = yield from fetch.pull_from(fetch.owner)
        if arrived is None:
            raise RequestEnded(f"{fetch.slice_.name} is missing and nobody brings it", "no_decoder")
        return arrived
