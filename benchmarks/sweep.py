"""What a second worker brings to a sweep, against what two independent processes get of this machine.

    python benchmarks/sweep.py [--points 40] [--json FILE]

A sweep of 40 points is made from nothing by one worker and by two, start of the workers included. Between the two, the
yardstick: a process of single-threaded torch does a fixed piece of work alone, then two do it side by side, each timed
after its imports. Two processes share caches, memory and clock, so the yardstick is seldom 2, and the sweep beats it
but by chance. Prints both speed-ups and writes benchmarks/results/sweep.json.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from simnet.sweep.conduct import conduct
from simnet.sweep.folder import SweepFolder
from simnet.sweep.local import LocalWorkers
from simnet.sweep.machine import machine_type
from simnet.sweep.plan import Plan
from simnet.sweep.sweep import load_sweep

RESULTS = Path(__file__).parent / "results" / "sweep.json"
SCENARIO = """
name: star
duration_s: 3600
topology: {kind: generator, graph: {shape: star, nodes: 9}, wireless: none}
wires: {wire: {rate_bit_per_s: 1.0e+6}}
tiers: {device: {store_byte: 16000}}
sources: {digits: {dataset: mnist, owners: gateway, judge: classifier/digits_judge, wish: {ss: 0.9, deadline_s: 10}}}
codecs: {z40: {kind: aesc, model: digits_z40}, jpeg: {kind: jpeg, quality: 5, image_shape: [1, 28, 28]}}
traffic: {kind: poisson, rate_per_s: 0.1}
protocol: {codecs: {digits: [z40]}, propagation: nearest_copy, store: {policy: gdsf, ttl_s: 3600}}
arms: {models_travel: {}, jpeg_only: {codecs: {digits: [jpeg]}}}
"""
SWEEP = (
    "name: star\nbase: star.yaml\naxes: [random: {{n: {n}, keys: {{protocol.store.ttl_s: {{low: 60, high: 3600}}}}}}]\n"
)
WORK = """
import time, torch
torch.set_num_threads(1)
network = torch.nn.Sequential(torch.nn.Conv2d(1, 32, 3), torch.nn.ReLU(), torch.nn.Conv2d(32, 32, 3)).eval()
images = torch.rand(64, 1, 28, 28)
with torch.inference_mode():
    network(images)
    print("ready", flush=True)
    input()
    began = time.perf_counter()
    for _ in range({n}):
        network(images)
    print(time.perf_counter() - began, flush=True)
"""


def swept_s(folder: Path, workers: int, points: int) -> float:
    """Seconds that a sweep takes from nothing."""
    (folder / "star.yaml").write_text(SCENARIO, encoding="utf-8")
    (folder / "sweep.yaml").write_text(SWEEP.format(n=points) + "replications: 1\n", encoding="utf-8")
    plan, target = Plan(load_sweep(folder / "sweep.yaml"), "cpu"), SweepFolder(folder / str(workers))
    with target.locked():
        pool = LocalWorkers(workers, target.scratch)
        began = time.perf_counter()
        try:
            made = conduct(plan, target, pool)
        finally:
            pool.close()
        if made.failed:
            raise SystemExit(f"runs failed: {made.failed}")
        return time.perf_counter() - began


def torch_s(processes: int, n: int) -> float:
    """Seconds until so many single-threaded processes have each done the work, begun together."""
    command = [sys.executable, "-c", WORK.format(n=n)]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(processes)
    ]
    for process in running:
        assert process.stdout is not None and process.stdin is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    return max(float(process.communicate()[0]) for process in running)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=40, help="points of the sweep (default 40)")
    parser.add_argument("--work", type=int, default=400, help="batches of the yardstick (default 400)")
    parser.add_argument("--json", type=Path, default=RESULTS, help=f"file of the figures (default {RESULTS})")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        one_s = swept_s(Path(name), 1, options.points)
        alone_s, both_s = torch_s(1, options.work), torch_s(2, options.work)
        two_s = swept_s(Path(name), 2, options.points)
    document = {
        "machine": machine_type(),
        "points": options.points,
        "one_worker_s": one_s,
        "two_workers_s": two_s,
        "sweep_speed_up": one_s / two_s,
        "torch_alone_s": alone_s,
        "torch_two_s": both_s,
        "torch_speed_up": 2 * alone_s / both_s,
    }
    document["share_of_what_is_possible"] = document["sweep_speed_up"] / document["torch_speed_up"]
    for key, value in document.items():
        print(f"{key:26} {value if isinstance(value, str | int) else f'{value:.3f}'}")
    options.json.parent.mkdir(exist_ok=True)
    options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
