"""The life of one request (DESIGN §4): ask, plan, bring code and slices, decode."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import simpy

from simnet.core.tables import DeliveryRow, PayloadClass, RequestRow
from simnet.net.errors import RequestEnded
from simnet.net.node import Node
from simnet.net.payload import Payload
from simnet.net.planner import Plan
from simnet.signal.plane import Code
from simnet.traffic.base import CatalogueItem
from simnet.wire.ids import short_id
from simnet.wire.messages import Code as CodeMessage
from simnet.wire.messages import Enhance, Message, Nack, Request, SliceData, SliceRef, SliceRequest, encode_message
from simnet.wire.slices import Slice, join_raw, split_raw

if TYPE_CHECKING:
    from simnet.net.arm import Arm

Event = simpy.Event
Process = Generator[Event, Any, Any]


@dataclass(eq=False)
class Exchange:
    """One request, from the wish to the recovered image. Its methods are processes of the simulation.

    Args:
        request_name: consumer and its request's index: names every draw that serves this request.
    """

    arm: Arm
    row: RequestRow
    item: CatalogueItem
    request_name: str

    def __post_init__(self) -> None:
        network = self.network = self.arm.network
        self.env = network.env
        self.consumer: Node = network.nodes[self.row.consumer]
        self.owner: Node = network.nodes[self.item.owner]
        self.passed: list[Node] = []
        """Nodes between consumer and owner, the consumer's neighbour first."""
        self._declared: dict[str, None] = {}
        self._in_use: list[str] = []

    def run(self) -> Process:
        """Process: the whole life. Ends with exactly one outcome."""
        self.consumer.requests += 1
        try:
            yield from self._ask()
            yield from self._answer()
            self._end("satisfied")  # or below_wish, once the judge has measured
        except RequestEnded as end:
            self._end(end.outcome)
        finally:
            self._unpin()

    # ------------------------------------------------------------------ ask

    def _ask(self) -> Process:
        """REQUEST travels to the item's owner, with the hashes of the slices that the consumer holds."""
        network, node = self.network, self.consumer
        self.declare(self.consumer)
        for link in network.routes.path(self.consumer.name, self.owner.name):
            payload = self._payload(
                Request(
                    self.row.request_id, self.item.item_id, self.arm.task_of(self.item), self.row.wish_ss,
                    self.row.deadline_s, tuple(short_id(slice_id) for slice_id in self._declared),
                ),  # fmt: skip
                "control",
                "Request",
            )
            yield from self._hop(payload, node.name, link)
            node = network.nodes[link.other(node.name)]
            if node is not self.owner:
                self.passed.append(node)
                self.arm.propagation.passing(node, self)
        self.row.control_byte += payload.n_byte
        self._check_deadline()

    def declare(self, node: Node) -> None:
        """Add what a node can bring to bear to the hashes in the REQUEST: all that is held or on its way to it."""
        self._declared.update(dict.fromkeys(node.held_ids()))

    # ------------------------------------------------------------------ answer

    def _answer(self) -> Process:
        """The owner plans and sends; where the protocol learns that SS fell short, the next better plan follows."""
        row, feedback = self.row, self.arm.protocol.ss_feedback
        source_type = yield from self._identify()
        held = set(self.consumer.held_ids())
        plans = self.arm.plans(source_type, self.owner, self.consumer, row.wish_ss, held)
        if not plans:
            raise RequestEnded("the owner holds no encoder for this image", "no_provider")
        payload_class: PayloadClass = "code"
        while plans:
            plan, *rest = plans
            if feedback == "provider" and rest and (yield from self._rehearse(plan)) < row.wish_ss:
                plans = _better(rest, plan)
                if plans:
                    continue
            ticket = yield from self._serve(plan, payload_class)
            if feedback not in ("confidence", "oracle") or not (plans := _better(rest, plan)):
                return
            measurement = self.arm.plane.result(ticket)
            score = measurement.confidence if feedback == "confidence" else measurement.ss
            if score is None or score >= row.wish_ss:
                return
            row.attempts += 1
            payload_class = "enhancement"
            more = self._payload(Enhance(row.request_id, row.attempts), "control", "Enhance")
            yield from self._send(more, self.consumer, self.owner)
            self._check_deadline()

    def _identify(self) -> Process:
        """Source identification: costs compute, can err; asked only among the types that the owner can encode."""
        plane, row = self.arm.plane, self.row
        row.identified_as = self.item.source_type
        if self.arm.protocol.source_identification is not None:
            candidates = self.arm.encodable(self.owner, self.item)
            if len(candidates) > 1:
                ticket = plane.identify(self.item.item_id, candidates)
                row.compute_s += yield from self.owner.compute(plane.identification_flop)
                row.identified_as = plane.result(ticket)
        return row.identified_as

    def _rehearse(self, plan: Plan) -> Process:
        """``ss_feedback: provider``: the owner encodes, decodes and judges on its own; it has the image, not the label."""
        plane, codec = self.arm.plane, plan.codec
        flop = codec.encode_flop + codec.decode_flop + 2 * plane.task_flop(self.item.source_type)
        code = plane.result(plane.encode(self.item.item_id, codec.name))
        ticket = plane.measure(self.item.item_id, codec.name, code.data, codec.decoder_slices)
        self.row.compute_s += yield from self.owner.compute(flop)
        return plane.result(ticket).provider_score

    def _serve(self, plan: Plan, payload_class: PayloadClass) -> Process:
        """Code and missing slices travel; the consumer decodes. Returns the ticket of the judge's measurement."""
        row, plane, codec = self.row, self.arm.plane, plan.codec
        row.codec, row.predicted_ss = codec.name, plan.predicted_ss
        encoding = plane.encode(self.item.item_id, codec.name, raw=self._raw)
        waiting = [self._want(slice_) for slice_ in codec.decoder_slices]
        row.compute_s += yield from self.owner.compute(codec.encode_flop)
        code: Code = plane.result(encoding)
        self._check_deadline()
        message = CodeMessage(row.request_id, codec.name, b"" if self._raw else code.data)
        payload = self._payload(message, payload_class, f"Code {codec.name}", code.data if self._raw else b"")
        body = yield from self._send(payload, self.owner, self.consumer)
        row.stripped_byte += code.header_byte
        self._check_deadline()
        slices = yield from self._wait_for(codec.decoder_slices, waiting)
        self._check_deadline()
        flop = codec.decode_flop + plane.task_flop(self.item.source_type)
        row.compute_s += yield from self.consumer.compute(flop)
        self._check_deadline()
        received = body if self._raw else code.data
        delivery = DeliveryRow(
            self.arm.name, row.request_id, self.consumer.name, self.item.item_id, self.item.source_type, codec.name,
            self.env.now, " ".join(s.id for s in slices), len(received), code.header_byte,
            damaged=received != code.data or any(s.damaged for s in slices),
        )  # fmt: skip
        ticket = plane.measure(self.item.item_id, codec.name, received, slices, raw=self._raw)
        self.arm.delivered(delivery, row, ticket)
        self.network.timeline.add(self.env.now, self.consumer.name, f"decoded item {self.item.item_id} with {codec.name}")
        self._unpin()
        return ticket

    # ------------------------------------------------------------------ slices

    def _want(self, slice_: Slice) -> Slice | Event:
        """The slice if the consumer holds it (then it is pinned), else the event of its arrival.

        The consumer pins what its REQUEST declared and the plan uses, so a hit is counted when the plan is made.
        """
        node, now_s = self.consumer, self.env.now
        self.row.slices_needed += 1
        if slice_.id in node.provisioned:
            return slice_
        if node.store.get(slice_.id, now_s) is not None:
            node.store.pin(slice_.id, now_s)
            self._in_use.append(slice_.id)
            return node.damaged.get(slice_.id, slice_)
        self.row.slices_missed += 1
        if slice_.id not in node.fetching:
            node.fetching[slice_.id] = self.env.event()
            self.env.process(self._fetch(slice_))
        return node.fetching[slice_.id]

    def _fetch(self, slice_: Slice) -> Process:
        """Bring a missing slice; whoever waits for it at this node gets it, or the reason why not."""
        node = self.consumer
        outcome: Slice | RequestEnded
        try:
            for required in slice_.requires:
                if required in node.fetching:
                    yield node.fetching[required]
            outcome = yield from self.arm.propagation.bring(slice_, self)
            if self.network.install(node, slice_, outcome, self._fetch_cost_byte(slice_)):
                self.arm.directory.published(slice_, node.name)
        except RequestEnded as end:
            outcome = end
        node.fetching.pop(slice_.id).succeed(outcome)

    def _wait_for(self, slices: tuple[Slice, ...], waiting: list[Slice | Event]) -> Process:
        """All slices as they arrived; the time this takes beyond the code's arrival is ``model_fetch_s``."""
        began_s, arrived = self.env.now, []
        for slice_, coming in zip(slices, waiting, strict=True):
            if isinstance(coming, Event):
                outcome = yield coming
                if isinstance(outcome, RequestEnded):
                    raise outcome
                if self.consumer.store.holds(slice_.id, self.env.now):
                    self.consumer.store.pin(slice_.id, self.env.now)
                    self._in_use.append(slice_.id)
                coming = outcome
            arrived.append(coming)
        self.row.model_fetch_s += self.env.now - began_s
        return tuple(arrived)

    def _unpin(self) -> None:
        for slice_id in self._in_use:
            self.consumer.store.unpin(slice_id, self.env.now)
        self._in_use = []

    def push_from(self, source: Node, slice_: Slice, at_node: Callable[[str], None] | None = None) -> Process:
        """A node sends a slice to the consumer. Returns it as it arrived."""
        if not self._raw:
            yield from self._send(self.arm.slice_payload(slice_, self), source, self.consumer, at_node, on_meter=False)
            return slice_
        header, values = split_raw(slice_)
        message = SliceData(self.row.request_id, slice_.id, header)
        payload = self._payload(message, "model", f"SliceData {slice_.name}", values)
        body = yield from self._send(payload, source, self.consumer, at_node, on_meter=False)
        return join_raw(header, body, transfer=self.request_name)

    def pull_from(self, holder: Node, slice_: Slice) -> Process:
        """Ask a node for a slice. Returns it as it arrived, or None if the node no longer has it (NACK)."""
        message = SliceRequest(self.row.request_id, (slice_.id,))
        question = self._payload(message, "control", f"SliceRequest {slice_.name}")
        yield from self._send(question, self.consumer, holder, on_meter=False)
        if not holder.offers(slice_.id):
            refusal = self._payload(Nack(self.row.request_id, "not_held"), "control", f"Nack {slice_.name}")
            yield from self._send(refusal, holder, self.consumer, on_meter=False)
            return None
        return (yield from self.push_from(holder, slice_))

    def locate(self, slice_: Slice) -> Process:
        """The owner tells the consumer which slice it needs, and the directory who is nearest. Returns that node's name."""
        directory = self.arm.directory
        holder = directory.known(slice_, self.consumer.name, self.owner.name)
        message = SliceRef(self.row.request_id, (slice_.id,), holder or self.owner.name)
        reference = self._payload(message, "control", f"SliceRef {slice_.name}")
        yield from self._send(reference, self.owner, self.consumer, on_meter=False)
        if holder is None:
            holder = yield from directory.find(slice_, self)
        return holder

    # ------------------------------------------------------------------ sending

    @cached_property
    def _raw(self) -> bool:
        """Codes and slices travel without protection if any link between owner and consumer says so."""
        return any(
            link.wireless and link.radio.protection == "none"
            for link in self.network.routes.path(self.owner.name, self.consumer.name)
        )

    def _fetch_cost_byte(self, slice_: Slice) -> float:
        return slice_.n_byte * max(1, len(self.network.routes.path(self.owner.name, self.consumer.name)))

    def _payload(self, message: Message, payload_class: PayloadClass, label: str, body: bytes = b"") -> Payload:
        return Payload(encode_message(message), payload_class, label, self.row.request_id, self.request_name, body)

    def _send(
        self, payload: Payload, origin: Node, target: Node, at_node: Callable[[str], None] | None = None, on_meter: bool = True
    ) -> Process:  # fmt: skip
        """Bring a payload to a node and count its bytes; ``on_meter``: the request waits for it, so its times count."""
        column = f"{payload.payload_class}_byte"
        setattr(self.row, column, getattr(self.row, column) + payload.n_byte)
        meter = self.row if on_meter else None
        return (yield from self.network.send(payload, origin.name, target.name, at_node, meter))

    def _hop(self, payload: Payload, sender: str, link: Any) -> Process:
        yield from self.network.send_hop(payload, sender, link, self.row)

    # ------------------------------------------------------------------ end

    def _check_deadline(self) -> None:
        if self.env.now > self.row.created_s + self.row.deadline_s:
            raise RequestEnded("too late", "timeout")

    def _end(self, outcome: Any) -> None:
        self.row.outcome = outcome
        self.row.ended_s = self.env.now
        self.network.timeline.add(self.env.now, self.consumer.name, f"request {self.row.request_id} ended: {outcome}")


def _better(plans: list[Plan], than: Plan) -> list[Plan]:
    """The plans that promise more SS."""
    return [plan for plan in plans if plan.predicted_ss > than.predicted_ss]
