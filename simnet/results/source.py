"""Where results come from: a sweep's folder, run folders, or several of them, read into one table."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet

from simnet.report.metrics import ALL, ANALYSIS, METRICS, SUMS, metrics
from simnet.report.run_folder import RunFolder
from simnet.results.errors import ResultsError

IDS = ("point", "run", "replication", "seed")
"""First columns of every table: place in the sweep, content id, replication, the scenario's seed."""


@dataclass(frozen=True)
class Source:
    """Rows, and what is known of them.

    Args:
        name: of the sweep, or of the scenario.
        question: what it was made to answer; of a run the first sentence of its description; may be empty.
        axes: column -> its values in the sweep's order, None for null.
        arms: in the scenario's order.
        runs: ``IDS``, axis columns, ``arm``, ``source_type``, metrics; one row per run, arm and source type.
        failed: runs that left no rows, as the sweep lists them.
        records: id of a run -> folder with its tables, where they were kept.
        misfits: what is to be warned of: runs whose scenario was changed after them, parts whose arms differ.
    """

    name: str
    question: str
    axes: dict[str, list[Any]]
    arms: list[str]
    runs: pd.DataFrame
    failed: list[Any] = field(default_factory=list)
    records: dict[str, Path] = field(default_factory=dict)
    misfits: list[str] = field(default_factory=list)

    @cached_property
    def source_types(self) -> list[str]:
        """Source types that were requested, without "all"."""
        return [name for name in self.runs["source_type"].unique() if name != ALL]


def read(path: Path) -> Source:
    """A sweep's folder or a run's.

    Raises:
        ResultsError: neither, unfinished, or damaged.
        RunError: a run's folder that is incomplete or damaged.
    """
    if (path / "sweep.json").is_file():
        return _sweep(path)
    if (path / "manifest.json").is_file():
        return _runs([path])
    raise ResultsError(_why_not(path))


def _why_not(path: Path) -> str:
    """What to say of a path that is neither a sweep's folder nor a run's."""
    if not path.exists():
        return (
            f"{path}: no such folder; allowed a sweep's folder (sweeps/<name>) or a finished run's (runs/<name>-<hash>)"
        )
    if path.is_file():
        inside = next((folder for folder in path.resolve().parents if _has_results(folder)), None)
        advice = f"give the folder that it is in, {inside}" if inside else "give the folder of a sweep or a run"
        return f"{path}: got a file; {advice}"
    if (path / ".lock").is_file() or any(path.glob("runs/*/meta.json")):
        return (
            f"{path}: got a sweep that isn't finished: it has no sweep.json yet; run 'simnet sweep' again with its "
            "file, which makes no finished run anew"
        )
    return (
        f"{path}: got a folder without sweep.json or manifest.json; allowed a sweep's folder (sweeps/<name>) or a "
        "finished run's (runs/<name>-<hash>): 'simnet sweep FILE' and 'simnet run FILE' make them"
    )


def _has_results(folder: Path) -> bool:
    return (folder / "sweep.json").is_file() or (folder / "manifest.json").is_file()


def read_all(paths: Sequence[Path]) -> Source:
    """Several run folders, or several sweeps with the same axes, in one table.

    Run folders of one scenario that differ in the seed only are replications of one point. Sweeps of one name are
    parts of one sweep: points with the same settings are one point. What is not told apart by that gets an axis of
    its own: ``scenario`` or ``sweep``.
    """
    if not paths:
        raise ResultsError("load: got an empty list; allowed folders of runs or of sweeps, at least one")
    for path in paths:
        if not _has_results(path):
            raise ResultsError(_why_not(path))
    sweeps = [path for path in paths if (path / "sweep.json").is_file()]
    if not sweeps:
        return _runs(paths)
    if len(sweeps) < len(paths):
        other = next(path for path in paths if path not in sweeps)
        raise ResultsError(
            f"load: got sweeps together with {other}, which has no sweep.json; allowed sweeps only, or run folders only"
        )
    return _together([_sweep(path) for path in sweeps])


