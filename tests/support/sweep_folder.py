"""A sweep's folder with made-up numbers, written by the contract of docs/analysis.md and nothing of simnet.results."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from simnet.report.metrics import METRICS

ARMS = ("on_demand", "no_stores", "jpeg")
SOURCES = ("digits", "clothes")
Numbers = Callable[[Mapping[str, Any], str, int], Mapping[str, float | None]]
"""(settings of the point, arm, seed) -> metrics."""


def write_sweep(
    folder: Path,
    axes: Mapping[str, Sequence[Any]],
    numbers: Numbers,
    *,
    replications: int = 5,
    first_seed: int = 1,
    arms: Sequence[str] = ARMS,
    sources: Sequence[str] = SOURCES,
    failed: Sequence[tuple[int, int]] = (),
    question: str = "How long should a node keep a model?",
) -> Path:
    """Write ``sweep.json`` and ``results.parquet``.

    Args:
        folder: to make; its name is the sweep's.
        axes: column -> values; points are their product, the last axis fastest.
        numbers: metrics of one run; rows of single source types get the same ones.
        replications: seeds are ``first_seed`` and the following.
        first_seed: of replication 0.
        arms, sources: names.
        failed: (point, replication) that leave no rows.
        question: of ``sweep.json``.
    """
    folder.mkdir(parents=True)
    points = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
    seeds = list(range(first_seed, first_seed + replications))
    rows: list[dict[str, Any]] = []
    for point, settings in enumerate(points):
        for replication, seed in enumerate(seeds):
            if (point, replication) in failed:
                continue
            run = hashlib.sha256(f"{settings} {seed}".encode()).hexdigest()[:16]
            ids = {"point": point, "run": run, "replication": replication, "seed": seed, **settings}
            for arm in arms:
                found = numbers(settings, arm, seed)
                for source in ("all", *sources):
                    rows.append({**ids, "arm": arm, "source_type": source, **dict.fromkeys(METRICS), **found})
    table = pd.DataFrame(rows)
    table = table.astype(dict.fromkeys([c for c in METRICS if c != "fidelity"], np.float64))
    table.to_parquet(folder / "results.parquet")
    about = {
        "name": folder.name,
        "question": question,
        "axes": [{"column": c, "key": f"protocol.store.{c}", "values": list(v)} for c, v in axes.items()],
        "arms": list(arms),
        "points": [{"point": i, "settings": settings} for i, settings in enumerate(points)],
        "replications": replications,
        "seeds": seeds,
        "failed": [{"point": p, "replication": r} for p, r in failed],
    }
    (folder / "sweep.json").write_text(json.dumps(about))
    return folder


def keep_or_fetch(settings: Mapping[str, Any], arm: str, seed: int) -> dict[str, float]:
    """Traffic falls with the time to live and the store, one part of its noise is common to all points and arms."""
    common = np.random.default_rng(seed).normal(0, 12)
    own = np.random.default_rng([seed, *f"{settings}{arm}".encode()]).normal(0, 3)
    ttl_s = settings.get("ttl_s", 600)
    keep = 1.0 if ttl_s is None else ttl_s / (ttl_s + 900)
    keep *= 1.0 if settings.get("store_byte", 64_000) else 0.0
    miss = {"on_demand": 1 - 0.9 * keep, "no_stores": 1.0}.get(arm, 0.0)
    mean = {"jpeg": 420.0}.get(arm, 60.0 + 500 * miss)
    stale = 0.03 * keep if arm == "on_demand" else 0.0
    return {
        "n_requests": 1000.0,
        "byte_per_request": mean + common + own,
        "model_byte_per_request": 0.0 if arm == "jpeg" else 500 * miss + own,
        "ss_mean": 0.95 - stale + (0.02 if arm == "jpeg" else 0.0) + common / 3000,
        "satisfied": 0.97 + common / 2000,
        "latency_mean_s": 0.4 + 1.5 * miss + abs(own) / 50,
        "miss_ratio": miss,
    }
