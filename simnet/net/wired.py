"""Wired links: full duplex, error free, one first-in-first-out queue per direction."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import simpy

from simnet.core.tables import TransferRow
from simnet.net.payload import Payload
from simnet.scenario.schema import Wire


@dataclass(eq=False)
class WiredLink:
    """A wired link. Work conserving, so a direction's queue is one number: when it will be free."""

    name: str
    link_class: str
    nodes: tuple[str, str]
    wire: Wire
    propagation_s: float
    env: simpy.Environment
    spend: Callable[[str, float, float], None]
    """Called with node, tx_j, rx_j."""
    free_s: dict[str, float] = field(default_factory=dict)
    """Sender -> time from which its direction is free."""

    wireless = False

    def other(self, node: str) -> str:
        return self.nodes[1] if node == self.nodes[0] else self.nodes[0]

    def send(self, payload: Payload, sender: str, row: TransferRow) -> Generator[simpy.Event, Any, bytes]:
        """Process: wait for the direction, send, fly. Returns the body, unharmed."""
        now_s, n_byte = self.env.now, payload.n_byte
        row.queued_s = now_s
        row.started_s = max(now_s, self.free_s.get(sender, 0.0))
        row.air_s = self.service_s(n_byte)
        row.queue_s = row.started_s - now_s
        row.propagation_s = self.propagation_s + self.wire.delay_s
        self.free_s[sender] = row.started_s + row.air_s
        yield self.env.timeout(row.started_s + row.air_s + row.propagation_s - now_s)
        row.ended_s = self.env.now
        row.outcome = "delivered"
        row.burst_count = row.attempt_count = 1
        row.first_byte = row.delivered_byte = n_byte
        row.tx_j = 8 * n_byte * self.wire.joule_per_bit
        self.spend(sender, row.tx_j, 0.0)
        return payload.body

    def service_s(self, n_byte: int) -> float:
        """Time that the payload's bits take at the wire's rate."""
        return 8 * n_byte / self.wire.rate_bit_per_s

    def expected_airtime_s(self, n_byte: int, sender: str) -> float:
        """Time from sending to arrival on an idle wire."""
        return self.service_s(n_byte) + self.propagation_s + self.wire.delay_s

    def expected_energy_j(self, n_byte: int, sender: str) -> float:
        """Energy of sending a payload."""
        return 8 * n_byte * self.wire.joule_per_bit