def _sweep(path: Path) -> Source:
    about = _json(path / "sweep.json")
    runs = read_table(path / "results.parquet")
    _check_digest(path, about)
    axes = {axis["column"]: list(axis["values"]) for axis in about["axes"]}
    missing = [c for c in (*IDS, *axes, "arm", "source_type") if c not in runs]
    if missing:
        raise ResultsError(
            f"{path / 'results.parquet'}: columns are missing: {', '.join(missing)}; it isn't this sweep.json's: run "
            "'simnet sweep' again"
        )
    axes = {column: _as_in(runs[column], values) for column, values in axes.items()}
    if unknown := [c for c in (*IDS, "arm", "source_type") if runs[c].isna().any()]:
        raise ResultsError(f"{path / 'results.parquet'}: rows without {', '.join(unknown)}; run 'simnet sweep' again")
    kept = {run: path / "runs" / run / "records" for run in runs["run"].unique()}
    source = Source(
        name=about["name"],
        question=about.get("question") or "",
        axes=axes,
        arms=list(about["arms"]),
        runs=_tidy(runs, list(axes)),
        failed=list(about.get("failed") or []),
        records={run: folder for run, folder in kept.items() if folder.is_dir()},
    )
    return _whole(source, str(path))


def _as_in(column: pd.Series[Any], values: list[Any]) -> list[Any]:
    """The values of an axis as they stand in the rows: where kinds are mixed, a sweep writes all as text."""
    if not pd.api.types.is_string_dtype(column.dropna()):
        return values
    return [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]


def _runs(paths: Sequence[Path]) -> Source:
    """Run folders; a point per scenario, a replication per seed."""
    folders = [RunFolder.open(path) for path in paths]
    called = _told_apart(paths)
    contents = [
        json.dumps({k: v for k, v in folder.scenario.items() if k != "seed"}, sort_keys=True, default=str)
        for folder in folders
    ]
    points = {content: point for point, content in enumerate(dict.fromkeys(contents))}
    names = [str(folder.manifest.get("scenario", folder.path.name)) for folder in folders]
    first = {content: i for i, content in reversed(list(enumerate(contents)))}
    ambiguous = len({names[i] for i in first.values()}) < len(points)
    parts, seen = [], dict.fromkeys(points, 0)
    for folder, run, content in zip(folders, called, contents, strict=True):
        scenario = called[first[content]] if ambiguous else names[first[content]]
        axis = {"scenario": scenario} if len(points) > 1 else {}
        ids = {"point": points[content], "run": run, "replication": seen[content], "seed": folder.seed}
        seen[content] += 1
        rows = metrics(folder)
        parts.append(pd.concat([pd.DataFrame({**ids, **axis}, index=rows.index), rows], axis=1))
    runs = pd.concat(parts, ignore_index=True)
    described = _first_sentence(str(folders[0].scenario.get("description") or ""))
    source = Source(
        name=names[0],
        question=described if len(points) == 1 else "",
        axes={"scenario": list(runs["scenario"].unique())} if len(points) > 1 else {},
        arms=list(dict.fromkeys(arm for folder in folders for arm in folder.arms)),
        runs=_tidy(runs, ["scenario"] if len(points) > 1 else []),
        records=dict(zip(called, paths, strict=True)),
        misfits=[folder.misfit for folder in folders if folder.misfit is not None],
    )
    return _whole(source, ", ".join(map(str, paths)))


def _first_sentence(text: str) -> str:
    """Up to the first full stop or question mark that ends a sentence; a title has no room for more."""
    return re.split(r"(?<=[.?!])\s+(?=[A-Z])", " ".join(text.split()), maxsplit=1)[0]


