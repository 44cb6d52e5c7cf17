"""The city with its links by BLER table and by the exact chain: the same results, and at what cost.

    python benchmarks/fidelity.py [--seeds 6] [--duration-s 900]

Per seed both fidelities see the same requests over the same gains; only the fate of blocks is drawn from a table or run
through the chain. The difference exact − table is given per arm as a mean over seeds with its 95 % Student interval,
beside the half-width of table's own mean over seeds. Prints a table and writes benchmarks/results/fidelity.json.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from simnet.build import run_scenario
from simnet.scenario.load import load_scenario
from simnet.statistics.replications import student_t

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results" / "fidelity.json"
MEASURES = {
    "traffic_megabyte": "link traffic, MB",
    "latency_s": "latency of what was served, s",
    "ss": "SS of deliveries",
    "satisfied": "share of requests satisfied",
}


def run(seed: int, fidelity: str, duration_s: float) -> tuple[pd.DataFrame, float, float, dict[str, Any]]:
    """Measures per arm, seconds of simulation, seconds in all, and the audit of the tables."""
    changes = [f"seed={seed}", f"duration_s={duration_s}", f"radios.radio.fidelity={fidelity}"]
    if fidelity == "exact":
        changes.append("radios.radio.audit=0")
    scenario = load_scenario(ROOT / "scenarios" / "city_iot.yaml", overrides=changes)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        result = run_scenario(scenario, out=Path(folder), quiet=True)
        total_s = time.perf_counter() - began
        requests = pd.read_parquet(result.path / "requests.parquet")
        deliveries = pd.read_parquet(result.path / "deliveries.parquet")
    by_arm = requests.groupby("arm")
    served = requests[requests["outcome"].isin(["satisfied", "below_wish"])]
    measures = pd.DataFrame(
        {
            "traffic_megabyte": by_arm["link_byte"].sum() / 1e6,
            "latency_s": (served["ended_s"] - served["created_s"]).groupby(served["arm"]).mean(),
            "ss": deliveries.groupby("arm")["ss"].mean(),
            "satisfied": by_arm["outcome"].apply(lambda outcomes: (outcomes == "satisfied").mean()),
        }
    )
    arms_s = sum(seconds for arm, seconds in result.manifest["wall_s"].items() if arm in measures.index)
    return measures, arms_s, total_s, result.manifest["audit"] or {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=6, help="replications (default 6)")
    parser.add_argument("--duration-s", type=float, default=900.0, help="simulated time (default 900)")
    parser.add_argument("--json", type=Path, default=RESULTS, help=f"file of the figures (default {RESULTS})")
    options = parser.parse_args()
    measured: dict[str, list[pd.DataFrame]] = {"table": [], "exact": []}
    arms_s, total_s = {"table": 0.0, "exact": 0.0}, {"table": 0.0, "exact": 0.0}
    for seed in range(1, options.seeds + 1):
        for fidelity in measured:
            frame, arm_s, run_s, _ = run(seed, fidelity, options.duration_s)
            measured[fidelity].append(frame)
            arms_s[fidelity] += arm_s
            total_s[fidelity] += run_s
            print(f"seed {seed} {fidelity}: arms {arm_s:.1f} s, whole run {run_s:.1f} s", flush=True)
    rows = []
    print(f"\n{'arm':12} {'measure':32} {'table':>22} {'exact - table':>24}")
    for measure, words in MEASURES.items():
        for arm in measured["table"][0].index:
            table, exact = (np.array([frame.loc[arm, measure] for frame in measured[each]]) for each in measured)
            difference = exact - table
            row = {
                "arm": arm, "measure": measure, "n": options.seeds,
                "table_mean": float(table.mean()), "table_half_width": student_t(table).half_width,
                "difference_mean": float(difference.mean()), "difference_half_width": student_t(difference).half_width,
            }  # fmt: skip
            row["same"] = abs(row["difference_mean"]) <= max(row["difference_half_width"], row["table_half_width"])
            rows.append(row)
            print(
                f"{arm:12} {words:32} {row['table_mean']:12.4f} ± {row['table_half_width']:.4f} "
                f"{row['difference_mean']:+12.5f} ± {row['difference_half_width']:.5f}"
            )
    summary = {
        "table_s": arms_s["table"],
        "exact_s": arms_s["exact"],
        "exact_over_table": arms_s["exact"] / arms_s["table"],
        "within_replication_interval": sum(row["same"] for row in rows),
        "of": len(rows),
    }
    print(f"\nsimulating took {summary['table_s']:.1f} s by table, {summary['exact_s']:.1f} s exactly: ", end="")
    n_same = summary["within_replication_interval"]
    print(f"{summary['exact_over_table']:.2f} times as long; {n_same} of {len(rows)} means agree")
    settings = {"seeds": options.seeds, "duration_s": options.duration_s}
    document = {"settings": settings, "rows": rows, "summary": summary}
    options.json.parent.mkdir(exist_ok=True)
    options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
