"""Runs of the tiny world: a few nodes written out, requests written out, every row at hand."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from simnet.codecs.base import Codec
from simnet.core.plugins import KINDS
from simnet.core.records import Recorder
from simnet.core.tables import DeliveryRow, NodeRow, RequestRow, StoreRow, TransferRow
from simnet.net.arm import Arm
from simnet.net.timeline import Event, Timeline
from simnet.scenario.checks import arm_protocols
from simnet.scenario.schema import Scenario
from simnet.signal.plane import SignalPlane, SourceImages
from simnet.traffic.base import CatalogueItem, RequestPlan
from tests.support.tiny import N_CLASS, BrightQuadrant, Tiny, images

Json = dict[str, Any]
BASE: Json = {
    "name": "tiny",
    "duration_s": 10.0,
    "drain_s": 30.0,
    "topology": {
        "kind": "explicit",
        "nodes": [{"name": "camera", "tier": "gateway"}, {"name": "reader", "tier": "device"}],
        "links": [
            {
                "a": "reader",
                "b": "camera",
                "medium": "wireless",
                "link_class": "radio",
                "carrier": "camera",
                "path_loss_db": 90.0,
            }
        ],
    },
    "tiers": {"device": {"store_byte": 100_000}},
    "radios": {
        "radio": {
            "bandwidth_hz": 100e3,
            "fading": "none",
            "mcs": "QPSK 1/2",
            "fidelity": "ideal",
            "preamble_symbol": 0,
            "ack_symbol": 0,
            "turnaround_s": 0.0,
        }
    },
    "wires": {"wire": {}},
    "sources": {
        "shapes": {
            "dataset": "mnist",
            "judge": "classifier/digits_judge",
            "owners": "gateway",
            "wish": {"ss": 0.9, "deadline_s": 8.0},
        }
    },
    "traffic": {"kind": "trace", "requests": []},
    "protocol": {"codecs": {"shapes": ["tiny"]}, "propagation": {"kind": "with_code"}},
}
"""Two nodes, one ideal carrier of 100,000 QPSK ½ symbols per second without any overhead."""


@dataclass
class Run:
    """What a run left."""

    scenario: Scenario
    recorder: Recorder
    arms: dict[str, Arm]
    accounts: dict[str, Json]
    timelines: dict[str, list[Event]] = field(default_factory=dict)

    @property
    def arm(self) -> Arm:
        (arm,) = self.arms.values()
        return arm

    def requests(self, arm: str = "main") -> list[RequestRow]:
        return self.recorder.rows_of(RequestRow, arm)

    def deliveries(self, arm: str = "main") -> list[DeliveryRow]:
        return self.recorder.rows_of(DeliveryRow, arm)

    def transfers(self, label: str = "", arm: str = "main") -> list[TransferRow]:
        """Those whose payload's label begins so."""
        return [row for row in self.recorder.rows_of(TransferRow, arm) if row.payload.startswith(label)]

    def stores(self, event: str = "", arm: str = "main") -> list[StoreRow]:
        return [row for row in self.recorder.rows_of(StoreRow, arm) if event in ("", row.event)]

    def nodes(self, arm: str = "main") -> dict[str, NodeRow]:
        return {row.node: row for row in self.recorder.rows_of(NodeRow, arm)}


def merged(base: Json, changes: Mapping[str, Any]) -> Json:
    """``base`` with changes at dotted paths, e.g. ``{"radios.radio.fading": "rayleigh"}``."""
    result = copy.deepcopy(base)
    for path, value in changes.items():
        *parents, last = path.split(".")
        place = result
        for key in parents:
            place = place.setdefault(key, {})
        place[last] = value
    return result


def simulate(
    requests: Sequence[tuple[float, str, int]],
    changes: Mapping[str, Any] | None = None,
    *,
    codecs: Mapping[str, Codec] | None = None,
    owners: Sequence[str] = ("camera",) * 8,
    unsure: bool = False,
    batch: int = 512,
    n_calibration: int = 64,
    before: Callable[[Arm], None] = lambda arm: None,
) -> Run:
    """Run every arm.

    Args:
        requests: (time, consumer, item id), in order of time; indices count per consumer.
        changes: to ``BASE``, by dotted path.
        codecs: by name; default one :class:`Tiny`.
        owners: of items 0, 1, …
        unsure: the judge can't tell what the originals show.
        before: called with each arm before time 0.
    """
    torch.set_num_threads(1)
    codecs = dict(codecs or {"tiny": Tiny()})
    document = merged(BASE, changes or {})
    document["codecs"] = {name: {"kind": "raw", "image_shape": [1, 12, 12]} for name in codecs}  # a placeholder
    scenario = Scenario.model_validate(document)
    labels = [i % N_CLASS for i in range(len(owners))]
    calibration = [i % N_CLASS for i in range(n_calibration)]
    source = SourceImages(
        images(labels, unsure=unsure),
        torch.tensor(labels),
        images(calibration),
        torch.tensor(calibration),
        BrightQuadrant(),
        0,
    )
    plane = SignalPlane(codecs, {"shapes": source}, batch=batch)
    topology = KINDS["topology"].load(scenario.topology.kind)(scenario.topology.params)
    plan = topology.build(seed=scenario.seed)
    catalogue = tuple(CatalogueItem(i, "shapes", owner) for i, owner in enumerate(owners))
    run = Run(scenario, Recorder(), {}, {})
    for name, protocol in arm_protocols(scenario).items():
        timeline = Timeline(wanted=True)
        arm = Arm(name, scenario, protocol, plan, catalogue, plane, run.recorder, timeline)
        run.arms[name] = arm
        before(arm)
        run.accounts[name] = arm.run(iter(_plans(requests)), lambda done: None)
        run.timelines[name] = timeline.events
    return run


def _plans(requests: Sequence[tuple[float, str, int]]) -> list[RequestPlan]:
    made: dict[str, int] = {}
    plans = []
    for time_s, consumer, item_id in requests:
        plans.append(RequestPlan(time_s, consumer, item_id, made.get(consumer, 0)))
        made[consumer] = made.get(consumer, 0) + 1
    return plans


def node(name: str, tier: str) -> Json:
    return {"name": name, "tier": tier}


def radio_link(a: str, carrier: str, *, path_loss_db: float = 90.0, delay_s: float = 0.0) -> Json:
    """A wireless link from a device to the gateway that runs the carrier."""
    return {
        "a": a,
        "b": carrier,
        "medium": "wireless",
        "link_class": "radio",
        "carrier": carrier,
        "path_loss_db": path_loss_db,
        "delay_s": delay_s,
    }


def wire(a: str, b: str, *, delay_s: float = 0.0) -> Json:
    return {"a": a, "b": b, "medium": "wired", "link_class": "wire", "delay_s": delay_s}


def symbols(n_byte: int, bits_per_symbol: int = 2) -> int:
    """Channel uses of a payload in rate-½ codewords of 2304, 1152 and 576 bits, each with three bytes of CRC."""
    n_long, rest = divmod(n_byte, 141)
    tail = 0 if rest == 0 else 576 if rest <= 33 else 1152 if rest <= 69 else 1728 if rest <= 102 else 2304
    return (2304 * n_long + tail) // bits_per_symbol