def _told_apart(paths: Sequence[Path]) -> list[str]:
    """The folders' names, with as many of the folders above them as it takes to tell them apart."""
    parts = [path.resolve().parts for path in paths]
    n_folder = len(set(parts))
    depth = next(n for n in range(1, 1 + max(map(len, parts))) if len({each[-n:] for each in parts}) == n_folder)
    return ["/".join(each[-depth:]) for each in parts]


def _together(sources: list[Source]) -> Source:
    first = sources[0]
    for other in sources[1:]:
        if list(other.axes) != list(first.axes):
            raise ResultsError(
                f"load: got sweeps with axes {', '.join(first.axes) or 'none'} ({first.name}) and "
                f"{', '.join(other.axes) or 'none'} ({other.name}); allowed the same in all: load them one by one"
            )
    axes = {
        column: list(dict.fromkeys(value for source in sources for value in source.axes[column]))
        for column in first.axes
    }
    names = list(dict.fromkeys(source.name for source in sources))
    if len(names) > 1 and "sweep" in axes:
        raise ResultsError(
            f"load: got sweeps of several names ({', '.join(names)}) with an axis called 'sweep', as the column of "
            "their names is; allowed another name for it under 'columns', or one by one"
        )
    tables = [source.runs for source in sources]
    if len(names) > 1:
        tables = [table.assign(sweep=source.name) for table, source in zip(tables, sources, strict=True)]
        axes = {"sweep": names, **axes}
    runs = pd.concat(tables, ignore_index=True)
    if axes:
        runs["point"] = runs.groupby(list(axes), dropna=False, sort=False).ngroup()
    else:
        runs["point"] = 0
    runs["replication"] = runs.groupby("point")["seed"].transform(lambda seeds: pd.factorize(seeds)[0])
    together = Source(
        name=" + ".join(names),
        question=first.question if len({source.question for source in sources}) == 1 else "",
        axes=axes,
        arms=list(dict.fromkeys(arm for source in sources for arm in source.arms)),
        runs=_tidy(runs, list(axes)),
        failed=[one for source in sources for one in source.failed],
        records={run: folder for source in sources for run, folder in source.records.items()},
        misfits=_other_arms(sources),
    )
    return _whole(together, together.name)


def _other_arms(sources: list[Source]) -> list[str]:
    """What to say where sweeps that are joined don't have the same arms; else nothing."""
    if len({frozenset(source.arms) for source in sources}) == 1:
        return []
    each = "; ".join(f"{i}. {source.name}: {', '.join(source.arms)}" for i, source in enumerate(sources, start=1))
    return [
        f"load: the arms of these sweeps differ ({each}): an arm has rows only at points of sweeps that have it, so "
        "means over points may be of other points for each arm; compare arms at common points, with where={…}"
    ]


def _tidy(runs: pd.DataFrame, axes: list[str]) -> pd.DataFrame:
    """Columns in the order that ``Source`` names."""
    head = [*IDS, *axes, "arm", "source_type"]
    return runs[[*head, *(c for c in runs.columns if c not in head)]]


def _whole(source: Source, where: str) -> Source:
    """Check that a replication stands once, for twice the same number would look like two, and that nothing else is
    amiss; then give what was counted as 0 its rows."""
    keys = ["point", "seed", "arm", "source_type"]
    twice = source.runs[source.runs.duplicated(keys)]
    if len(twice):
        row = twice.iloc[0]
        raise ResultsError(
            f"{where}: point {row['point']}, seed {row['seed']}, arm {row['arm']} stands more than once; allowed once: "
            "the same run was given twice"
        )
    if not (source.runs["source_type"] == ALL).any():
        raise ResultsError(f"{where}: no rows of source type {ALL!r}; every finished run has them: run it again")
    if taken := [axis for axis in source.axes if axis in ANALYSIS]:
        raise ResultsError(
            f"{where}: axes called {', '.join(taken)}, as columns of means and differences are; name them otherwise "
            "under 'columns' and run 'simnet sweep' again, which makes no finished run anew"
        )
    strangers = sorted(set(source.runs["arm"]) - set(source.arms))
    if strangers:
        raise ResultsError(f"{where}: arms that are not listed: {', '.join(strangers)}; run it again")
    return replace(source, runs=_with_empty_rows(source.runs.reset_index(drop=True)))


