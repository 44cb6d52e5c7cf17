"""How long each shipped scenario takes, from the command to its report.

    python benchmarks/scenarios.py [--only NAME ...]

Each is a process of its own, importing and drawing included; one after the other. Prints a table and writes
benchmarks/results/scenarios.json.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from simnet.sweep.machine import machine_type

RESULTS = Path(__file__).parent / "results" / "scenarios.json"
SCENARIOS = Path(__file__).parents[1] / "scenarios"


def timed(scenario: Path) -> dict[str, Any]:
    """Seconds of a run, and of processor time, and how much it simulates."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as out:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "simnet", "run", scenario, "--out", out, "--quiet"], check=True)
        wall_s = time.perf_counter() - began
        (manifest_path,) = Path(out).glob("*/manifest.json")
        manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "scenario": scenario.stem,
        "arms": len(manifest["arms"]),
        "requests": manifest["rows"]["requests"],
        "wall_s": round(wall_s, 1),
        "cpu_s": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = sorted(path.stem for path in SCENARIOS.glob("*.yaml"))
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="these scenarios (default: all)")
    parser.add_argument("--json", type=Path, default=RESULTS, help=f"file of the figures (default {RESULTS})")
    options = parser.parse_args()
    known = json.loads(options.json.read_text(encoding="utf-8")) if options.json.is_file() else None
    left = [] if known is None else [row for row in known["rows"] if row["scenario"] not in options.only]
    if left and known["machine"] != machine_type():
        parser.error(f"--only: the other rows of {options.json} are of another machine; give another file with --json")
    rows = {row["scenario"]: row for row in left}
    for name in options.only:
        row = rows[name] = timed(SCENARIOS / f"{name}.yaml")
        print("{scenario:20} {arms:2} arms {requests:7,} requests {wall_s:6.1f} s".format_map(row), flush=True)
    document = {"machine": machine_type(), "rows": [rows[name] for name in names if name in rows]}
    options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
