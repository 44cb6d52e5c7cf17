"""The owner sends what the consumer misses with the code: AESC-I's splicing rule X = SR(l, β) (paper 001, eq. 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simnet.net.propagation.base import Propagation, Steps

if TYPE_CHECKING:
    from simnet.net.fetch import Fetch


class WithCode(Propagation):
    """Owner to consumer, slice by slice, while the code is on its way too."""

    def bring(self, fetch: Fetch) -> Steps:
        return fetch.push_from(fetch.owner)
