"""How a node finds copies of a slice: ``oracle``, ``registry`` or ``flood``; messages cost what they cost."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import simpy

from simnet.net.assembly import AnyLink
from simnet.net.errors import RequestEnded
from simnet.net.payload import Payload
from simnet.wire.messages import MAX_IDS, Find, Found, Publish, encode_message
from simnet.wire.slices import Slice

if TYPE_CHECKING:
    from simnet.net.fetch import Fetch
    from simnet.net.network import Network

NO_REQUEST = -1
"""In records: a payload that serves no request."""
MAX_FLOOD_HOP = 16

Search = Generator[simpy.Event, Any, str]


class Directory(ABC):
    """Finds the nearest node that offers a slice. An item's owner always does."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def known(self, fetch: Fetch) -> str | None:
        """The nearest holder if the owner knows it without asking anyone, else None."""
        return None

    @abstractmethod
    def find(self, fetch: Fetch) -> Search:
        """Process: the holder nearest to the fetch's consumer by expected airtime."""

    def published(self, slice_: Slice, node: str) -> None:  # noqa: B027 - only a registry keeps a list
        """Told that a node now stores a clean slice."""

    def _nearest(self, holders: Iterable[str], node: str) -> str:
        distance_s = self.network.routes.distance_s
        return min(holders, key=lambda holder: (distance_s(holder, node), holder))

    def _found(self, fetch: Fetch, holder: str, told_by: str) -> Generator[simpy.Event, Any, None]:
        """Process: a node tells the consumer who holds the slice."""
        exchange = fetch.exchange
        answer = exchange.payload(Found(exchange.index, fetch.slice_.id, holder), "control", fetch.slice_.name)
        yield from exchange.send(answer, self.network.nodes[told_by], fetch.consumer, waits=False)


class Oracle(Directory):
    """Everyone knows at once, for free, who offers what."""

    def known(self, fetch: Fetch) -> str:
        return self.network.holders.nearest(fetch.slice_.id, fetch.consumer.name)

    def find(self, fetch: Fetch) -> Search:
        yield from ()
        return self.known(fetch)


class Registry(Directory):
    """One node keeps the list: the first cloud, else the first node. Others tell it what they store, and ask it.

    It knows from the start who was built with what. A node says what it has lost when it next says what it has stored;
    until then it is still listed, and whoever asks it gets a NACK and turns to the owner.
    """

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        nodes = list(network.nodes.values())
        self.place = next((n.name for n in nodes if n.plan.tier == "cloud"), nodes[0].name)
        self._listed: dict[str, dict[str, None]] = {}
        """Slice id -> nodes that said they store it."""
        self._told: dict[str, dict[str, None]] = {}
        """Node -> slice ids that it has told of and not taken back."""

    def published(self, slice_: Slice, node: str) -> None:
        told = self._told.setdefault(node, {})
        gone = (slice_id for slice_id in told if not self.network.nodes[node].offers(slice_id))
        lost = tuple(islice(gone, MAX_IDS))
        for slice_id in lost:
            del told[slice_id]
        told[slice_.id] = None
        self.network.clock.process(self._publish(node, slice_, lost))

    def _publish(self, node: str, slice_: Slice, lost: Sequence[str]) -> Generator[simpy.Event, Any, None]:
        frame = encode_message(Publish(node, (slice_.id,), tuple(lost)))
        payload = Payload(frame, "control", f"Publish {slice_.name}", NO_REQUEST, f"{node}@{self.network.clock.now!r}")
        try:
            yield from self.network.send(payload, node, self.place)
        except RequestEnded:  # so nobody finds this copy; what was lost is said again next time
            self._told[node].update(dict.fromkeys(lost))
            return
        for slice_id in lost:
            self._listed.get(slice_id, {}).pop(node, None)
        self._listed.setdefault(slice_.id, {})[node] = None

    def find(self, fetch: Fetch) -> Search:
        exchange, node, slice_ = fetch.exchange, fetch.consumer.name, fetch.slice_
        place = self.network.nodes[self.place]
        question = exchange.payload(Find(exchange.index, slice_.id, node, 0), "control", slice_.name)
        yield from exchange.send(question, fetch.consumer, place, waits=False)
        listed = (n for n in self._listed.get(slice_.id, ()) if n != node)
        holder = self._nearest((*self.network.built_with[slice_.id], *listed), node)
        yield from self._found(fetch, holder, self.place)
        return holder


class Flood(Directory):
    """A question spreads over every link, ring by ring; all of the first ring that has some offer the slice answer."""

    def find(self, fetch: Fetch) -> Search:
        nodes, seeker = self.network.nodes, fetch.consumer.name
        asked, ring = {seeker: None}, [seeker]
        for hops_left in range(MAX_FLOOD_HOP, 0, -1):
            ring = yield from self._ask_ring(fetch, ring, asked, hops_left)
            offering = [name for name in ring if nodes[name].offers(fetch.slice_.id)]
            answers: list[str] = []
            yield self._all(self._answer(fetch, holder, answers) for holder in offering)
            if answers or not ring:
                break
        return self._nearest(answers or [fetch.owner.name], seeker)

    def _ask_ring(
        self, fetch: Fetch, ring: Sequence[str], asked: dict[str, None], hops_left: int
    ) -> Generator[simpy.Event, Any, list[str]]:
        """Process: the ring asks all neighbours that nobody has asked yet. Returns those whom the question reached."""
        exchange, slice_ = fetch.exchange, fetch.slice_
        message = Find(exchange.index, slice_.id, fetch.consumer.name, hops_left)
        question = exchange.payload(message, "control", slice_.name)
        reached: list[str] = []
        hops = []
        for sender in ring:
            for link in self.network.links_of(sender):
                if link.other(sender) not in asked:
                    asked[link.other(sender)] = None
                    exchange.row.control_byte += question.n_byte
                    hops.append(self._ask(question, sender, link, reached))
        yield self._all(hops)
        return reached

    def _ask(
        self, question: Payload, sender: str, link: AnyLink, reached: list[str]
    ) -> Generator[simpy.Event, Any, None]:
        try:
            yield from self.network.send_along([link], question, sender)
        except RequestEnded:
            return  # this branch of the flood ends here
        reached.append(link.other(sender))

    def _answer(self, fetch: Fetch, holder: str, answers: list[str]) -> Generator[simpy.Event, Any, None]:
        try:
            yield from self._found(fetch, holder, holder)
        except RequestEnded:
            return  # nobody hears it
        answers.append(holder)

    def _all(self, processes: Iterable[Generator[simpy.Event, Any, None]]) -> simpy.Event:
        clock = self.network.clock
        return clock.all_of([clock.process(process) for process in processes])


DIRECTORIES: dict[str, type[Directory]] = {"oracle": Oracle, "registry": Registry, "flood": Flood}
