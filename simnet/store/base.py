"""What an eviction policy is: a priority for each stored slice, the lowest goes first."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from simnet.store.stored_slice import StoredSlice


class EvictionPolicy(ABC):
    """Base of the eviction policies. One instance serves one store.

    The store asks for a slice's priority when it is inserted and on each use, and remembers it. A use must
    not lower it. Of equals the one inserted first goes first.
    """

    ordered_by: ClassVar[Literal["priority", "use", "insertion"]] = "priority"
    """``use``, ``insertion``: the priority is nothing but that order, so the store keeps a queue, which costs less than
    a heap."""

    reads_worth: ClassVar[bool] = False
    """Whether the priority depends on ``StoredSlice.worth``, which is measured only for policies that do."""

    class Params(BaseModel):
        """A policy without settings."""

        model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    @abstractmethod
    def priority(self, slice_: StoredSlice) -> tuple[float, ...]:
        """The worth of keeping ``slice_``, just used or inserted; tuples compare element by element."""

    def evicted(self, slice_: StoredSlice) -> None:  # noqa: B027 - most policies need not know
        """Told of the slice that was chosen to make room; its dependents, which go with it, aren't told."""
