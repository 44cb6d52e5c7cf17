"""Small sweeps: two readers on a cable, runs of a tenth of a second; workers that are no processes."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from simnet.report.metrics import METRICS
from simnet.scenario.schema import Scenario
from simnet.sweep.collect import collect
from simnet.sweep.conduct import conduct
from simnet.sweep.folder import SweepFolder
from simnet.sweep.job import Finished, Job, Outcome, attempt
from simnet.sweep.plan import Plan
from simnet.sweep.sweep import Sweep, load_sweep
from simnet.sweep.workers import Workers

PAIR = """
name: pair
duration_s: 20
drain_s: 5
topology:
  kind: explicit
  nodes: [{name: camera, tier: gateway}, {name: reader, tier: device}, {name: other, tier: device}]
  links:
    - {a: reader, b: camera, medium: wired, link_class: cable}
    - {a: other, b: camera, medium: wired, link_class: cable}
wires: {cable: {rate_bit_per_s: 1.0e+6}}
sources:  # one label: few images to calibrate by
  digits: {dataset: mnist, labels: [0], items: 20, owners: gateway, judge: classifier/digits_judge}
codecs:
  small: {kind: thumbnail, side: 7, bits: 2, image_shape: [1, 28, 28]}
  large: {kind: raw, image_shape: [1, 28, 28]}
traffic: {kind: poisson, rate_per_s: 1}
protocol: {codecs: {digits: [small]}}
arms: {small: {}, large: {codecs: {digits: [large]}}}
"""


def sweep_of(folder: Path, text: str, *overrides: str) -> Sweep:
    """The sweep of a YAML text without name and base, over the pair."""
    (folder / "pair.yaml").write_text(PAIR, encoding="utf-8")
    file = folder / "sweep.yaml"
    file.write_text(f"name: tiny\nbase: pair.yaml\n{text}", encoding="utf-8")
    return load_sweep(file, overrides=overrides)


class InProcess:
    """Makes runs in this process, first come first served or the other way round."""

    remote = False
    n = 1

    def __init__(self, make: Callable[[Job], Outcome] = attempt, *, last_first: bool = False) -> None:
        self.made: list[Job] = []
        self._make = make
        self._waiting: list[Job] = []
        self._place = -1 if last_first else 0

    def submit(self, job: Job) -> None:
        self._waiting.append(job)

    def next(self) -> tuple[Job, Outcome]:
        job = self._waiting.pop(self._place)
        self.made.append(job)
        return job, self._make(job)

    def close(self) -> None:
        pass


def swept(sweep: Sweep, out: Path, workers: Workers, *, mixed: bool = False) -> tuple[dict[str, bytes], pd.DataFrame]:
    """Conduct a sweep; the bytes of its deterministic files, and its results."""
    plan, folder = Plan(sweep, "cpu", mixed), SweepFolder(out)
    with folder.locked():
        made = conduct(plan, folder, workers)
    results = collect(plan, folder, made)
    return deterministic(out), results


def deterministic(folder: Path) -> dict[str, bytes]:
    """What must not depend on who made it when."""
    return {name: (folder / name).read_bytes() for name in ("results.parquet", "sweep.json")}


def rows_of(job: Job, ss_mean: float | None, cpu: str = "slide rule") -> Finished:
    """A run that nobody made: every metric 1 but this one."""
    scenario = Scenario.model_validate_json(job.scenario)
    rows = [
        {"arm": arm, "source_type": source, **dict.fromkeys(METRICS, 1), "fidelity": "ideal", "ss_mean": ss_mean}
        for arm in scenario.arms
        for source in ("all", *scenario.sources)
    ]
    target = io.BytesIO()
    pd.DataFrame(rows).to_parquet(target, index=False)
    return Finished(target.getvalue(), {}, {"wall_s": 1.0, "cpu": cpu, "device": "cpu", "settled": True})
