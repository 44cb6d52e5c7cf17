"""How fast simnet's engine is: a tree of caches as Icarus has it, a growing city, and bare SimPy, in one run.

Usage: python benchmarks/engine.py [--requests N] [--json FILE]. Prints tables, writes benchmarks/results/engine.json.

The tree is Icarus' (binary, 255 nodes, LRU on the 126 between root and leaves, 100,000 contents, Zipf 0.8, a copy left
everywhere, 2 ms a link, 12 requests a second), but what travels are decoders of some kilobytes: real bytes, framed and
checked. It runs on the nodes, stores, requests and records that every scenario uses. Each measurement is a process of
its own; times are of the event loop, and "with accounts and tables" is all that a run does after it is built.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results" / "engine.json"
HEIGHT, CONTENTS, RATE_PER_S, STORE_SLICES = 7, 100_000, 12.0, 1000
ROUNDS = 3
"""Times that each tree is run; the median counts."""
CITIES = (1_000, 10_000, 100_000)
Json = dict[str, Any]


def tree(n_request: int, *, trace: bool) -> Json:
    """The scenario: leaves wish for decoders that the root owns."""
    n_node = 2 ** (HEIGHT + 1) - 1
    n_leaf = 2**HEIGHT
    tiers = ["cloud" if i == 0 else "gateway" if i < n_node - n_leaf else "device" for i in range(n_node)]
    links = [
        {"a": f"n{i}", "b": f"n{(i - 1) // 2}", "medium": "wired", "link_class": "wire", "delay_s": 0.002}
        for i in range(1, n_node)
    ]
    return {
        "name": "tree",
        "duration_s": n_request / RATE_PER_S,
        "topology": {
            "kind": "explicit",
            "nodes": [{"name": f"n{i}", "tier": tier} for i, tier in enumerate(tiers)],
            "links": links,
        },
        "tiers": {"gateway": {"store_byte": STORE_SLICES * decoder_byte()}},
        "wires": {"wire": {"rate_bit_per_s": 10e9}},
        "traffic": {
            "kind": "poisson",
            "rate_per_s": RATE_PER_S / n_leaf,
            "popularity": {"types_zipf_exponent": 0.8, "concentration": 0.0},
        },
        **catalogue(CONTENTS, "cloud"),
        "signal": {"trace": trace},
    }


def city(n_device: int, n_request: int) -> Json:
    """Devices at gateways over ideal radios; on each way gateways and edge servers keep copies."""
    return {
        "name": "city",
        "duration_s": 1000.0,
        "topology": {
            "kind": "city", "devices": n_device, "gateways": min(64, n_device // 100), "edges": 4,
            "clouds": 1, "area_m": 200 * n_device**0.5,
        },
        "tiers": {"gateway": {"store_byte": 100 * decoder_byte()}, "edge": {"store_byte": 1000 * decoder_byte()}},
        "radios": {"radio": {"bandwidth_hz": 10e6, "fidelity": "ideal", "fading": "none", "mcs": "64-QAM 3/4"}},
        "wires": {name: {"rate_bit_per_s": 10e9} for name in ("access", "metro", "backbone")},
        "traffic": {
            "kind": "poisson",
            "rate_per_s": n_request / 1000.0 / n_device,
            "popularity": {"types_zipf_exponent": 0.8, "concentration": 0.0},
        },
        **catalogue(1_000, "cloud"),
    }  # fmt: skip


def catalogue(n: int, owners: str) -> Json:
    """Decoders by the thousand, all of one size, to be fetched from their owner or from who has kept a copy."""
    wish = {"task": "decoder", "ss": 0.0, "deadline_s": 1000.0}
    return {
        "types_per_owner": None,
        "sources": {
            "digits": {
                "dataset": "mnist",
                "items": 1,
                "owners": owners,
                "judge": "classifier/digits_judge",
                "wish": wish,
            }
        },
        "codecs": {"z40": {"kind": "aesc", "model": "digits_z40", "precision": "int4"}},
        "surrogates": {"count": n, "like": ["digits"], "size_spread": 0.0, "items": 1, "owners": owners},
        "protocol": {"codecs": {"digits": ["z40"]}, "propagation": "on_path", "store": {"policy": "lru"}},
    }


def decoder_byte() -> int:
    from simnet.codecs.aesc import Aesc

    return sum(slice_.n_byte for slice_ in Aesc(Aesc.Params(model="digits_z40", precision="int4")).decoder_slices)


def simulated(document: Json, n_request: int) -> Json:
    """Half of the requests fill the stores, the others are timed; then all that a run does besides."""
    import torch

    from simnet.build import build
    from simnet.core.garbage import rare_garbage
    from simnet.core.records import Recorder
    from simnet.net.accounting import check_accounts
    from simnet.net.arm import Arm
    from simnet.net.timeline import Timeline
    from simnet.scenario.checks import arm_protocols
    from simnet.scenario.schema import Scenario

    torch.set_num_threads(1)
    scenario = Scenario.model_validate(document)
    before_byte, began = resident_byte(), time.perf_counter()
    with rare_garbage():
        simulation = build(scenario)
        ((name, protocol),) = arm_protocols(simulation.scenario).items()
        recorder, timeline, plane = Recorder(), Timeline(scenario.signal.trace), simulation.plane
        arm = Arm(name, simulation.scenario, protocol, simulation.plan, simulation.catalogue, plane, recorder, timeline)
    built_s, built_byte = time.perf_counter() - began, resident_byte() - before_byte
    requests = simulation.requests()
    arm.start(requests)
    times = []
    with rare_garbage():
        for share in (0.25, 0.5, 0.75, 1.0):
            n_before, n_event, began = len(arm.network.requests), scheduled(arm), time.perf_counter()
            arm.clock.run(until=share * scenario.duration_s)
            wall_s = time.perf_counter() - began
            times.append((len(arm.network.requests) - n_before, scheduled(arm) - n_event, wall_s))
    began = time.perf_counter()
    with rare_garbage(), tempfile.TemporaryDirectory() as folder:
        arm.clock.run(until=scenario.duration_s + scenario.drain_s)
        arm.network.close()
        arm.settle()
        accounts = check_accounts(recorder, name)
        rows = recorder.write(Path(folder))
    after_s = time.perf_counter() - began
    n_timed, n_event, timed_s = (sum(column) for column in zip(*times[2:], strict=True))
    n_all, all_s = sum(n for n, _, _ in times), sum(wall_s for _, _, wall_s in times)
    return {
        "nodes": len(simulation.plan.nodes),
        "requests": n_all,
        "satisfied": accounts["outcomes"].get("satisfied", 0),
        "us_per_request": 1e6 * timed_s / n_timed,
        "us_per_request_by_quarter": [1e6 * wall_s / n for n, _, wall_s in times],
        "requests_per_s": n_timed / timed_s,
        "hops_per_request": rows["transfers"] / n_all,
        "store_events_per_request": rows["stores"] / n_all,
        "happenings_per_s": (rows["transfers"] + rows["stores"] + n_all) / n_all * n_timed / timed_s,
        "scheduled_events_per_request": n_event / n_timed,
        "requests_per_s_with_accounts_and_tables": n_all / (all_s + after_s),
        "built_s": built_s,
        "built_byte_per_node": built_byte / len(simulation.plan.nodes),
        "peak_byte": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def scheduled(arm: Any) -> int:
    """Events that the clock has scheduled so far: SimPy numbers them."""
    arm.clock.timeout(0.0)
    number: int = max(event[2] for event in arm.clock._queue)
    return number


def resident_byte() -> int:
    fields = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def timeouts_per_s(n: int = 500_000) -> float:
    """SimPy alone: timeouts of 100 processes side by side."""
    import simpy

    env = simpy.Environment()

    def process() -> Generator[simpy.Event, None, None]:
        for _ in range(n // 100):
            yield env.timeout(1.0)

    for _ in range(100):
        env.process(process())
    began = time.perf_counter()
    env.run()
    return n / (time.perf_counter() - began)


def apart(work: Callable[..., Any], *arguments: Any) -> Any:
    """Do it in a fresh process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


