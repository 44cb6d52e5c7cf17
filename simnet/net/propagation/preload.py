"""Decoders are in the stores before time 0, as if put there at the factory; nothing travels later."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from simnet.core.terms import Tier
from simnet.net.propagation.base import Propagation
from simnet.wire.slices import Slice


class Preload(Propagation):
    """Fills the stores in the order of the scenario's codecs; what doesn't fit any more is left out."""

    class Params(BaseModel):
        model_config = ConfigDict(frozen=True, extra="forbid")

        tiers: tuple[Tier, ...] = Field(("device",), description="tiers whose stores are filled")

    may_fetch = False

    def prepare(self, decoders: dict[str, Slice]) -> None:
        params: Any = self.params
        for node in self.network.nodes.values():
            for slice_ in decoders.values() if node.plan.tier in params.tiers else ():
                free_byte = node.store.capacity_byte - node.store.occupancy_byte
                if not node.holds(slice_.id) and slice_.n_byte <= free_byte:
                    self.network.install(node, slice_, slice_, slice_.n_byte)
