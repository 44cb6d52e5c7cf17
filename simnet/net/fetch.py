"""One slice on its way to one node; all requests of that node that need it wait for the same arrival."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import simpy

from simnet.net.errors import RequestEnded
from simnet.net.node import Node
from simnet.wire.messages import Nack, SliceData, SliceRef, SliceRequest
from simnet.wire.slices import Slice, join_raw

if TYPE_CHECKING:
    from simnet.net.exchange import Exchange

Bring = Callable[["Fetch"], Generator[simpy.Event, Any, Slice]]
"""A strategy's way of bringing a slice: ``Propagation.bring`` or ``bring_again``."""
Keep = Callable[[Node, Slice], None]
"""Told of each node that a slice reaches on its way, with the slice as it arrived there."""


class Fetch:
    """A process of its own, which goes on when the request that began it has ended.

    Args:
        exchange: the request that began it: the bytes count there.
    """

    def __init__(self, exchange: Exchange, slice_: Slice) -> None:
        self.exchange = exchange
        self.slice_ = slice_
        self.consumer = exchange.consumer
        self.owner = exchange.owner
        self._arrival = exchange.clock.event()
        self._waiting: list[Exchange] = []

    @classmethod
    def joined(cls, exchange: Exchange, slice_: Slice, bring: Bring) -> Fetch:
        """The fetch of this slice to the exchange's consumer: the one under way, if there is one."""
        fetches = exchange.consumer.fetches
        if slice_.id not in fetches:
            fetches[slice_.id] = cls(exchange, slice_)
            exchange.clock.process(fetches[slice_.id]._run(bring))
        fetches[slice_.id]._waiting.append(exchange)
        return fetches[slice_.id]

    def result(self) -> Generator[simpy.Event, Any, Slice]:
        """Process: wait for the slice as it arrives.

        Raises:
            RequestEnded: it can't be brought.
        """
        outcome = yield self._arrival
        if isinstance(outcome, RequestEnded):
            raise RequestEnded(str(outcome), outcome.outcome)  # each waiting process raises its own
        assert isinstance(outcome, Slice)
        return outcome

    def _run(self, bring: Bring) -> Generator[simpy.Event, Any, None]:
        outcome: Slice | RequestEnded
        try:
            for required in self.slice_.requires:
                if required in self.consumer.fetches:
                    yield from self.consumer.fetches[required].result()
            outcome = yield from bring(self)
            self._install(outcome)
        except RequestEnded as end:
            outcome = end
        del self.consumer.fetches[self.slice_.id]
        self._arrival.succeed(outcome)

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

    def push_from(self, source: Node, keep: Keep | None = None) -> Generator[simpy.Event, Any, Slice]:
        """Process: a node sends the slice to the consumer. Returns it as it arrived."""
        exchange, slice_ = self.exchange, self.slice_
        protect = exchange.arm.protocol.protect
        if protect.model != "all" and exchange.arm.network.unprotected(source.name, self.consumer.name):
            header, values = exchange.arm.raw_parts(slice_)
            payload = exchange.payload(SliceData(exchange.index, slice_.id, header), "model", slice_.name, values)
        else:
            header, payload = b"", exchange.clean_slice(slice_)

        def arrived_at(node: Node, body: bytes) -> Slice:
            transfer = f"{payload.request_name}.{payload.repeat}@{node.name}"
            return join_raw(header, body, transfer=transfer) if header else slice_

        def passed(node: Node, body: bytes) -> None:
            if keep is not None:
                keep(node, arrived_at(node, body))

        pinned = source.pin(slice_.id)
        try:
            body = yield from exchange.send(payload, source, self.consumer, waits=False, at_node=passed)
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

    def locate(self) -> Generator[simpy.Event, Any, Node]:
        """Process: the owner tells the consumer which slice it needs, and the directory who is nearest."""
        exchange, directory = self.exchange, self.exchange.arm.directory
        known = directory.known(self)
        message = SliceRef(exchange.index, (self.slice_.id,), known or self.owner.name)
        reference = exchange.payload(message, "control", self.slice_.name)
        yield from exchange.send(reference, self.owner, self.consumer, waits=False)
        found = known or (yield from directory.find(self))
        return exchange.arm.network.nodes[found]