def _with_empty_rows(runs: pd.DataFrame) -> pd.DataFrame:
    """A run writes no row for a source type without requests; where other replications of its point had some, 0 is what
    it counted."""
    keys = ["point", "seed", "arm"]
    types = runs.loc[runs["source_type"] != ALL, ["point", "source_type"]].drop_duplicates()
    wanted = runs.loc[runs["source_type"] == ALL].drop(columns="source_type").merge(types, on="point")
    there = pd.MultiIndex.from_frame(runs[[*keys, "source_type"]])
    empty = wanted[~pd.MultiIndex.from_frame(wanted[[*keys, "source_type"]]).isin(there)]
    if empty.empty:
        return runs
    counted = [c for c in METRICS if c in runs and (c.startswith("n_") or c in SUMS)]
    measured = [c for c in METRICS if c in runs and c not in (*counted, "warm_up_s", "fidelity")]
    empty = empty.assign(**dict.fromkeys(counted, 0), **dict.fromkeys(measured, np.nan))
    whole = pd.concat([runs, empty[runs.columns]], ignore_index=True)
    order = [*keys, "source_type"]
    ranks = [whole[key].map({value: rank for rank, value in enumerate(runs[key].unique())}) for key in order]
    whole = whole.iloc[np.lexsort(ranks[::-1])].reset_index(drop=True)
    return whole.astype(runs.dtypes)


def _check_digest(folder: Path, about: dict[str, Any]) -> None:
    """Check that the rows are those that ``sweep.json`` describes: a writer that is stopped may leave old and new."""
    wanted = (about.get("results") or {}).get("sha256")
    if wanted is not None and wanted != hashlib.sha256((folder / "results.parquet").read_bytes()).hexdigest():
        raise ResultsError(
            f"{folder / 'results.parquet'}: got other content than sweep.json describes: its writer was stopped "
            "between the two, or it was changed; run 'simnet sweep' again, which makes no finished run anew"
        )


def _json(path: Path) -> dict[str, Any]:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResultsError(f"{path}: cannot be read ({error}); run 'simnet sweep' again") from None
    missing = [k for k in ("name", "axes", "arms") if not isinstance(about, dict) or k not in about]
    if missing:
        raise ResultsError(f"{path}: got no {', '.join(missing)}; run 'simnet sweep' again")
    axes, arms = about["axes"], about["arms"]
    if not isinstance(axes, list) or not all(
        isinstance(axis, dict) and isinstance(axis.get("column"), str) and isinstance(axis.get("values"), list)
        for axis in axes
    ):
        raise ResultsError(f"{path}: axes that aren't lists of a column and its values; run 'simnet sweep' again")
    if not isinstance(arms, list) or not all(isinstance(arm, str) for arm in arms):
        raise ResultsError(f"{path}: arms that aren't a list of names; run 'simnet sweep' again")
    return dict(about)


def read_table(path: Path) -> pd.DataFrame:
    """A Parquet file of a sweep or run."""
    try:
        table: pd.DataFrame = pyarrow.parquet.read_table(path).to_pandas()
        return table
    except FileNotFoundError:
        raise ResultsError(f"{path}: the file is missing: its writer did not end; {_again(path)}") from None
    except (OSError, pyarrow.ArrowException) as error:
        reason = str(error).partition("\n")[0]
        raise ResultsError(f"{path}: the file is damaged ({reason}); {_again(path)}") from None


def _again(path: Path) -> str:
    """What to do about a table that can't be read; a sweep makes a run anew if its folder is gone."""
    if path.parent.name == "records":
        return f"delete {path.parent.parent} and run 'simnet sweep' again, which makes that run anew"
    return "delete it and run 'simnet sweep' again, which goes on where it was, or 'simnet run', which begins anew"
