"""Finished runs to ``results.parquet`` and ``sweep.json``: bytes that depend on what was asked and measured only."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet

import simnet
from simnet.report.metrics import METRICS, SUMS
from simnet.sweep.axes import Scalar
from simnet.sweep.folder import SweepFolder
from simnet.sweep.identity import code_digest, model_digests, versions
from simnet.sweep.plan import Plan

RESULTS = "results.parquet"
DESCRIPTION = "sweep.json"


def collect(
    plan: Plan, folder: SweepFolder, replications: Sequence[int], failed: Mapping[str, str], *, mixed: bool
) -> pd.DataFrame:
    """Write the results and what they are results of; returns the results.

    Args:
        replications: [points] how many each has.
        failed: run -> error.
        mixed: runs may come from several kinds of processors: then column ``cpu`` says from which.
    """
    runs = [
        (point, replication, id_)
        for point, n in enumerate(replications)
        for replication, id_ in enumerate(plan.ids[point][:n])
        if id_ not in failed
    ]
    table = results(plan, folder, runs, mixed=mixed)
    content = _parquet(table, plan)
    cpus = sorted({folder.meta(id_)["cpu"] for _, _, id_ in runs})
    folder.write(RESULTS, content)
    description = _description(plan, replications, failed, runs, cpus, mixed=mixed)
    description["results"] = {"rows": len(table), "sha256": hashlib.sha256(content).hexdigest()}
    folder.write(DESCRIPTION, (json.dumps(description, indent=1, ensure_ascii=False) + "\n").encode())
    return table


def results(plan: Plan, folder: SweepFolder, runs: Sequence[tuple[int, int, str]], *, mixed: bool) -> pd.DataFrame:
    """One row per point, replication, arm and source type, in this order."""
    parts = []
    for point, replication, id_ in runs:
        rows = folder.rows(id_)
        head: dict[str, Any] = {
            "point": point, "run": id_, "replication": replication, "seed": plan.sweep.seeds[replication]
        }  # fmt: skip
        if mixed:
            head["cpu"] = folder.meta(id_)["cpu"]
        head |= plan.sweep.points[point].columns
        parts.append(pd.DataFrame({name: pd.Series([value] * len(rows), dtype=object) for name, value in head.items()}))
        parts[-1] = pd.concat([parts[-1], rows.reset_index(drop=True)], axis=1)
    names = [*_head(plan, mixed), "arm", "source_type", *METRICS]
    return pd.concat(parts, ignore_index=True)[names] if parts else pd.DataFrame(columns=names)


def _head(plan: Plan, mixed: bool) -> list[str]:
    return ["point", "run", "replication", "seed", *(["cpu"] if mixed else []), *(a.column for a in plan.sweep.axes)]


def column_type(values: Sequence[Scalar]) -> pyarrow.DataType:
    """Type of an axis' column: that of its values, text where they are of several kinds; null is allowed in all."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {bool} and kinds:
        return pyarrow.bool_()
    if kinds <= {int} and kinds:
        return pyarrow.int64()
    return pyarrow.float64() if kinds <= {int, float} else pyarrow.string()


def _parquet(table: pd.DataFrame, plan: Plan) -> bytes:
    """Types that depend on the sweep, not on which values happen to be there."""
    fixed = {"point": pyarrow.int64(), "replication": pyarrow.int64(), "seed": pyarrow.int64()}
    points = plan.sweep.points
    axes = {axis.column: column_type([point.columns[axis.column] for point in points]) for axis in plan.sweep.axes}
    texts = dict.fromkeys(("run", "cpu", "arm", "source_type", "fidelity"), pyarrow.string())
    fields, columns = [], []
    for name in table.columns:
        whole = name.startswith("n_") or name in SUMS
        type_ = (fixed | axes | texts).get(name, pyarrow.int64() if whole else pyarrow.float64())
        values = [_as(value, type_) for value in table[name]]
        fields.append(pyarrow.field(name, type_))
        columns.append(pyarrow.array(values, type_))
    target = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns, schema=pyarrow.schema(fields)), target, compression="zstd")
    return target.getvalue()


def _as(value: Any, type_: pyarrow.DataType) -> Any:
    if value is None or (isinstance(value, float | np.floating) and np.isnan(value)):
        return None
    if pyarrow.types.is_string(type_):
        return value if isinstance(value, str) else json.dumps(value)
    return float(value) if pyarrow.types.is_floating(type_) else value


def _description(
    plan: Plan,
    replications: Sequence[int],
    failed: Mapping[str, str],
    runs: Sequence[tuple[int, int, str]],
    cpus: Sequence[str],
    *,
    mixed: bool,
) -> dict[str, Any]:
    """``sweep.json``: no wall times, no paths."""
    sweep, file = plan.sweep, plan.sweep.file
    asked = file.replications if isinstance(file.replications, int) else file.replications.model_dump(mode="json")
    models: dict[str, str] = {}
    for point in sweep.points:
        models |= model_digests(point.scenario)
    return {
        "name": file.name,
        "question": file.question,
        "base": file.base,
        "set": file.set,
        "axes": [
            {
                "column": axis.column,
                "key": axis.key,
                "values": list(dict.fromkeys(point.columns[axis.column] for point in sweep.points)),
            }
            for axis in sweep.axes
        ],
        "constraints": list(file.constraints),
        "arms": sweep.arms(),
        "points": [
            {
                "point": point.index,
                "settings": dict(point.settings),
                "columns": dict(point.columns),
                "replications": replications[point.index],
            }
            for point in sweep.points
        ],
        "replications": asked,
        "seed": file.seed,
        "seeds": list(sweep.seeds[: max(replications, default=0)]),
        "warm_up": file.warm_up,
        "keep": file.keep,
        "device": plan.device,
        "cpu": list(cpus),
        "mixed": mixed,
        "versions": {"simnet": simnet.__version__, **versions()},
        "code": code_digest(),
        "models": dict(sorted(models.items())),
        "counts": {
            "points": len(sweep.points),
            "left_out": sweep.left_out,
            "runs": len({id_ for _, _, id_ in runs}),
            "failed": len(failed),
        },
        "failed": [
            {"point": point, "replication": replication, "run": id_, "error": failed[id_]}
            for point, n in enumerate(replications)
            for replication, id_ in enumerate(plan.ids[point][:n])
            if id_ in failed
        ],
    }
