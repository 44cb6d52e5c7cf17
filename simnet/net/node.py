"""A node: its store of slices, its compute queue, its energy."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import simpy

from simnet.net.clock import Clock
from simnet.scenario.schema import TierSpec
from simnet.store.store import Store
from simnet.topology.plan import NodePlan
from simnet.wire.slices import Slice

if TYPE_CHECKING:
    from simnet.net.fetch import Fetch


@dataclass(eq=False)
class Node:
    """A device, gateway, edge server or cloud.

    Args:
        store: bounded; what the node fetched.
        provisioned: slices that it was built with, outside its store: id -> slice.
        damaged: clean id -> the stored slice as it arrived, with bit errors, where the scenario keeps such.
        fetches: slice id -> what is on its way here: concurrent fetches of one slice are one.
        compute_free_s: when the compute queue will have done all that is in it.
    """

    clock: Clock
    plan: NodePlan
    spec: TierSpec
    store: Store
    provisioned: dict[str, Slice] = field(default_factory=dict)
    damaged: dict[str, Slice] = field(default_factory=dict)
    fetches: dict[str, Fetch] = field(default_factory=dict)
    requests: int = 0
    tx_j: float = 0.0
    rx_j: float = 0.0
    flop: float = 0.0
    busy_s: float = 0.0
    compute_free_s: float = 0.0
    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.name = self.plan.name

    def holds(self, slice_id: str) -> bool:
        return slice_id in self.provisioned or self.store.holds(slice_id, self.clock.now)

    def offers(self, slice_id: str) -> bool:
        """Whether it can pass on the clean slice."""
        return slice_id not in self.damaged and self.holds(slice_id)

    def held_ids(self) -> list[str]:
        """Ids of the slices that it can decode with."""
        built_in = (slice_.id for slice_ in self.provisioned.values() if slice_.role != "encoder")
        return [*built_in, *self.store.slice_ids(self.clock.now)]

    def use(self, slice_: Slice) -> Slice | None:
        """The slice as the node has it; None counts as a miss of its store."""
        slice_id = slice_.id
        if slice_id in self.provisioned:
            return slice_
        if self.store.get(slice_id, self.clock.now) is None:
            return None
        return self.damaged.get(slice_id, slice_)

    def pin(self, slice_id: str) -> bool:
        """Pin a slice if it is in the store; whether it is."""
        store, now_s = self.store, self.clock.now
        stored = store.holds(slice_id, now_s)
        if stored:
            store.pin(slice_id, now_s)
        return stored

    def unpin(self, slice_id: str) -> None:
        self.store.unpin(slice_id, self.clock.now)

    def compute(self, flop: float) -> Generator[simpy.Event, Any, float]:
        """Process: wait in the one FIFO compute queue and be served. Returns the time that took, s."""
        now_s = self.clock.now
        service_s = flop / self.spec.compute_flop_per_s
        self.compute_free_s = max(now_s, self.compute_free_s) + service_s
        delay_s = self.compute_free_s - now_s
        if not self.clock.advance(delay_s):
            yield self.clock.timeout(delay_s)
        # Counted when done, so that a run's end cuts what is still queued from both.
        self.flop += flop
        self.busy_s += service_s
        return self.clock.now - now_s

    def spend(self, tx_j: float, rx_j: float) -> None:
        self.tx_j += tx_j
        self.rx_j += rx_j

    @property
    def compute_j(self) -> float:
        return self.flop * self.spec.joule_per_flop

    def idle_j(self, duration_s: float) -> float:
        return self.spec.idle_power_w * duration_s
