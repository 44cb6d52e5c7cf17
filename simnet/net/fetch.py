"""One slice on its way to one node; all requests of that node that need it wait for the same arrival."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any

import simpy

from simnet.net.assembly import AnyLink
from simnet.net.errors import RequestEnded
from simnet.net.node import Node
from simnet.wire.messages import Nack, SliceData, SliceRef, SliceRequest
from simnet.wire.slices import Slice, join_raw

if TYPE_CHECKING:
    from simnet.net.exchange import Exchange
    from simnet.net.network import AtNode

Bring = Callable[["Fetch"], Generator[simpy.Event, Any, Slice]]
"""A strategy's way of bringing a slice: ``Propagation.bring`` or ``bring_again``."""
Keep = Callable[[Node, Slice], None]
"""Told of each node that a slice reaches on its way, with the slice as it arrived there."""


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
        self, source: Node, keep: Keep | None = None, *, links: Sequence[AnyLink] | None = None
    ) -> Generator[simpy.Event, Any, Slice]:
        """Process: a node sends the slice to the consumer, by the route or these links. Returns it as it arrived."""
        exchange, slice_, network = self.exchange, self.slice_, self.exchange.arm.network
        if links is None:
            links = network.routes.path(source.name, self.consumer.name)
        if exchange.arm.protocol.protect.model != "all" and network.lets_errors_through(links):
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
                (lambda node, body: keep(node, arrived_at(node, body)))
                if header
                else (lambda node, _: keep(node, slice_))
            )
        pinned = source.pin(slice_.id)
        try:
            body = yield from exchange.send_along(links, payload, source, waits=False, at_node=passed)
        finally:
            if pinned:
                source.unpin(slice_.id)
        return arrived_at(self.consumer, body)

    def pull_from(self, holder: Node) -> Generator[simpy.Event, Any, Slice | None]:
        """Process: ask a node for the slice. Returns it as it arrived, or None if the node no longer has it (NACK)."""
        exchange, slice_ = self.exchange, self.slice_
        question = exchange.payload(SliceRequest(exchange.index, (slice_.id,)), "control", slice_.name)
        yield from exchange.send(question, self.consumer, holder, waits=False)
        if holder.offers(slice_.id):
            return (yield from self.push_from(holder))
        refusal = exchange.payload(Nack(exchange.index, "not_held"), "control", slice_.name)
        yield from exchange.send(refusal, holder, self.consumer, waits=False)
        return None

    def pull_along(self, keep: Keep) -> Generator[simpy.Event, Any, Slice]:
        """Process: ask for the slice on the way to the owner; the first node that has it sends it back the same way.

        Asking is a use of the stores that are asked: a hit, or a miss.
        """
        exchange, slice_ = self.exchange, self.slice_
        links = exchange.arm.network.routes.path(self.consumer.name, self.owner.name)
        question = exchange.payload(SliceRequest(exchange.index, (slice_.id,)), "control", slice_.name)
        asked: list[Node] = []

        def answers(node: Node, body: bytes) -> bool:
            asked.append(node)
            held = node.use(slice_)
            return held is not None and not held.damaged

        yield from exchange.send_along(links, question, self.consumer, waits=False, at_node=answers)
        return (yield from self.push_from(asked[-1], keep, links=links[: len(asked)][::-1]))

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
