"""One slice on its way to one node; all requests of that node that need it wait for the same arrival."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Sequence
from typing import TYPE_CHECKING, Any

import simpy

from simnet.net.assembly import AnyLink
from simnet.net.deltas import Delta
from simnet.net.errors import RequestEnded
from simnet.net.node import Node
from simnet.net.payload import Payload
from simnet.wire.ids import short_id
from simnet.wire.messages import Nack, SliceData, SliceRef, UpdateRequest
from simnet.wire.slices import Slice, join_raw

if TYPE_CHECKING:
    from simnet.net.exchange import Exchange
    from simnet.net.network import AtNode

Bring = Callable[["Fetch"], Generator[simpy.Event, Any, Slice]]
"""A strategy's way of bringing a slice: ``Propagation.bring`` or ``bring_again``."""
Keep = Callable[["Fetch", Node, Slice], None]
"""Told of each node that a fetch's slice reaches on its way, with the slice as it arrived there."""


class Fetch:
    """Begun as a process of its own, which goes on when the request that began it has ended.

    Args:
        exchange: the request that began it: the bytes count there.
    """

    __slots__ = (
        "_arrival", "_begun", "_bring", "_outcome", "_waiting", "consumer", "exchange", "owner", "slice_",
    )  # fmt: skip

    def __init__(self, exchange: Exchange, slice_: Slice, bring: Bring) -> None:
        self.exchange = exchange
        self.slice_ = slice_
        self.consumer = exchange.consumer
        self.owner = exchange.owner
        self._bring = bring
        self._begun = False
        self._outcome: Slice | RequestEnded | None = None
        self._arrival: simpy.Event | None = None
        """If somebody waits for it."""
        self._waiting: list[Exchange] = []

    @classmethod
    def joined(cls, exchange: Exchange, slice_: Slice, bring: Bring) -> Fetch:
        """The fetch of this slice to the exchange's consumer: the one under way, else a new one, to be begun."""
        fetches = exchange.consumer.fetches
        fetch = fetches.get(slice_.id)
        if fetch is None:
            fetch = fetches[slice_.id] = cls(exchange, slice_, bring)
        fetch._waiting.append(exchange)
        return fetch

    def begin(self) -> None:
        """Begin, unless it has begun."""
        if not self._begun:
            self._begun = True
            self.exchange.clock.process(self._run())

    def result(self) -> Generator[simpy.Event, Any, Slice]:
        """Process: wait for the slice as it arrives. If the fetch has not begun, it is done here and now.

        Raises:
            RequestEnded: it can't be brought.
        """
        if not self._begun:
            self._begun = True
            yield from self._run()
        elif self._outcome is None:
            if self._arrival is None:
                self._arrival = self.exchange.clock.event()
            yield self._arrival
        outcome = self._outcome
        if isinstance(outcome, RequestEnded):
            raise RequestEnded(str(outcome), outcome.outcome)  # each waiting process raises its own
        assert outcome is not None
        return outcome

    def _run(self) -> Generator[simpy.Event, Any, None]:
        outcome: Slice | RequestEnded
        try:
            for required in self.slice_.requires:
                if required in self.consumer.fetches:
                    yield from self.consumer.fetches[required].result()
            outcome = yield from self._bring(self)
            self._install(outcome)
        except RequestEnded as end:
            outcome = end
        del self.consumer.fetches[self.slice_.id]
        self._outcome = outcome
        if self._arrival is not None:
            self._arrival.succeed()

    def _install(self, arrived: Slice) -> None:
        """Store it, pinned by those who wait for it."""
        arm = self.exchange.arm
        n_hop = len(arm.network.routes.path(self.owner.name, self.consumer.name))
        if not arm.network.install(self.consumer, self.slice_, arrived, self.slice_.n_byte * n_hop):
            return
        for exchange in self._waiting:
            exchange.pin(self.slice_.id)
        if not arrived.damaged:
            arm.directory.published(self.slice_, self.consumer.name)

    # ------------------------------------------------------------------ what strategies do

    def push_from(
        self, source: Node, keep: Keep | None = None, *, links: Sequence[AnyLink] | None = None,
        bases: Collection[str] | None = None,
    ) -> Generator[simpy.Event, Any, Slice]:  # fmt: skip
        """Process: a node sends the slice to the consumer, by the route or these links. Returns it as it arrived.

        Args:
            bases: ids from which the consumer can take a delta; None: all that the REQUEST named.
        """
        exchange, slice_, network = self.exchange, self.slice_, self.exchange.arm.network
        if links is None:
            links = network.routes.path(source.name, self.consumer.name)
        raw = exchange.arm.raw_slices(links)
        if not raw and (delta := self._delta(source, exchange.declared if bases is None else bases)) is not None:
            return (yield from self._push_delta(delta, source, links, keep))
        if raw:
            header, values = exchange.arm.raw_parts(slice_)
            payload = exchange.payload(SliceData(exchange.index, slice_.id, header), "model", slice_.name, values)
        else:
            header, payload = b"", exchange.clean_slice(slice_)

        def arrived_at(node: Node, body: bytes) -> Slice:
            if not header:
                return slice_
            return join_raw(header, body, transfer=f"{payload.request_name}.{payload.repeat}@{node.name}")

        passed: AtNode | None = None
        if keep is not None:
            passed = (
                (lambda node, body: keep(self, node, arrived_at(node, body)))
                if header
                else (lambda node, _: keep(self, node, slice_))
            )
        pinned = source.pin(slice_.id)
        try:
            body = yield from exchange.send_along(links, payload, source, waits=False, at_node=passed)
        finally:
            if pinned:
                source.unpin(slice_.id)
        return arrived_at(self.consumer, body)

    def _delta(self, source: Node, bases: Collection[str]) -> Delta | None:
        """What a node that has the slice can send instead to who holds one of ``bases``."""
        deltas = self.exchange.arm.deltas
        others = deltas.others(self.slice_)
        known = [old.id for old in others if old.id in bases and source.offers(old.id)] if others else []
        return deltas.best(self.slice_, known) if known else None

    def _push_delta(
        self, delta: Delta, source: Node, links: Sequence[AnyLink], keep: Keep | None
    ) -> Generator[simpy.Event, Any, Slice]:
        """Process: send a delta. Who has lost the old slice when it arrives asks for the whole new one.

        Nodes on the way that hold the old slice too may keep the new one.
        """
        exchange, slice_, old = self.exchange, self.slice_, delta.old
        passed: AtNode | None = None
        if keep is not None:
            passed = lambda node, _: keep(self, node, slice_) if node.offers(old.id) else None  # noqa: E731
        pinned = source.pin(slice_.id)
        try:
            yield from exchange.send_along(links, exchange.delta(delta), source, waits=False, at_node=passed)
        finally:
            if pinned:
                source.unpin(slice_.id)
        if self.consumer.offers(old.id):
            return slice_
        for holder in dict.fromkeys((source, self.owner)):
            arrived = yield from self.pull_from(holder, whole=True)
            if arrived is not None:
                return arrived
        raise RequestEnded(f"{slice_.name} is missing, and nobody brings the whole of it", "no_decoder")

    def _question(self, bases: Collection[str]) -> Payload:
        """SLICE_REQUEST; or UPDATE_REQUEST, which names what the consumer could take a delta from."""
        if not bases:
            return self.exchange.slice_request(self.slice_)
        question = UpdateRequest(self.exchange.index, (self.slice_.id,), tuple(map(short_id, bases)))
        return self.exchange.payload(question, "control", self.slice_.name)

    def _bases(self, links: Sequence[AnyLink]) -> list[str]:
        """Ids of the consumer's clean slices of this slice's name; none where slices come raw."""
        arm = self.exchange.arm
        others = arm.deltas.others(self.slice_)
        if not others or arm.raw_slices(links):
            return []
        return [old.id for old in others if self.consumer.offers(old.id)]

    def pull_from(self, holder: Node, *, whole: bool = False) -> Generator[simpy.Event, Any, Slice | None]:
        """Process: ask a node for the slice. Returns it as it arrived, or None if the node no longer has it (NACK).

        Args:
            whole: a delta won't do.
        """
        exchange, slice_ = self.exchange, self.slice_
        links = exchange.arm.network.routes.path(self.consumer.name, holder.name)
        bases = [] if whole else self._bases(links)
        yield from exchange.send_along(links, self._question(bases), self.consumer, waits=False)
        if holder.offers(slice_.id):
            return (yield from self.push_from(holder, bases=bases))
        refusal = exchange.payload(Nack(exchange.index, "not_held"), "control", slice_.name)
        yield from exchange.send(refusal, holder, self.consumer, waits=False)
        return None

    def pull_along(self, keep: Keep) -> Generator[simpy.Event, Any, Slice]:
        """Process: ask for the slice on the way to the owner; the first node that has it sends it back the same way.

        Asking is a use of the stores that are asked: a hit, or a miss.
        """
        exchange, slice_ = self.exchange, self.slice_
        links = exchange.arm.network.routes.path(self.consumer.name, self.owner.name)
        bases = self._bases(links)
        question = self._question(bases)
        asked: list[Node] = []

        def answers(node: Node, body: bytes) -> bool:
            asked.append(node)
            held = node.use(slice_)
            return held is not None and not held.damaged

        yield from exchange.send_along(links, question, self.consumer, waits=False, at_node=answers)
        return (yield from self.push_from(asked[-1], keep, links=links[: len(asked)][::-1], bases=bases))

    def locate(self) -> Generator[simpy.Event, Any, Node]:
        """Process: the owner tells the consumer which slice it needs, and the directory who is nearest."""
        exchange, directory = self.exchange, self.exchange.arm.directory
        known = directory.known(self)
        message = SliceRef(exchange.index, (self.slice_.id,), known or self.owner.name)
        reference = exchange.payload(message, "control", self.slice_.name)
        yield from exchange.send(reference, self.owner, self.consumer, waits=False)
        return exchange.arm.network.nodes[known] if known else (yield from self.find())

    def find(self) -> Generator[simpy.Event, Any, Node]:
        """Process: the directory tells the consumer who offers the slice nearest to it."""
        arm = self.exchange.arm
        return arm.network.nodes[(yield from arm.directory.find(self))]
