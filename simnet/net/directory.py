"""How a node finds copies of a slice: ``oracle``, ``registry`` or ``flood``; messages cost what they cost."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING, Any

import simpy

from simnet.net.errors import RequestEnded
from simnet.net.payload import Payload
from simnet.wire.messages import Find, Found, Message, Publish, encode_message
from simnet.wire.slices import Slice

if TYPE_CHECKING:
    from simnet.net.exchange import Exchange
    from simnet.net.network import Network

NO_REQUEST = -1
"""In records: a payload that serves no request."""
MAX_FLOOD_HOP = 16

Search = Generator[simpy.Event, Any, str]


class Directory(ABC):
    """Finds the nearest node that offers a slice. An item's owner always does."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def known(self, slice_: Slice, node: str, owner: str) -> str | None:
        """The nearest holder if the owner knows it without asking anyone, else None."""
        return None

    @abstractmethod
    def find(self, slice_: Slice, exchange: Exchange) -> Search:
        """Process: the holder nearest to the exchange's consumer by expected airtime."""

    def published(self, slice_: Slice, node: str) -> None:
        """Told that a node now stores a slice."""

    def _nearest(self, holders: Iterable[str], node: str) -> str | None:
        distance_s = self.network.routes.distance_s
        return min(holders, key=lambda holder: (distance_s(holder, node), holder), default=None)

    def _payload(self, message: Message, label: str, exchange: Exchange) -> Payload:
        return Payload(encode_message(message), "control", label, exchange.row.request_id, exchange.request_name)

    def _built_in(self, slice_: Slice) -> list[str]:
        """Repositories that were built with the slice."""
        repositories = self.network.protocol.repositories
        nodes = self.network.nodes.values()
        return [n.name for n in nodes if n.plan.tier in repositories and slice_.id in n.provisioned]


class Oracle(Directory):
    """Everyone knows at once, for free, who offers what."""

    def known(self, slice_: Slice, node: str, owner: str) -> str | None:
        nodes = self.network.nodes
        stored = [n for n in list(self.network.holders.get(slice_.id, ())) if nodes[n].offers(slice_.id)]
        return self._nearest((n for n in (owner, *stored, *self._built_in(slice_)) if n != node), node)

    def find(self, slice_: Slice, exchange: Exchange) -> Search:
        raise AssertionError("the oracle is known to the owner")
        yield


class Registry(Directory):
    """One node keeps the list: the first cloud, else the first node. Others publish what they store to it and ask it.

    A node that has lost a slice since is still listed; whoever asks it gets a NACK and turns to the owner.
    """

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        nodes = list(network.nodes.values())
        self.place = next((n.name for n in nodes if n.plan.tier == "cloud"), nodes[0].name)
        self._listed: dict[str, dict[str, None]] = {}

    def published(self, slice_: Slice, node: str) -> None:
        self.network.env.process(self._publish(slice_, node))

    def _publish(self, slice_: Slice, node: str) -> Generator[simpy.Event, Any, None]:
        frame = encode_message(Publish(node, (slice_.id,), ()))
        payload = Payload(frame, "control", f"Publish {slice_.name}", NO_REQUEST, f"{node}@{self.network.env.now!r}")
        try:
            yield from self.network.send(payload, node, self.place)
        except RequestEnded:
            return  # it isn't listed, so nobody finds this copy
        self._listed.setdefault(slice_.id, {})[node] = None

    def find(self, slice_: Slice, exchange: Exchange) -> Search:
        node, request_id = exchange.consumer.name, exchange.row.request_id
        question = self._payload(Find(request_id, slice_.id, node, 0), f"Find {slice_.name}", exchange)
        yield from self.network.send(question, node, self.place)
        listed = (n for n in self._listed.get(slice_.id, ()) if n != node)
        holder = self._nearest((exchange.owner.name, *self._built_in(slice_), *listed), node)
        assert holder is not None
        answer = self._payload(Found(request_id, slice_.id, holder), f"Found {slice_.name}", exchange)
        yield from self.network.send(answer, self.place, node)
        return holder


class Flood(Directory):
    """A question spreads over every link, ring by ring; the nearest that offers the slice answers."""

    def find(self, slice_: Slice, exchange: Exchange) -> Search:
        network, node, request_id = self.network, exchange.consumer.name, exchange.row.request_id
        asked, ring, hops_left = {node: None}, [node], MAX_FLOOD_HOP
        while ring and hops_left:
            message = Find(request_id, slice_.id, node, hops_left)
            question = self._payload(message, f"Find {slice_.name}", exchange)
            sends, reached = [], []
            for sender in ring:
                for link in network.links_of(sender):
                    receiver = link.other(sender)
                    if receiver not in asked:
                        asked[receiver] = None
                        sends.append(network.env.process(self._ask(question, sender, link, reached)))
            yield network.env.all_of(sends)
            holder = self._nearest((n for n in reached if network.nodes[n].offers(slice_.id)), node)
            if holder is not None:
                answer = self._payload(Found(request_id, slice_.id, holder), f"Found {slice_.name}", exchange)
                yield from network.send(answer, holder, node)
                return holder
            ring, hops_left = reached, hops_left - 1
        return exchange.owner.name

    def _ask(self, question: Payload, sender: str, link: Any, reached: list[str]) -> Generator[simpy.Event, Any, None]:
        try:
            yield from self.network.send_hop(question, sender, link)
        except RequestEnded:
            return  # this branch of the flood ends here
        reached.append(link.other(sender))


DIRECTORIES: dict[str, type[Directory]] = {"oracle": Oracle, "registry": Registry, "flood": Flood}
