"""One arm of a scenario: its network, its protocol, its requests."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from simnet.core import streams
from simnet.core.plugins import KINDS
from simnet.core.records import Recorder
from simnet.core.tables import DeliveryRow, RequestRow
from simnet.net.accounting import check_accounts
from simnet.net.assembly import AnyLink
from simnet.net.clock import Clock
from simnet.net.decoder_exchange import DecoderExchange
from simnet.net.deltas import Deltas
from simnet.net.directory import DIRECTORIES
from simnet.net.exchange import Exchange
from simnet.net.image_exchange import ImageExchange
from simnet.net.network import Network
from simnet.net.node import Node
from simnet.net.planner import Plan, Planner
from simnet.net.protect import split_for
from simnet.net.timeline import Timeline
from simnet.scenario.schema import Protocol, Scenario
from simnet.signal.plane import CodecProfile, Measurement, SignalPlane, Ticket
from simnet.topology.plan import NetworkPlan
from simnet.traffic.base import CatalogueItem, RequestPlan
from simnet.wire.lazy_frames import SliceFrame
from simnet.wire.slices import Slice

Progress = Callable[[float], None]
Arrival = tuple[int, RequestPlan]
"""A request's id, and what it is."""


@dataclass
class Arm:
    """One arm. All arms of a run share the catalogue, the requests and the channel; they differ in ``protocol``."""

    name: str
    scenario: Scenario
    protocol: Protocol
    plan: NetworkPlan
    catalogue: Sequence[CatalogueItem]
    plane: SignalPlane
    recorder: Recorder
    timeline: Timeline

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.decoders = self._slices_of("decoder_slices")
        slices = {**self.decoders, **self._slices_of("encoder_slices")}
        self.network = Network(
            self.clock,
            self.name,
            self.scenario,
            self.protocol,
            self.plan,
            self.plane,
            self.recorder,
            self.timeline,
            slices,
        )
        self._provision()
        strategy = KINDS["propagation"].load(self.protocol.propagation.kind)
        self.propagation = strategy(self.protocol.propagation.params, self.network)
        self.directory = DIRECTORIES[self.protocol.directory](self.network)
        self.planner = Planner(self.protocol.planner, self.network.routes, may_fetch=self.propagation.may_fetch)
        self.propagation.prepare(self._slices_of("decoder_slices", in_use=True))
        self.deltas = Deltas(self.decoders, wanted=self.protocol.deltas)
        self._judged: list[tuple[DeliveryRow, RequestRow, Ticket[Measurement]]] = []
        self._slice_frames: dict[str, SliceFrame] = {}
        self._raw_parts: dict[str, tuple[bytes, bytes]] = {}
        self._decoders_of: dict[str, tuple[Slice, ...]] = {}
        self._items = {item.item_id: item for item in self.catalogue}

    def run(self, requests: Iterator[RequestPlan], progress: Progress) -> dict[str, Any]:
        """Simulate until ``duration_s`` + ``drain_s``; then measure, settle every outcome, check the accounts.

        Args:
            requests: in order of time.

        Returns:
            The accounts, as they go into the manifest.

        Raises:
            AccountingError: they don't add up.
        """
        self.simulate(requests, progress)
        self.settle()
        return check_accounts(self.recorder, self.name)

    def simulate(self, requests: Iterator[RequestPlan], progress: Progress) -> None:
        """The event loop of :meth:`run`, until the end of the simulated time."""
        self.start(requests)
        end_s = self.scenario.duration_s + self.scenario.drain_s
        step_s = end_s / 100
        for step in range(1, 101):
            self.clock.run(until=step * step_s if step < 100 else end_s)
            progress(step / 100)
        self.network.close()

    def start(self, requests: Iterator[RequestPlan]) -> None:
        """Let traffic begin; ``clock`` moves on time."""
        arrivals = enumerate(requests)
        self._await(next(arrivals, None), arrivals)

    @property
    def requests(self) -> list[RequestRow]:
        """Rows of the requests that have been made."""
        return list(self.network.requests.values())

    def _slices_of(self, attribute: str, *, in_use: bool = False) -> dict[str, Slice]:
        """Slices of the arm's codecs, or of those that may be used now, by id, in the scenario's order."""
        return {
            slice_.id: slice_
            for names in self.protocol.codecs.values()
            for name in names
            if not in_use or self.in_use(name)
            for slice_ in getattr(self.plane.codecs[name], attribute)
        }

    def _provision(self) -> None:
        """Owners are built with both sides of the codecs of what they own; repositories with every decoder."""
        types: dict[str, dict[str, None]] = {}
        for item in self.catalogue:
            types.setdefault(item.owner, {})[item.source_type] = None
        for node in self.network.nodes.values():
            built_in: dict[str, Slice] = {}
            for source_type in types.get(node.name, ()):
                for codec in self._codecs(source_type):
                    built_in.update({s.id: s for s in (*codec.encoder_slices, *codec.decoder_slices)})
            if node.plan.tier in self.protocol.repositories:
                built_in.update(self.decoders)
            self.network.provision(node, built_in.values())

    def _codecs(self, source_type: str) -> list[CodecProfile]:
        return [self.plane.codecs[name] for name in self.protocol.codecs.get(source_type, ())]

    def _await(self, coming: Arrival | None, others: Iterator[Arrival]) -> None:
        """Have traffic wake the consumer when its time comes."""
        if coming is None:
            return
        self.clock.alarm(coming[1].time_s).callbacks.append(lambda event: self._arrive(coming, others))

    def _arrive(self, coming: Arrival, others: Iterator[Arrival]) -> None:
        """A consumer wishes. The next arrival is noted first: the clock must know what is due."""
        self._await(next(others, None), others)
        request_id, (time_s, consumer, item_id, index) = coming
        item = self._items[item_id]
        _, source_type, owner = item
        wish = self.scenario.sources[source_type].wish
        wanted = wish.ss if self.protocol.wish_ss is None else self.protocol.wish_ss
        wish_ss = wanted if isinstance(wanted, float) else self._drawn_ss(wanted, consumer, source_type)
        row = RequestRow(self.name, request_id, consumer, owner, item_id, source_type, time_s, wish_ss, wish.deadline_s)
        self.network.requests[request_id] = self.recorder.add(row)
        if self.timeline.wanted:
            self.timeline.add(self.clock.now, consumer, "wishes item {} of {}", item_id, owner)
        exchange: Exchange = (
            DecoderExchange(self, row, item, index)
            if wish.task == "decoder"
            else ImageExchange(self, row, item, index, wish.task)
        )
        self.clock.start(exchange.run())

    def _drawn_ss(self, wanted: Sequence[float], consumer: str, source_type: str) -> float:
        """Which of these a consumer wants of a source type, in every arm the same."""
        return wanted[int(streams.uniform(self.scenario.seed, "wish", consumer, source_type) * len(wanted))]

    # ------------------------------------------------------------------ what exchanges ask

    def in_use(self, codec: str) -> bool:
        """Whether owners may use a codec now: it is released and not retired."""
        protocol, now_s = self.protocol, self.clock.now
        return protocol.releases.get(codec, 0.0) <= now_s < protocol.retires.get(codec, math.inf)

    def decoders_of(self, source_type: str) -> tuple[Slice, ...]:
        """The decoder slices of a source type's codecs that are in use, each after those that it requires."""
        decoders = self._decoders_of.get(source_type)
        if decoders is None:
            codecs, protocol = self._codecs(source_type), self.protocol
            changing = protocol.releases or protocol.retires
            if changing:
                codecs = [codec for codec in codecs if self.in_use(codec.name)]
            decoders = tuple({s.id: s for codec in codecs for s in codec.decoder_slices}.values())
            if not changing:
                self._decoders_of[source_type] = decoders
        return decoders

    def candidates(self, owner: Node, item: CatalogueItem) -> tuple[str, ...]:
        """Source types of the item's image size that the owner can encode."""
        shape = self.plane.image_shape(item.source_type)
        return tuple(
            t for t in self.protocol.codecs if self.plane.image_shape(t) == shape and self.encodable_with(owner, t)
        )

    def encodable_with(self, owner: Node, source_type: str) -> list[CodecProfile]:
        """Codecs in use that are allowed for this source type and whose encoder the owner holds."""
        return [
            codec
            for codec in self._codecs(source_type)
            if self.in_use(codec.name) and all(slice_.id in owner.provisioned for slice_ in codec.encoder_slices)
        ]

    def plans(
        self, codecs: Sequence[CodecProfile], source_type: str, owner: Node, consumer: Node, wish_ss: float,
        held: Collection[str],
    ) -> list[Plan]:  # fmt: skip
        """The planner's ranking of what this owner can do for this consumer, as if it sent what is missing itself."""
        everything = self.protocol.protect.everything
        esno_db = None if everything else self.network.unprotected_esno_db(owner.name, consumer.name)
        return self.planner.rank(
            codecs,
            source_type,
            wish_ss=wish_ss,
            held=held,
            owner=owner.name,
            consumer=consumer.name,
            mean_esno_db=esno_db,
            fetch_byte=lambda slice_: self._fetch_byte(slice_, owner, consumer, held),
            others=self._other_versions(source_type, owner, consumer, held),
        )

    def _fetch_byte(self, slice_: Slice, owner: Node, consumer: Node, held: Collection[str]) -> int:
        """Bytes by which the owner would send a slice."""
        if not self.deltas.others(slice_) or self.raw_slices(self.network.routes.path(owner.name, consumer.name)):
            return slice_.n_byte
        delta = self.deltas.best(slice_, [slice_id for slice_id in held if owner.offers(slice_id)])
        return slice_.n_byte if delta is None else delta.n_byte

    def _other_versions(
        self, source_type: str, owner: Node, consumer: Node, held: Collection[str]
    ) -> Callable[[CodecProfile], list[CodecProfile]] | None:
        """Other versions of a codec whose decoders this consumer holds, and the owner too: it encodes for them.

        None for codes in the raw layout, which are made for the codec's own decoder.
        """
        if self.protocol.mixed_versions == "refuse" or self.raw_codes(owner, consumer):
            return None
        possible = [
            other
            for other in self._codecs(source_type)
            if other.decoder_slices and all(s.id in held and owner.offers(s.id) for s in other.decoder_slices)
        ]
        return lambda codec: [other for other in possible if codec.other_version(other)]

    def raw_codes(self, owner: Node, consumer: Node) -> bool:
        """Whether codes travel from one node to another in the raw layout of ``protection: none``."""
        return self.protocol.protect.code == "none" and self.network.unprotected(owner.name, consumer.name)

    def raw_slices(self, links: Sequence[AnyLink]) -> bool:
        """Whether slices travel over these links in the raw layout of ``protection: none``."""
        return self.protocol.protect.model != "all" and self.network.lets_errors_through(links)

    def slice_frame(self, slice_: Slice) -> SliceFrame:
        """A clean slice as a message; one for all, for bulk data names no request."""
        frame = self._slice_frames.get(slice_.id)
        if frame is None:
            frame = self._slice_frames[slice_.id] = SliceFrame(slice_)
        return frame

    def raw_parts(self, slice_: Slice) -> tuple[bytes, bytes]:
        """A clean slice for links without protection: header, and the body that ``protect`` leaves over; made once."""
        if slice_.id not in self._raw_parts:
            self._raw_parts[slice_.id] = split_for(self.protocol.protect, slice_)
        return self._raw_parts[slice_.id]

    def delivered(self, delivery: DeliveryRow, row: RequestRow, ticket: Ticket[Measurement]) -> None:
        """A consumer has decoded an item; the judge will fill in what it was worth."""
        self._judged.append((self.recorder.add(delivery), row, ticket))

    # ------------------------------------------------------------------ the end

    def settle(self) -> None:
        """Fill in what the judge measured, and give each request its one outcome."""
        for delivery, row, ticket in self._judged:
            m = self.plane.result(ticket)
            for name in ("st_original", "st_recovered", "ss", "judge_unsure", "correct_original", "correct_recovered",
                         "psnr_db", "ssim"):  # fmt: skip
                setattr(delivery, name, getattr(m, name))
            if row.outcome == "satisfied":
                row.ss = m.ss  # of the last delivery, if there are several
        for row in self.requests:
            due_s = row.created_s + row.deadline_s
            if row.ended_s is None and self.clock.now > due_s:
                row.outcome, row.ended_s = "timeout", due_s
            if row.outcome != "satisfied":
                row.ss = 0.0
            elif row.ss is not None and row.ss < row.wish_ss:
                row.outcome = "below_wish"
