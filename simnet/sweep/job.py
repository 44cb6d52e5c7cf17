"""One run, as a worker gets it and as it gives it back: plain data, so that no worker needs the sweep's folder."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tempfile
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simnet.core.errors import SimnetError
from simnet.core.plugin_fault import plugin_fault
from simnet.scenario.dump import dump_scenario
from simnet.scenario.load import FilePlace, digests, with_files
from simnet.scenario.schema import Scenario
from simnet.sweep.identity import Settings, code_digest, different, versions, zoo_digests
from simnet.sweep.machine import machine_type

if TYPE_CHECKING:
    from simnet.signal.kept import Kept


FOLDER = "simnet-sweep-"
"""How the folder begins in which a run is made."""
REMEDY = "install the same on both, and start the worker anew"


@dataclass(frozen=True)
class Job:
    """A run to be made.

    Args:
        id: its name.
        scenario: as JSON, resolved.
        code: digest of the simnet that must make it.
        versions: of the libraries that it must be made with.
        models: digests of the models that it needs.
        digests: place -> digest of a file that the scenario names, as it was when the run got its name.
        files: place -> name and content of a file that the scenario names, for workers that don't see it.
    """

    id: str
    scenario: str
    settings: Settings
    code: str
    versions: Mapping[str, str | None] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[FilePlace, str] = field(default_factory=dict)
    files: Mapping[FilePlace, tuple[str, bytes]] = field(default_factory=dict)


@dataclass(frozen=True)
class Finished:
    """A run that was made.

    Args:
        rows: a Parquet file of metrics, one row per arm and source type.
        records: relative path -> content of the run folder; empty if only rows are kept.
        meta: wall_s, cpu, device, settled: what may differ from one making to the next.
    """

    rows: bytes
    records: Mapping[str, bytes]
    meta: Mapping[str, Any]


@dataclass(frozen=True)
class Failed:
    """A run that could not be made.

    Args:
        error: one line, the same whoever makes the run where.
        traceback: the whole story.
        misfit: it's not the run that is wrong, but who was to make it.
    """

    error: str
    traceback: str
    misfit: bool = False


class Misfit(SimnetError):
    """Rows made here would not be those of the sweep."""


Outcome = Finished | Failed


def attempt(job: Job, scratch: Path | None = None) -> Outcome:
    """Make a run; whatever it raises is an outcome too. ``scratch``: where its records lie meanwhile."""
    try:
        return execute(job, scratch)
    except Exception as error:
        told = plugin_fault(error) or f"{type(error).__name__}: {error}"
        first = re.sub(rf"[^\s'\"(]*{FOLDER}\w*/?", "", told.partition("\n")[0])  # whose name is drawn each time
        return Failed(first, traceback.format_exc(), isinstance(error, Misfit))


def execute(job: Job, scratch: Path | None = None) -> Finished:
    """Make a run in a folder of its own, which is gone afterwards.

    Raises:
        Misfit: this is another simnet than the job is for, or it has other libraries or models.
        SimnetError: a file that the scenario names has changed since, its parts don't fit, or no such device.
    """
    from simnet.build import run_scenario
    from simnet.report.metrics import metrics
    from simnet.report.run_folder import RunFolder
    from simnet.sweep.warm_up import warm_up_s

    if code_digest() != job.code:
        raise Misfit(f"this worker has another simnet than the sweep was started from; {REMEDY}")
    if job.versions and (misfits := different(job.versions, versions())):
        raise Misfit(f"this worker has other libraries: {', '.join(misfits)}; {REMEDY}")
    if misfits := different(job.models, zoo_digests(job.models)):
        names = ", ".join(each.partition(" ")[0] for each in misfits)
        raise Misfit(f"this worker's zoo has another {names} than the sweep's; {REMEDY}")
    described = Scenario.model_validate_json(job.scenario)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix=FOLDER, dir=scratch) as name:
        folder = Path(name)
        scenario = with_files(described, _unpacked(job, folder))
        for place, digest in digests(scenario).items():
            if digest != job.digests.get(place):
                raise SimnetError(
                    f"{'.'.join(place)}: the file has changed since the sweep began; start the sweep again"
                )
        run = run_scenario(scenario, out=folder / "runs", device=job.settings.device, quiet=True, kept=_kept(job))
        records = RunFolder.open(run.path)
        start_s, settled = warm_up_s(records, job.settings.warm_up)
        rows = metrics(records, start_s)
        kept = _packed(run.path) if job.settings.keep == "records" else {}
        if kept:  # with the paths of where the sweep was started, not of this folder, which will be gone
            kept["scenario.yaml"] = text = dump_scenario(described).encode()
            manifest = {**run.manifest, "scenario_sha256": hashlib.sha256(text).hexdigest()}
            kept["manifest.json"] = (json.dumps(manifest, indent=2) + "\n").encode()
        meta = {
            "wall_s": time.perf_counter() - began,
            "cpu": machine_type(job.settings.device),
            "device": job.settings.device,
            "settled": settled,
        }
        return Finished(_parquet(rows), kept, meta)


_shared: tuple[Mapping[str, str], Kept] | None = None
"""Models and what was computed with them: one scenario after the other differs by its seed and network mostly."""


def _kept(job: Job) -> Kept:
    """What this process's earlier runs with the same models have computed."""
    global _shared
    from simnet.signal.kept import Kept

    if _shared is None or _shared[0] != job.models:
        _shared = (job.models, Kept())
    return _shared[1]


def _unpacked(job: Job, folder: Path) -> dict[FilePlace, Path]:
    paths: dict[FilePlace, Path] = {}
    for place, (name, content) in job.files.items():
        paths[place] = folder / "-".join((*place, name))
        paths[place].write_bytes(content)
    return paths


def _packed(folder: Path) -> dict[str, bytes]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def _parquet(rows: Any) -> bytes:
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.Table.from_pandas(rows, preserve_index=False).replace_schema_metadata(None)
    target = io.BytesIO()
    pyarrow.parquet.write_table(table, target, compression="zstd")
    return target.getvalue()
