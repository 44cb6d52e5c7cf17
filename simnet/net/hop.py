"""A payload's way over one link, as it begins."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from simnet.core.tables import PayloadClass, TransferRow


class Named(Protocol):
    """What a row says of its link."""

    name: str
    link_class: str

    def other(self, node: str) -> str: ...


class Hop(NamedTuple):
    """What is known of a transfer when it is queued: the first columns of its row in ``transfers``."""

    arm: str
    transfer_id: int
    request_id: int
    sender: str
    payload_class: PayloadClass
    label: str
    n_byte: int
    queued_s: float

    def row(self, link: Named) -> TransferRow:
        """The row of a transfer over this link before its transmission begins."""
        return TransferRow(
            self.arm, self.transfer_id, self.request_id, link.name, link.link_class, self.sender,
            link.other(self.sender), self.payload_class, self.label, self.n_byte, self.queued_s,
        )  # fmt: skip
