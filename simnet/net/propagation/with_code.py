"""The owner sends what the consumer misses along with the code: AESC-I's splicing rule X = SR(l, β) (paper 001, eq. 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simnet.net.propagation.base import Propagation, Steps
from simnet.wire.slices import Slice

if TYPE_CHECKING:
    from simnet.net.exchange import Exchange


class WithCode(Propagation):
    """Owner to consumer, slice by slice, while the code is on its way too."""

    def bring(self, slice_: Slice, exchange: Exchange) -> Steps:
        return (yield from exchange.push_from(exchange.owner, slice_))
