"""The code names the slices that it needs; the consumer fetches each from the nearest node that offers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simnet.net.propagation.base import Propagation, Steps
from simnet.wire.slices import Slice

if TYPE_CHECKING:
    from simnet.net.exchange import Exchange


class NearestCopy(Propagation):
    """SLICE_REF from the owner, then a question to the directory, then SLICE_REQUEST and the slice.

    A holder that turns out not to have it any more answers with a NACK; then the owner is asked.
    """

    def bring(self, slice_: Slice, exchange: Exchange) -> Steps:
        holder = yield from exchange.locate(slice_)
        arrived = yield from exchange.pull_from(self.network.nodes[holder], slice_)
        if arrived is None:
            arrived = yield from exchange.pull_from(exchange.owner, slice_)
        return arrived
