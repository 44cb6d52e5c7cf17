"""The code names the slices that it needs; the consumer fetches each from the nearest node that offers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simnet.net.propagation.base import Propagation, Steps

if TYPE_CHECKING:
    from simnet.net.fetch import Fetch
    from simnet.net.node import Node


class NearestCopy(Propagation):
    """SLICE_REF from the owner, then a question to the directory, then SLICE_REQUEST and the slice.

    A holder that turns out not to have it any more answers with a NACK; then the owner is asked.
    """

    def bring(self, fetch: Fetch) -> Steps:
        holder = yield from fetch.locate()
        return (yield from self._bring_from(holder, fetch))

    def obtain(self, fetch: Fetch) -> Steps:
        holder = yield from fetch.find()
        return (yield from self._bring_from(holder, fetch))

    def _bring_from(self, holder: Node, fetch: Fetch) -> Steps:
        arrived = yield from fetch.pull_from(holder)
        if arrived is None:
            return (yield from self.bring_again(fetch))
        return arrived
