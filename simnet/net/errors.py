"""What can go wrong for a request inside the network; each ends it with one outcome."""

from __future__ import annotations

from simnet.core.tables import Outcome


class RequestEnded(Exception):
    """The request is over; ``outcome`` says how."""

    outcome: Outcome

    def __init__(self, where: str, outcome: Outcome | None = None) -> None:
        super().__init__(where)
        if outcome is not None:
            self.outcome = outcome


class LinkFailed(RequestEnded):
    """A block was lost ``max_attempts`` times."""

    outcome: Outcome = "link_failed"


class QueueFull(RequestEnded):
    """A carrier's queue limit is reached."""

    outcome: Outcome = "rejected_full"


class NoRoute(RequestEnded):
    """No path leads from one node to the other."""

    outcome: Outcome = "no_provider"


class AccountingError(AssertionError):
    """Bytes, channel uses, outcomes or joules don't add up: a bug in simnet, never the user's fault."""
