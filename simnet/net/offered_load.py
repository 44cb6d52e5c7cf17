"""Payloads through a network without requests: the offered load that queueing theory speaks of."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any, NamedTuple

import simpy

from simnet.core.records import Recorder
from simnet.core.tables import PayloadClass, TransferRow
from simnet.net.clock import Clock
from simnet.net.errors import RequestEnded
from simnet.net.network import Network
from simnet.net.payload import Payload
from simnet.net.timeline import Timeline
from simnet.scenario.schema import Scenario
from simnet.signal.plane import SignalPlane
from simnet.topology.plan import NetworkPlan


class Offered(NamedTuple):
    """A payload: when it is sent, from where to where, of how many bytes, of which class."""

    time_s: float
    origin: str
    target: str
    n_byte: int
    payload_class: PayloadClass = "code"


def carry(scenario: Scenario, plan: NetworkPlan, load: Iterable[Offered]) -> list[TransferRow]:
    """Send payloads over the links of a network until all have arrived or are lost.

    Args:
        scenario: its radios, wires and seed matter; its requests and codecs play no part.
        load: in order of time.

    Returns:
        One row per payload and link, in the order in which they began to queue.
    """
    recorder = Recorder()
    plane = SignalPlane({}, {})
    clock = Clock()
    network = Network(clock, "main", scenario, scenario.protocol, plan, plane, recorder, Timeline(False), {})
    clock.process(_arrivals(clock, network, load))
    clock.run()
    return sorted(recorder.rows_of(TransferRow, "main"), key=lambda row: (row.queued_s, row.transfer_id))


def _arrivals(clock: Clock, network: Network, load: Iterable[Offered]) -> Generator[simpy.Event, Any, None]:
    for index, offered in enumerate(load):
        if offered.n_byte < 1:
            raise ValueError(f"load {index}: n_byte: got {offered.n_byte}; allowed: >= 1")
        if offered.time_s > clock.now:
            yield clock.timeout(offered.time_s - clock.now)
        payload = Payload(bytes(offered.n_byte), offered.payload_class, "load", index, f"load#{index}")
        clock.process(_send(network, payload, offered))


def _send(network: Network, payload: Payload, offered: Offered) -> Generator[simpy.Event, Any, None]:
    try:
        yield from network.send(payload, offered.origin, offered.target)
    except RequestEnded:
        return  # its row says so
