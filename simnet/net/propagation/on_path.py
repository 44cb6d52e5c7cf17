"""Nodes on the way keep a copy (everywhere, or with a probability) and serve it to later requests that pass them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from simnet.core import streams
from simnet.net.node import Node
from simnet.net.propagation.base import Propagation, Steps
from simnet.wire.slices import Slice

if TYPE_CHECKING:
    from simnet.net.fetch import Fetch
    from simnet.net.network import Network


class OnPath(Propagation):
    """A REQUEST collects, on its way, the names of the slices that the nodes it passes hold. Of those the node nearest
    to the consumer splices its copy in when the code comes back. Nodes that a slice passes keep it as it arrived there.

    Who wishes for a slice itself asks node by node on the way to the owner, and the first that has it answers: with
    probability 1 and LRU stores, a network of caches that leave a copy everywhere.
    """

    class Params(BaseModel):
        model_config = ConfigDict(frozen=True, extra="forbid")

        probability: float = Field(1.0, ge=0.0, le=1.0, description="1: leave copy everywhere; less: with this chance")

    def __init__(self, params: Params, network: Network) -> None:
        super().__init__(params, network)
        self._probability = params.probability

    def passing(self, node: Node) -> Sequence[str]:
        return [slice_id for slice_id in node.held_ids() if node.offers(slice_id)]

    def bring(self, fetch: Fetch) -> Steps:
        source = fetch.exchange.offered.get(fetch.slice_.id, fetch.owner)
        if not source.offers(fetch.slice_.id):  # lost since the REQUEST passed
            source = fetch.owner
        return fetch.push_from(source, keep=self._keep)

    def obtain(self, fetch: Fetch) -> Steps:
        return fetch.pull_along(keep=self._keep)

    def _keep(self, fetch: Fetch, node: Node, arrived: Slice) -> None:
        slice_ = fetch.slice_
        if node is fetch.consumer or slice_.id in node.provisioned:
            return
        if self._probability >= 1.0 or self._kept_by_chance(fetch, node):
            self.network.install(node, slice_, arrived, slice_.n_byte, renews=False)

    def _kept_by_chance(self, fetch: Fetch, node: Node) -> bool:
        draw = streams.uniform(self.network.scenario.seed, "on_path", node.name, fetch.slice_.id, fetch.exchange.name)
        return draw < self._probability
