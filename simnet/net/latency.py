"""Where the time of a request goes: five parts that add up to its latency."""

from __future__ import annotations

from dataclasses import dataclass, fields

from simnet.core.tables import RequestRow


@dataclass(slots=True)
class Latency:
    """Time that a consumer has waited, s, by what for; the columns of the same names in ``requests``."""

    queue_s: float = 0.0
    air_s: float = 0.0
    propagation_s: float = 0.0
    compute_s: float = 0.0
    model_fetch_s: float = 0.0

    def add(self, queue_s: float, air_s: float, propagation_s: float) -> None:
        """A payload that the request waits for has crossed a link, or was lost on it."""
        self.queue_s += queue_s
        self.air_s += air_s
        self.propagation_s += propagation_s

    def write(self, row: RequestRow) -> None:
        row.queue_s, row.air_s, row.propagation_s = self.queue_s, self.air_s, self.propagation_s
        row.compute_s, row.model_fetch_s = self.compute_s, self.model_fetch_s


PARTS = tuple(field.name for field in fields(Latency))
