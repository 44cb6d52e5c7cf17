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
    """A wired link. Work conserving, so a direction's queue is one number: when it will be free.

    Args:
        propagation_s: time of flight.
        spend: called with node, tx_j, rx_j.
        free_s: sender -> time from which its direction is free.
    """

    name: str
    link_class: str
    nodes: tuple[str, str]
    wire: Wire
    propagation_s: float
    env: simpy.Environment
    spend: Callable[[str, float, float], None]
    free_s: dict[str, float] = field(default_factory=dict)

    unprotected = False

    def other(self, node: str) -> str:
        return self.nodes[1] if node == self.nodes[0] else self.nodes[0]

    def send(self, payload: Payload, sender: str, row: TransferRow) -> Generator[simpy.Event, Any, bytes]:
        """Process: wait for the direction, send, fly. Returns the body, unharmed."""
        now_s = self.env.now
        row.started_s = max(now_s, self.free_s.get(sender, 0.0))
        row.queue_s = row.started_s - now_s
        row.air_s = self.service_s(payload.n_byte)
        row.propagation_s = self.propagation_s + self.wire.delay_s
        self.free_s[sender] = row.started_s + row.air_s
        yield self.env.timeout(row.queue_s + row.air_s + row.propagation_s)
        self._count_sent(row)
        row.attempt_count = 1
        row.delivered_byte = payload.n_byte
        return payload.body

    def close(self, row: TransferRow, now_s: float) -> None:
        """The run is over while this payload is under way: in flight if it has begun, else it was never sent."""
        assert row.started_s is not None
        if row.started_s < now_s:
            self._count_sent(row)
            row.in_flight_byte = row.payload_byte
        else:
            row.started_s, row.queue_s, row.air_s, row.propagation_s = None, now_s - row.queued_s, 0.0, 0.0

    def _count_sent(self, row: TransferRow) -> None:
        row.burst_count = 1
        row.first_byte = row.payload_byte
        row.tx_j = self.expected_energy_j(row.payload_byte, row.sender)
        self.spend(row.sender, row.tx_j, 0.0)

    def service_s(self, n_byte: int) -> float:
        """Time that the payload's bits take at the wire's rate."""
        return 8 * n_byte / self.wire.rate_bit_per_s

    def expected_airtime_s(self, n_byte: int, sender: str) -> float:
        """Time from sending to arrival on an idle wire."""
        return self.service_s(n_byte) + self.propagation_s + self.wire.delay_s

    def expected_energy_j(self, n_byte: int, sender: str) -> float:
        """Energy of sending a payload."""
        return 8 * n_byte * self.wire.joule_per_bit
