"""A star of wires: devices around a hub, and behind it the server that owns every item."""

from __future__ import annotations

from typing import Any

from simnet.build import Simulation, build
from simnet.core.records import Recorder
from simnet.net.arm import Arm
from simnet.net.timeline import Timeline
from simnet.scenario.checks import arm_protocols
from simnet.scenario.schema import Scenario

SERVER, HUB = "server", "hub"


def star(n_device: int, *, seed: int, uplink_bit_per_s: float, access_bit_per_s: float, **parts: Any) -> Simulation:
    """Devices ``d0``, ``d1`` … that compute in no time.

    Args:
        uplink_bit_per_s: of the server's wire, each way.
        access_bit_per_s: of each device's wire, each way.
        parts: of the scenario: codecs, traffic, protocol, arms, and what differs.
    """
    devices = [f"d{i}" for i in range(n_device)]
    tiers = {HUB: "gateway", SERVER: "cloud", **dict.fromkeys(devices, "device")}
    ends = [(HUB, SERVER, "uplink"), *((device, HUB, "access") for device in devices)]
    scenario = Scenario.model_validate(
        {
            "name": "star",
            "seed": seed,
            "duration_s": 1.0,
            "topology": {
                "kind": "explicit",
                "nodes": [{"name": name, "tier": tier} for name, tier in tiers.items()],
                "links": [{"a": a, "b": b, "medium": "wired", "link_class": kind} for a, b, kind in ends],
            },
            "tiers": {tier: {"store_byte": 10_000_000, "compute_flop_per_s": 1e18} for tier in tiers.values()},
            "wires": {
                "uplink": {"rate_bit_per_s": uplink_bit_per_s},
                "access": {"rate_bit_per_s": access_bit_per_s},
            },
            "sources": {
                "digits": {
                    "dataset": "mnist",
                    "items": 8,
                    "owners": "cloud",
                    "judge": "classifier/digits_judge",
                    "wish": {"ss": 0.0, "deadline_s": 1e9},
                }
            },
            **parts,
        }
    )
    return build(scenario)


def arms(simulation: Simulation) -> dict[str, Arm]:
    """The simulation's arms, each with records of its own, at time 0."""
    scenario = simulation.scenario
    return {
        name: Arm(
            name, scenario, protocol, simulation.plan, simulation.catalogue, simulation.plane, Recorder(),
            Timeline(False),
        )
        for name, protocol in arm_protocols(scenario).items()
    }  # fmt: skip
