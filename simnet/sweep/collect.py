"""Finished runs to ``results.parquet`` and ``sweep.json``: bytes that depend on what was asked and measured only."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet

import simnet
from simnet.report.metrics import METRICS, SUMS
from simnet.sweep.axes import Scalar
from simnet.sweep.conduct import Made
from simnet.sweep.folder import SweepFolder
from simnet.sweep.identity import code_digest, versions
from simnet.sweep.plan import Plan

RESULTS = "results.parquet"
DESCRIPTION = "sweep.json"


def collect(plan: Plan, folder: SweepFolder, made: Made) -> pd.DataFrame:
    """Write the results and what they are results of; returns the results.

    One row per point, replication, arm and source type, in this order.
    """
    table = _table(plan, folder, made)
    content = _parquet(table, plan)
    folder.write(RESULTS, content)
    description = _description(plan, made) | {
        "cpu": sorted({folder.meta(id_)["cpu"] for id_ in table["run"].unique()}),
        "results": {"rows": len(table), "sha256": hashlib.sha256(content).hexdigest()},
    }
    folder.write(DESCRIPTION, (json.dumps(description, indent=1, ensure_ascii=False) + "\n").encode())
    return table


def _table(plan: Plan, folder: SweepFolder, made: Made) -> pd.DataFrame:
    """Rows of the runs that did not fail; with column ``cpu`` where kinds of processors may be mixed."""
    parts = []
    for point, replication, id_ in made.places(plan):
        if id_ in made.failed:
            continue
        rows = folder.rows(id_).reset_index(drop=True)
        head = {"point": point, "run": id_, "replication": replication, "seed": plan.sweep.seeds[replication]}
        head |= {"cpu": folder.meta(id_)["cpu"]} if plan.mixed else {}
        head |= plan.sweep.points[point].columns
        left = pd.DataFrame({name: pd.Series([value] * len(rows), dtype=object) for name, value in head.items()})
        parts.append(pd.concat([left, rows], axis=1))
    axes = [axis.column for axis in plan.sweep.axes]
    cpu = ["cpu"] if plan.mixed else []
    names = ["point", "run", "replication", "seed", *cpu, *axes, "arm", "source_type", *METRICS]
    return pd.concat(parts, ignore_index=True)[names] if parts else pd.DataFrame(columns=names)


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


def _description(plan: Plan, made: Made) -> dict[str, Any]:
    """``sweep.json``: no wall times, no paths."""
    sweep, file = plan.sweep, plan.sweep.file
    asked = file.replications if isinstance(file.replications, int) else file.replications.model_dump(mode="json")
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
                "replications": made.replications[point.index],
            }
            for point in sweep.points
        ],
        "replications": asked,
        "seed": file.seed,
        "seeds": list(sweep.seeds[: max(made.replications, default=0)]),
        "warm_up": file.warm_up,
        "keep": file.keep,
        "device": plan.device,
        "mixed": plan.mixed,
        "versions": {"simnet": simnet.__version__, **versions()},
        "code": code_digest(),
        "models": dict(sorted(plan.models.items())),
        "counts": {
            "points": len(sweep.points),
            "left_out": sweep.left_out,
            "runs": len({id_ for _, _, id_ in made.places(plan)} - made.failed.keys()),
            "failed": len(made.failed),
        },
        "failed": [
            {"point": point, "replication": replication, "run": id_, "error": made.failed[id_]}
            for point, replication, id_ in made.places(plan)
            if id_ in made.failed
        ],
    }
