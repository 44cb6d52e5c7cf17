"""The life of a request for an image (DESIGN §4): ask, plan, bring code and slices, decode."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from simnet.core.tables import DeliveryRow, PayloadClass, RequestRow
from simnet.net.errors import RequestEnded
from simnet.net.exchange import Exchange, Process
from simnet.net.node import Node
from simnet.net.payload import Payload, Symbols
from simnet.net.planner import Plan
from simnet.signal.plane import Code, CodecProfile, Measurement
from simnet.traffic.base import CatalogueItem
from simnet.wire.ids import short_id
from simnet.wire.messages import MAX_SHORT_IDS, Enhance, Nack, Request, encode_message
from simnet.wire.messages import Code as CodeMessage

if TYPE_CHECKING:
    from simnet.net.arm import Arm

ANALOG_HEADER = struct.Struct("<II")
"""Before an analog code's symbols: how many come, and how many go back in between."""


class ImageExchange(Exchange):
    """One request for an image, from the wish to the recovered image.

    Args:
        task: what the consumer wishes it for.
    """

    def __init__(self, arm: Arm, row: RequestRow, item: CatalogueItem, index: int, task: str) -> None:
        super().__init__(arm, row, item, index)
        self.task = task
        self.offered: dict[str, Node] = {}
        self.declared: dict[str, None] = {}
        self._codes: dict[tuple[str, str], Code] = {}
        """By codec, and codec whose decoder decodes."""
        self._layers: set[str] = set()
        """Names of the code's layers that the consumer has received."""
        self._original_judged = False

    def _live(self) -> Process:
        yield from self._ask()
        yield from self._answer()

    # ------------------------------------------------------------------ ask

    def _ask(self) -> Process:
        """REQUEST travels to the item's owner, with the hashes of the slices that the consumer holds or expects.

        Of more than a message can name, those that came last.
        """
        declared = [*self.consumer.held_ids(), *self.consumer.fetches]
        self.declared = dict.fromkeys(declared[-MAX_SHORT_IDS:])
        node, named, known_byte = self.consumer, dict(self.declared), 0
        payload = self._request(named)
        for link in self.network.routes.path(self.consumer.name, self.owner.name):
            self.row.control_byte += payload.n_byte - known_byte
            known_byte = payload.n_byte
            yield from self.network.send_along([link], payload, node.name, latency=self._latency)
            node = self.network.nodes[link.other(node.name)]
            offers = [] if node is self.owner else self.arm.propagation.passing(node)
            new = [slice_id for slice_id in offers if slice_id not in named][: MAX_SHORT_IDS - len(named)]
            if new:
                named.update(dict.fromkeys(new))
                payload = self._request(named)
            for slice_id in offers:
                if slice_id in named:
                    self.offered.setdefault(slice_id, node)
        self._check_deadline()

    def _request(self, named: dict[str, None]) -> Payload:
        row = self.row
        held = tuple(short_id(slice_id) for slice_id in named)
        return self.payload(Request(self.index, row.item_id, self.task, row.wish_ss, row.deadline_s, held), "control")

    # ------------------------------------------------------------------ answer

    def _answer(self) -> Process:
        """The owner plans and sends; where the protocol learns that SS fell short, the next better plan follows."""
        row, feedback = self.row, self.arm.protocol.ss_feedback
        source_type = yield from self._identify()
        codecs = self.arm.encodable_with(self.owner, source_type)
        if not codecs:
            yield from self._refuse("no_provider")
        plans = self.arm.plans(codecs, source_type, self.owner, self.consumer, row.wish_ss, self.declared)
        if not plans:
            yield from self._refuse("no_decoder")
        if feedback == "provider":
            plans = yield from self._rehearsed(plans)
        payload_class: PayloadClass = "code"
        while True:
            plan = plans[0]
            measurement = yield from self._serve(plan, payload_class)
            plans = _better(plans, plan)
            if measurement is None or not plans:
                return
            score = measurement.confidence if feedback == "confidence" else measurement.ss
            if score is None or score >= row.wish_ss:
                return
            more = self.payload(Enhance(self.index, row.attempts), "control")
            yield from self.send(more, self.consumer, self.owner)
            self._check_deadline()
            payload_class = "enhancement"

    def _identify(self) -> Process:
        """Source identification: costs compute, can err; asked only among the types that the owner can encode."""
        plane, row = self.arm.plane, self.row
        row.identified_as = self.item.source_type
        if self.arm.protocol.source_identification is not None:
            candidates = self.arm.candidates(self.owner, self.item)
            if len(candidates) > 1:
                ticket = plane.identify(self.item.item_id, candidates)
                yield from self._compute(self.owner, plane.identification_flop)
                row.identified_as = plane.result(ticket)
        return row.identified_as

    def _refuse(self, reason: Literal["no_provider", "no_decoder"]) -> Process:
        """The owner answers with a NACK, and the request ends."""
        yield from self.send(self.payload(Nack(self.index, reason), "control"), self.owner, self.consumer)
        raise RequestEnded(f"{self.owner.name} refuses", reason)

    def _rehearsed(self, plans: list[Plan]) -> Process:
        """``ss_feedback: provider``: the owner encodes, decodes and judges on its own until a plan is good enough.

        It has the image, not the label. The plan that promises most needs no rehearsal. Returns the plans from there.
        """
        plane, item = self.arm.plane, self.item
        while better := _better(plans, plans[0]):
            if plans[0].codec.analog is not None:  # nobody can rehearse what the air does: the prediction must do
                if plans[0].predicted_ss >= self.row.wish_ss:
                    return plans
                plans = better
                continue
            codec, decoder = plans[0].codec, plans[0].decoder
            code = yield from self._encode(codec, decoder)
            ticket = plane.measure(item.item_id, codec.name, code.data, decoder.decoder_slices, raw=self._raw)
            n_judged = 1 if self._original_judged else 2
            self._original_judged = True
            yield from self._compute(self.owner, decoder.decode_flop + n_judged * plane.task_flop(item.source_type))
            if plane.result(ticket).provider_score >= self.row.wish_ss:
                return plans
            plans = better
        return plans

    def _serve(self, plan: Plan, payload_class: PayloadClass) -> Process:
        """Code and missing slices travel; the consumer decodes.

        Returns:
            What it was worth, if the protocol reacts to it; else None.
        """
        row, plane, codec = self.row, self.arm.plane, plan.codec
        row.attempts += 1
        if row.ended_s is None:
            row.codec, row.predicted_ss = codec.name, plan.predicted_ss
        bring = self.arm.propagation.bring
        if not codec.by_content:
            self._expect(plan.missing, bring)
        code: Code = yield from self._encode(codec, plan.decoder)
        needed = code.needed(plan.decoder.decoder_slices)
        if codec.by_content:
            self._expect([s for s in plan.missing if s in needed], bring)
        self._check_deadline()
        analog = None if codec.analog is None else Symbols(codec.analog.uses)
        n_side = 0 if codec.analog is None else codec.analog.side_byte
        raw_layout = analog is None and self._raw
        if analog is not None:
            framed, raw = ANALOG_HEADER.pack(*analog.uses) + code.data[:n_side], b""
        else:
            framed, raw = (b"", code.data) if raw_layout else (self._unsent(code), b"")
        name = f"{codec.name}+{plan.decoder.name}" if plan.mixed else codec.name
        payload = self.payload(CodeMessage(self.index, name, framed), payload_class, name, raw, analog)
        row.stripped_byte += code.header_byte if raw_layout else self._saved_byte(payload, name, code)
        body = yield from self.send(payload, self.owner, self.consumer)
        self._check_deadline()
        self._layers.update(name for name, _ in code.layers)
        # what the consumer has lost since it asked, it asks for again
        slices = yield from self._gather(needed, self.arm.propagation.bring_again)
        self._check_deadline()
        yield from self._compute(self.consumer, plan.decoder.decode_flop + plane.task_flop(self.item.source_type))
        self._check_deadline()
        self._unpin()
        received = body if raw_layout else code.data
        delivery = DeliveryRow(
            self.arm.name, row.request_id, self.consumer.name, self.item.item_id, self.item.source_type, codec.name,
            self.clock.now, " ".join(s.id for s in slices), len(received) if analog is None else n_side,
            code.header_byte,
            damaged=received != code.data or any(s.damaged for s in slices),
            mixed_with=plan.decoder.name if plan.mixed else None,
        )  # fmt: skip
        air = None if analog is None else analog.air
        ticket = plane.measure(self.item.item_id, codec.name, received, slices, raw=raw_layout, air=air)
        self.arm.delivered(delivery, row, ticket)
        facts = self.item.item_id, codec.name
        self.network.timeline.add(self.clock.now, self.consumer.name, "decoded item {} with {}", *facts)
        row.codec, row.predicted_ss = codec.name, plan.predicted_ss
        self._end("satisfied")  # or below_wish, once the judge has measured
        reacts = self.arm.protocol.ss_feedback in ("confidence", "oracle")
        measurement: Measurement | None = plane.result(ticket) if reacts else None
        return measurement

    def _encode(self, codec: CodecProfile, decoder: CodecProfile) -> Process:
        """The owner encodes the item for a decoder; what it has encoded for this request before, it still has."""
        key = codec.name, decoder.name
        if key not in self._codes:
            raw = codec.analog is None and self._raw
            ticket = self.arm.plane.encode(self.item.item_id, codec.name, raw=raw, decoder=decoder.name)
            yield from self._compute(self.owner, codec.encode_flop)
            self._codes[key] = self.arm.plane.result(ticket)
        return self._codes[key]

    def _unsent(self, code: Code) -> bytes:
        """A code, or those of its layers that no earlier code of this request has brought."""
        if not self._layers.intersection(name for name, _ in code.layers):
            return code.data
        return b"".join(layer for name, layer in code.layers if name not in self._layers)

    def _saved_byte(self, payload: Payload, name: str, code: Code) -> int:
        """What a message would save without the fixed header of the code's format: compressed, that is less."""
        if not code.header_byte:
            return 0
        return payload.n_byte - len(encode_message(CodeMessage(self.index, name, code.bare)))

    @property
    def _raw(self) -> bool:
        """Whether the code travels in the raw layout of ``protection: none``."""
        return self.arm.raw_codes(self.owner, self.consumer)

    def _compute(self, node: Node, flop: float) -> Process:
        self._latency.compute_s += yield from node.compute(flop)


def _better(plans: Sequence[Plan], than: Plan) -> list[Plan]:
    """The plans that promise more SS."""
    return [plan for plan in plans if plan.predicted_ss > than.predicted_ss]
