"""Nodes on the way keep a copy (everywhere, or with a probability) and serve it to later requests that pass them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from simnet.core import streams
from simnet.net.node import Node
from simnet.net.propagation.base import Propagation, Steps
from simnet.wire.slices import Slice

if TYPE_CHECKING:
    from simnet.net.exchange import Exchange


class OnPath(Propagation):
    """A REQUEST collects, on its way, the names of the slices that the nodes it passes hold. Of those the node nearest to
    the consumer splices its copy in when the code comes back. Nodes that a slice passes keep it.
    """

    class Params(BaseModel):
        model_config = ConfigDict(frozen=True, extra="forbid")

        probability: float = Field(1.0, ge=0.0, le=1.0, description="1: leave copy everywhere; less: with this chance")

    def passing(self, node: Node, exchange: Exchange) -> None:
        exchange.declare(node)

    def bring(self, slice_: Slice, exchange: Exchange) -> Steps:
        source = next((n for n in exchange.passed if n.offers(slice_.id)), exchange.owner)
        keep = partial(self._keep, slice_=slice_, exchange=exchange)
        return (yield from exchange.push_from(source, slice_, at_node=keep))

    def _keep(self, name: str, slice_: Slice, exchange: Exchange) -> None:
        node = self.network.nodes[name]
        if node is exchange.consumer or node.holds(slice_.id):
            return
        draw = streams.uniform(self.network.scenario.seed, "on_path", name, slice_.id, exchange.request_name)
        if draw < self.params.probability:
            self.network.install(node, slice_, slice_, slice_.n_byte)
