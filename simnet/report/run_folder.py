"""The files that a run left, read and checked: the only place where the report touches the disk to read."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet
import yaml

from simnet.core.surrogate_names import group_name, group_of
from simnet.core.tables import columns
from simnet.report.column_types import check_columns
from simnet.report.errors import RunError
from simnet.report.manifest import check_manifest

BYTE_COLUMNS = ("control_byte", "model_byte", "code_byte", "enhancement_byte")
"""End-to-end bytes of a request, by payload class."""


@dataclass(frozen=True)
class RunFolder:
    """One finished run.

    Args:
        path: the folder.
        manifest: content of ``manifest.json``.
    """

    path: Path
    manifest: dict[str, Any]

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Check that the run is whole, and read its manifest.

        Raises:
            RunError: not a folder, no manifest (the run did not end), or a manifest that cannot be read.
        """
        if not path.is_dir():
            raise RunError(f"{path}: no such run folder; 'simnet run SCENARIO' makes one under runs/")
        if not (path / "manifest.json").is_file():
            raise RunError(f"{path}: no manifest.json: the run did not end, or this is no run folder; run it again")
        manifest = _read_json(path / "manifest.json")
        check_manifest(path / "manifest.json", manifest)
        return cls(path, manifest)

    @property
    def arms(self) -> list[str]:
        """Names of the arms, in the scenario's order."""
        return list(self.manifest["arms"])

    @property
    def seed(self) -> int:
        """The scenario's seed; the report's bootstrap draws depend on it."""
        return int(self.manifest["seed"])

    @cached_property
    def source_types(self) -> list[str]:
        """Source types that were requested, in the manifest's order; surrogates that are like one source are one."""
        seen = set(self.requests["source_type"].unique())
        known = [*self.manifest["sources"], *map(group_name, self._likes)]
        listed = [s for s in known if s in seen]
        return listed + sorted(seen - set(listed))

    @property
    def duration_s(self) -> float:
        """Simulated time in which requests arrive."""
        return float(self.manifest["duration_s"])

    @cached_property
    def scenario_text(self) -> str:
        """The resolved scenario, as YAML."""
        try:
            return (self.path / "scenario.yaml").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise _unreadable(self.path / "scenario.yaml", error) from None

    @cached_property
    def scenario(self) -> dict[str, Any]:
        """The resolved scenario, parsed."""
        try:
            content = yaml.safe_load(self.scenario_text)
        except (yaml.YAMLError, RecursionError) as error:
            raise _unreadable(self.path / "scenario.yaml", error) from None
        if not isinstance(content, dict):
            raise RunError(f"{self.path / 'scenario.yaml'}: got no mapping of keys; run the scenario again")
        return content

    @cached_property
    def misfit(self) -> str | None:
        """What to say if ``scenario.yaml`` was changed after the run; None if not, or if an older run can't tell."""
        wanted, path = self.manifest.get("scenario_sha256"), self.path / "scenario.yaml"
        if wanted is None or wanted == hashlib.sha256(self.scenario_text.encode()).hexdigest():
            return None
        return (
            f"{path}: it was changed after the run, as its digest in manifest.json says: the records are of another "
            "scenario; run the changed one, or put the old file back"
        )

    @cached_property
    def samples(self) -> list[dict[str, Any]]:
        """Entries of ``samples/index.json``; empty if the run kept no images."""
        index = self.path / "samples" / "index.json"
        if not index.is_file():
            return []
        entries = _read_json(index)
        keys = {"source_type", "item_id", "arm", "original", "recovered"}
        if not isinstance(entries, list) or not all(isinstance(e, dict) and keys <= e.keys() for e in entries):
            raise RunError(f"{index}: it must be a list of entries with at least {', '.join(sorted(keys))}")
        return entries

    def file_bytes(self, name: str) -> bytes:
        """Content of a file that another file of the run names; never one outside the folder."""
        target = (self.path / name).resolve()
        if not target.is_relative_to(self.path.resolve()):
            raise RunError(f"{self.path}: a file outside the run folder is named: {name!r}")
        try:
            return target.read_bytes()
        except OSError as error:
            raise _unreadable(target, error) from None

    @cached_property
    def requests(self) -> pd.DataFrame:
        """Table ``requests`` by creation, with ``delivered``, ``latency_s``, ``end_to_end_byte``, codes.

        Surrogates that are like one source are called by their group. ``delivered`` says that something was decoded
        for it; ``latency_s`` is NaN where nothing was.
        """
        table = self._table("requests").sort_values(["created_s", "request_id"], kind="stable", ignore_index=True)
        table = self._grouped(table)
        table["arm_code"] = self._arm_codes(table, "requests")
        table["consumer_code"] = pd.factorize(table["consumer"])[0]
        table["satisfied"] = table["outcome"] == "satisfied"
        table["key"] = _key(table)
        table["delivered"] = table["key"].isin(_key(self.deliveries))
        table["latency_s"] = (table["ended_s"] - table["created_s"]).astype(float).where(table["delivered"])
        table["end_to_end_byte"] = table[list(BYTE_COLUMNS)].sum(axis=1)
        return table

    @cached_property
    def deliveries(self) -> pd.DataFrame:
        """Table ``deliveries``: the last one of each request, which is what its consumer was left with; surrogates
        grouped."""
        table = self._table("deliveries").sort_values("time_s", kind="stable", ignore_index=True)
        table = self._grouped(table)
        table["arm_code"] = self._arm_codes(table, "deliveries")
        return table.drop_duplicates(["arm_code", "request_id"], keep="last", ignore_index=True)

    @cached_property
    def transfers(self) -> pd.DataFrame:
        """Table ``transfers``: what sums need, and ``request_row`` (place in ``requests``, −1 if none)."""
        wanted = ["arm", "request_id", "payload_class", "tx_j", "rx_j", "overhead_channel_use"]
        wanted += [f"{attempt}_{unit}" for attempt in ("first", "retry") for unit in ("byte", "channel_use")]
        table = self._table("transfers", wanted)
        table["arm_code"] = self._arm_codes(table, "transfers")
        table["request_row"] = pd.Index(self.requests["key"]).get_indexer(_key(table))
        return table

    @cached_property
    def stores(self) -> pd.DataFrame:
        """Table ``stores``."""
        table = self._table("stores")
        table["arm_code"] = self._arm_codes(table, "stores")
        return table

    @cached_property
    def nodes(self) -> pd.DataFrame:
        """Table ``nodes``."""
        table = self._table("nodes")
        table["arm_code"] = self._arm_codes(table, "nodes")
        return table

    @cached_property
    def slice_sources(self) -> pd.DataFrame:
        """Which slice decoded which source type: ``slice_id``, ``source_type``, one row per pair seen."""
        pairs = self.deliveries[["slices", "source_type"]].drop_duplicates()
        pairs = pairs.assign(slice_id=pairs["slices"].astype(str).str.split()).explode("slice_id")
        return pairs[["slice_id", "source_type"]].dropna().drop_duplicates(ignore_index=True)

    @property
    def _likes(self) -> dict[str, int]:
        """Source type -> number of surrogates that are like it."""
        return dict((self.manifest.get("surrogates") or {}).get("types") or {})

    def _grouped(self, table: pd.DataFrame) -> pd.DataFrame:
        """The table with surrogates called by their group: no page can list thousands of source types."""
        if not self._likes:
            return table
        sources, likes = set(self.manifest["sources"]), self._likes
        changed = {}
        for column in ("source_type", "identified_as"):
            if column in table:
                names = table[column].astype(object)
                groups = {name: group_of(name, sources, likes) for name in names.dropna().unique()}
                changed[column] = names.map(groups).astype("category")
        return table.assign(**changed)

    def _table(self, name: str, wanted: list[str] | None = None) -> pd.DataFrame:
        path = self.path / f"{name}.parquet"
        try:
            schema = pyarrow.parquet.read_schema(path)
            missing = [c for c in columns(name) if c not in schema.names]
            if missing:
                raise RunError(
                    f"{path}: columns are missing: {', '.join(missing)}; another version of simnet wrote it: "
                    "run the scenario again"
                )
            strings = [field.name for field in schema if pyarrow.types.is_string(field.type)]
            table = pyarrow.parquet.read_table(path, columns=wanted, read_dictionary=strings)
            check_columns(path, name, table)
            return _plain_strings(table.to_pandas(), strings)
        except (OSError, pyarrow.ArrowException) as error:
            raise _unreadable(path, error) from None

    def _arm_codes(self, table: pd.DataFrame, name: str) -> np.ndarray:
        codes: np.ndarray = pd.Index(self.arms).get_indexer(pd.Index(table["arm"].astype(object)))
        if (codes < 0).any():
            strangers = ", ".join(sorted(set(table["arm"][codes < 0])))
            raise RunError(f"{self.path / name}.parquet: arms that the manifest doesn't list: {strangers}")
        return codes


def _plain_strings(table: pd.DataFrame, strings: list[str]) -> pd.DataFrame:
    """Dictionary-coded columns with few values stay so (fast to group); the rest becomes objects."""
    many = [c for c in strings if c in table and len(table[c].cat.categories) > max(1000, len(table) // 10)]
    return table.astype(dict.fromkeys(many, object))


def _key(table: pd.DataFrame) -> np.ndarray:
    """[N] int64: arm and request in one number."""
    arm_code: np.ndarray = table["arm_code"].to_numpy(np.int64)
    request_id: np.ndarray = table["request_id"].to_numpy(np.int64)
    keys: np.ndarray = (arm_code << 48) + request_id
    return keys


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> RunError:
    if isinstance(error, FileNotFoundError):
        return RunError(f"{path}: the file is missing, so the run is incomplete; run the scenario again")
    reason = str(error).partition("\n")[0]
    return RunError(f"{path}: the file is damaged or cannot be read ({reason}); run the scenario again")
