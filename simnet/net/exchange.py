"""What every request does: bring slices, send payloads, end with one outcome."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import simpy

from simnet.core.tables import Outcome, PayloadClass, RequestRow
from simnet.net.assembly import AnyLink
from simnet.net.deltas import Delta
from simnet.net.errors import RequestEnded
from simnet.net.fetch import Bring, Fetch
from simnet.net.latency import Latency
from simnet.net.network import AtNode
from simnet.net.node import Node
from simnet.net.payload import Payload, Symbols
from simnet.traffic.base import CatalogueItem
from simnet.wire.lazy_frames import LazyFrame, SliceRequestFrame
from simnet.wire.messages import Message, encode_message
from simnet.wire.slices import Slice

if TYPE_CHECKING:
    from simnet.net.arm import Arm

COLUMN: dict[PayloadClass, str] = {
    "code": "code_byte", "model": "model_byte", "control": "control_byte", "enhancement": "enhancement_byte",
}  # fmt: skip
"""Class of payload -> where a request's row counts its bytes."""
Process = Generator[simpy.Event, Any, Any]


class Exchange(ABC):
    """One request, from the wish to its end. Its methods are processes of the simulation.

    Nodes know at once when a transfer has failed for good; all else they learn from messages.

    Args:
        index: number of the request among its consumer's, which messages carry.
    """

    offered: Mapping[str, Node] = {}
    """Slice id -> the node on the REQUEST's way, nearest to the consumer, that offered to splice it in."""
    declared: Collection[str] = ()
    """Ids that the REQUEST named: what the consumer held, or expected, when it asked."""

    def __init__(self, arm: Arm, row: RequestRow, item: CatalogueItem, index: int) -> None:
        self.arm = arm
        self.row = row
        self.item = item
        self.index = index
        self.name = f"{row.consumer}#{index}"
        """Names every draw that serves this request."""
        self.network = arm.network
        self.clock = arm.clock
        self.consumer: Node = arm.network.nodes[row.consumer]
        self.owner: Node = arm.network.nodes[item.owner]
        self._slices: dict[str, Slice | Fetch] = {}
        self._pinned: list[str] = []
        self._due_s = row.created_s + row.deadline_s
        self._latency = Latency()
        self._sent: dict[str, int] = {}
        """Label -> payloads sent."""
        self._over = False

    def run(self) -> Process:
        """Process: the whole life. Ends with exactly one outcome: of several deliveries the last one counts."""
        self.consumer.requests += 1
        try:
            yield from self._live()
        except RequestEnded as end:
            if self.row.ended_s is None:
                self._end(end.outcome)
        finally:
            self._over = True
            self._unpin()
        if self.network.timeline.wanted:
            facts = self.row.request_id, self.row.outcome
            self.network.timeline.add(self.clock.now, self.consumer.name, "request {} ended: {}", *facts)

    @abstractmethod
    def _live(self) -> Process:
        """Process: all that happens until the wish is fulfilled, or several times better.

        Raises:
            RequestEnded: it can't be.
        """

    # ------------------------------------------------------------------ slices

    def _expect(self, wanted: Sequence[Slice], bring: Bring, *, begin: bool = True) -> None:
        """The consumer takes what it has into use; for the rest it waits, and what nobody brings yet is brought."""
        row, slices = self.row, self._slices
        for slice_ in wanted:
            if slice_.id in slices:
                continue
            row.slices_needed += 1
            held = self.consumer.use(slice_)
            if held is not None:
                slices[slice_.id] = held
                self.pin(slice_.id)
            else:
                row.slices_missed += 1
                slices[slice_.id] = fetch = Fetch.joined(self, slice_, bring)
                if begin:
                    fetch.begin()

    def _gather(self, wanted: Sequence[Slice], bring: Bring, *, side_by_side: bool = True) -> Process:
        """All slices as they arrived; the time that this takes yet is ``model_fetch_s``.

        Args:
            bring: for what the consumer neither has nor expects.
            side_by_side: else each fetch begins when the one before is over.
        """
        began_s = self.clock.now
        self._expect(wanted, bring, begin=side_by_side)
        arrived = []
        for slice_ in wanted:
            coming = self._slices[slice_.id]
            arrived.append((yield from coming.result()) if isinstance(coming, Fetch) else coming)
        self._latency.model_fetch_s += self.clock.now - began_s
        return tuple(arrived)

    def pin(self, slice_id: str) -> None:
        """Hold on to a slice in the consumer's store until this request has used it."""
        if not self._over and self.consumer.pin(slice_id):
            self._pinned.append(slice_id)

    def _unpin(self) -> None:
        for slice_id in self._pinned:
            self.consumer.unpin(slice_id)
        self._pinned.clear()
        self._slices.clear()

    # ------------------------------------------------------------------ payloads

    def payload(
        self, message: Message, payload_class: PayloadClass, what: str = "", body: bytes = b"",
        symbols: Symbols | None = None,
    ) -> Payload:  # fmt: skip
        """A message of this request as a payload; ``what`` it carries, for its label."""
        label = f"{type(message).__name__} {what}" if what else type(message).__name__
        return self._labelled(encode_message(message), payload_class, label, body, symbols)

    def clean_slice(self, slice_: Slice) -> Payload:
        """A slice as one protected frame."""
        return self._labelled(self.arm.slice_frame(slice_), "model", f"SliceData {slice_.name}")

    def slice_request(self, slice_: Slice) -> Payload:
        """SLICE_REQUEST for one slice."""
        return self._labelled(SliceRequestFrame(self.index, slice_.id), "control", f"SliceRequest {slice_.name}")

    def delta(self, delta: Delta) -> Payload:
        """A delta to a slice, protected."""
        return self._labelled(delta.frame, "model", f"SliceDelta {delta.new.name}")

    def _labelled(
        self, frame: bytes | LazyFrame, payload_class: PayloadClass, label: str, body: bytes = b"",
        symbols: Symbols | None = None,
    ) -> Payload:  # fmt: skip
        repeat = self._sent.get(label, 0)
        self._sent[label] = repeat + 1
        return Payload(frame, payload_class, label, self.row.request_id, self.name, repeat, body, symbols)

    def send(
        self, payload: Payload, origin: Node, target: Node, *, waits: bool = True, at_node: AtNode | None = None
    ) -> Process:
        """Process: bring a payload to a node and count its bytes. Returns its body as it arrived.

        Args:
            waits: whether the request waits for it, so that its times are part of the latency.
        """
        links = self.network.routes.path(origin.name, target.name)
        return self.send_along(links, payload, origin, waits=waits, at_node=at_node)

    def send_along(
        self, links: Sequence[AnyLink], payload: Payload, sender: Node, *, waits: bool = True,
        at_node: AtNode | None = None,
    ) -> Process:  # fmt: skip
        """Process: like :meth:`send`, over links that follow each other; it ends early where ``at_node`` says so."""
        if links:  # who has what it asks for asks itself: nothing travels
            row, column = self.row, COLUMN[payload.payload_class]
            setattr(row, column, getattr(row, column) + payload.n_byte)
        latency = self._latency if waits else None
        return self.network.send_along(links, payload, sender.name, at_node=at_node, latency=latency)

    # ------------------------------------------------------------------ end

    def _check_deadline(self) -> None:
        if self.clock.now > self._due_s:
            raise RequestEnded("too late", "timeout")

    def _end(self, outcome: Outcome) -> None:
        """Whatever happens after the deadline, the request had ended then."""
        row, due_s = self.row, self._due_s
        now_s = self.clock.now
        row.outcome, row.ended_s = ("timeout", due_s) if now_s > due_s else (outcome, now_s)
        self._latency.write(row)