def measure(n_request: int) -> Json:
    bare, plain, traced = [], [], []
    for _ in range(ROUNDS):
        bare.append(apart(timeouts_per_s))
        plain.append(apart(simulated, tree(n_request, trace=False), n_request))
        traced.append(apart(simulated, tree(n_request, trace=True), n_request))
        print(f"tree: {plain[-1]['requests_per_s']:,.0f} requests/s, traced {traced[-1]['requests_per_s']:,.0f}; "
              f"SimPy {bare[-1]:,.0f} timeouts/s", flush=True)  # fmt: skip
    cities = []
    for n_device in CITIES:
        cities.append(apart(simulated, city(n_device, n_request), n_request))
        print(f"city of {n_device:,}: {cities[-1]['us_per_request']:.0f} us a request", flush=True)
    best = sorted(plain, key=lambda run: run["us_per_request"])[ROUNDS // 2]
    us_plain, us_traced = (statistics.median(run["us_per_request"] for run in runs) for runs in (plain, traced))
    return {
        "machine": {"processor": platform.processor() or platform.machine(), "python": platform.python_version()},
        "settings": {
            "nodes": 2 ** (HEIGHT + 1) - 1, "contents": CONTENTS, "zipf_exponent": 0.8, "rate_per_s": RATE_PER_S,
            "store_slices": STORE_SLICES, "decoder_byte": decoder_byte(), "requests": n_request, "rounds": ROUNDS,
        },
        "tree": best,
        "tree_traced": sorted(traced, key=lambda run: run["us_per_request"])[ROUNDS // 2],
        "cities": cities,
        "summary": {
            "requests_per_s": best["requests_per_s"],
            "events_per_s": best["happenings_per_s"],
            "simpy_timeouts_per_s": statistics.median(bare),
            "tracing_overhead": us_traced / us_plain - 1.0,
            "bytes_per_node": {str(run["nodes"]): run["built_byte_per_node"] for run in cities},
        },
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--json", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    result = measure(arguments.requests)
    for name, value in result["summary"].items():
        print(f"{name:24} {value if isinstance(value, dict) else f'{value:,.3f}'}")
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
