"""What simnet's network costs per event and per request, against bare SimPy with the same number of events.

Usage: python benchmarks/events.py [--requests N]. Prints a table and writes benchmarks/results/events.json.
The tensor work of encoding is done beforehand and measurement is left out: this is the event loop alone, rows included.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Generator
from pathlib import Path

import simpy
import torch

from simnet.build import build
from simnet.core.records import Recorder
from simnet.net.arm import Arm
from simnet.net.timeline import Timeline
from simnet.scenario.checks import arm_protocols
from simnet.scenario.load import load_scenario

ROOT = Path(__file__).parents[1]


def city(n_request: int) -> dict[str, float]:
    """The city scenario's JPEG arm: seconds, events, requests."""
    duration_s = n_request / (128 * 0.0125)
    scenario = load_scenario(ROOT / "scenarios" / "city_iot.yaml", overrides=[f"duration_s={duration_s}"])
    simulation = build(scenario)
    protocol = arm_protocols(scenario)["jpeg"]
    shared = (simulation.plan, simulation.catalogue, simulation.plane)
    arm = Arm("jpeg", scenario, protocol, *shared, Recorder(), Timeline(False))
    for item in simulation.catalogue:
        for codec in protocol.codecs[item.source_type]:
            simulation.plane.codecs[codec].card(item.source_type)
            simulation.plane.encode(item.item_id, codec)
    simulation.plane.result(simulation.plane.encode(0, protocol.codecs["digits"][0]))
    arm.start(simulation.requests())
    began = time.perf_counter()
    arm.env.run(until=scenario.duration_s + scenario.drain_s)
    wall_s = time.perf_counter() - began
    return {"wall_s": wall_s, "events": next(arm.env._eid), "requests": len(arm.requests)}


def bare(n_event: int) -> float:
    """Seconds in which SimPy alone works off so many timeouts, in 100 processes side by side."""
    env = simpy.Environment()

    def process(each: int) -> Generator[simpy.Event, None, None]:
        for _ in range(each):
            yield env.timeout(1.0)

    for _ in range(100):
        env.process(process(n_event // 100))
    began = time.perf_counter()
    env.run()
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=4000)
    torch.set_num_threads(1)
    ours = city(parser.parse_args().requests)
    bare_s = bare(int(ours["events"]))
    result = {
        "requests": ours["requests"],
        "events": ours["events"],
        "simnet_us_per_event": 1e6 * ours["wall_s"] / ours["events"],
        "simpy_us_per_event": 1e6 * bare_s / ours["events"],
        "ratio": ours["wall_s"] / bare_s,
        "simnet_us_per_request": 1e6 * ours["wall_s"] / ours["requests"],
    }
    for name, value in result.items():
        print(f"{name:24} {value:12.2f}")
    target = ROOT / "benchmarks" / "results" / "events.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
