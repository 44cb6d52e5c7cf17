"""What traffic is: settings, consumers and a catalogue give wishes in order of time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from simnet.core.errors import SimnetError


class TrafficError(SimnetError):
    """A trace or settings that no traffic can be made of."""


class Settings(BaseModel):
    """Base of the plug-ins' settings: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class CatalogueItem(NamedTuple):
    """What traffic knows of an item: no label, no pixels."""

    item_id: int
    source_type: str
    owner: str


class RequestPlan(NamedTuple):
    """One consumer's wish for one item; task, SS and deadline are the scenario's. Tuples sort by time."""

    time_s: float
    consumer: str
    item_id: int
    request_index: int
    """0, 1, 2 … of this consumer."""


class Traffic(ABC):
    """Base of the traffic plug-ins. Each has its own ``Params``."""

    Params: type[Settings]

    @abstractmethod
    def requests(
        self, *, consumers: Sequence[str], catalogue: Sequence[CatalogueItem], duration_s: float, seed: int
    ) -> Iterator[RequestPlan]:
        """All wishes with 0 ≤ time < ``duration_s``, in order of time, then of the consumers' names.

        Draws are named by consumer and request index, so that adding a consumer changes no other's wishes.

        Raises:
            TrafficError: a consumer has nothing to wish for, or a trace doesn't fit the network.
        """

    def left_out(self, duration_s: float) -> str | None:
        """What of the settings a run of this length leaves out, in words; None: nothing."""
        return None
