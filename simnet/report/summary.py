"""A run's records -> the numbers of its report: per arm and source type, break-even, paired differences."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simnet.core.streams import generator
from simnet.core.tables import Outcome, PayloadClass
from simnet.report import statistics
from simnet.report.breakeven import Costs, break_even
from simnet.report.errors import RunError
from simnet.report.metrics import ALL
from simnet.report.run_folder import RunFolder
from simnet.report.scores import scores

"""In place of a source type: every source type together."""
LATENCY_PARTS = ("queue_s", "air_s", "propagation_s", "compute_s", "model_fetch_s")
BASES = ("counted", "stripped", "link", "channel_use")
"""What break-even counts: end-to-end bytes, the same without fixed format headers, bytes over all links with
retries, channel uses with retries and overhead."""

FETCHED = ("fetched", "consumer_code", "source_type")

Summary = dict[str, Any]


def summarise(run: Path) -> Summary:
    """Compute a run's summary and write it to ``summary.json``.

    Raises:
        RunError: the folder is incomplete, or one of its files is missing or damaged.
    """
    folder = RunFolder.open(run)
    summary = summarise_folder(folder)
    write_summary(folder, summary)
    return summary


def write_summary(folder: RunFolder, summary: Summary) -> None:
    """Write ``summary.json`` whole or not at all.

    Raises:
        RunError: one of its numbers is infinite, which JSON doesn't know.
    """
    if (key := _infinite(summary)) is not None:
        raise RunError(
            f"{folder.path}: {key} is beyond the largest number (1.8e308): the scenario's powers, energies or "
            "durations are; give smaller ones and run it again"
        )
    partial = folder.path / "summary.json.tmp"
    partial.write_text(json.dumps(summary, indent=1, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(partial, folder.path / "summary.json")


def _infinite(tree: Any, path: str = "") -> str | None:
    """Dotted key of the first number that is not finite."""
    if isinstance(tree, float):
        return None if math.isfinite(tree) else path
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    found = (_infinite(part, f"{path}.{key}" if path else str(key)) for key, part in pairs)
    return next((key for key in found if key is not None), None)


def summarise_folder(folder: RunFolder) -> Summary:
    """The summary as a tree of plain values; every rate carries its counts, every mean its interval.

    Keys: ``arms.<arm>.all`` and ``arms.<arm>.sources.<type>`` hold the same figures (:func:`_cell`);
    ``break_even`` is a list of rows, one per arm with models, arm without, source type and basis; ``paired``
    holds differences to ``baseline``. None stands for a number that does not exist.
    """
    link = _LinkSums.of(folder)
    with_models = [arm for arm in folder.arms if _needs_models(folder, arm)]
    rivals = [arm for arm in folder.arms if arm not in with_models]
    baseline = _baseline(folder, rivals)
    return {
        "scenario": folder.manifest["scenario"],
        "simnet_version": folder.manifest.get("simnet_version"),
        "seed": folder.seed,
        "duration_s": folder.duration_s,
        "judges": _judges(folder),
        "oracle_arms": _oracle_arms(folder),
        "baseline": baseline,
        "arms": {arm: _arm(folder, arm, link) for arm in folder.arms},
        "break_even": [
            row
            for arm in with_models
            for rival in rivals
            for source in [*folder.source_types, ALL]
            for basis in BASES
            if (row := _break_even(folder, link, (arm, rival), source, basis)) is not None
        ],
        "paired": _paired(folder, baseline),
    }


class _LinkSums:
    """Transfers summed: over arm, source type and class; and per request, for break-even."""

    UNITS = ("first_byte", "retry_byte", "first_channel_use", "retry_channel_use", "overhead_channel_use")

    def __init__(self, by_class: pd.DataFrame, per_request: pd.DataFrame) -> None:
        self.by_class = by_class
        self.per_request = per_request

    @classmethod
    def of(cls, folder: RunFolder) -> _LinkSums:
        transfers, requests = folder.transfers, folder.requests
        row = transfers["request_row"].to_numpy()
        sources = np.array([*requests["source_type"].astype(object), None], object)
        table = transfers[[*cls.UNITS, "tx_j", "rx_j"]].copy()
        table["arm"] = np.array(folder.arms, object)[transfers["arm_code"]]
        table["source_type"] = pd.Categorical(sources[row])
        table["payload_class"] = transfers["payload_class"].astype("category")
        keys = ["arm", "source_type", "payload_class"]
        by_class = table.groupby(keys, observed=True, dropna=False).sum().reset_index()

        known, is_model = row >= 0, (transfers["payload_class"] == "model").to_numpy()
        byte = (transfers["first_byte"] + transfers["retry_byte"]).to_numpy()
        use = (transfers["first_channel_use"] + transfers["retry_channel_use"]).to_numpy()
        overhead = transfers["overhead_channel_use"].to_numpy()
        sums = {}
        for name, values in (("link", byte), ("channel_use", use + overhead)):
            for suffix, chosen in (("", known), ("_model", known & is_model)):
                total = np.bincount(row[chosen], values[chosen], minlength=len(requests))
                sums[name + suffix] = total.astype(np.int64)
        return cls(by_class, pd.DataFrame(sums))

    def cell(self, arm: str, source: str) -> pd.DataFrame:
        rows = self.by_class[self.by_class["arm"] == arm]
        return rows if source == ALL else rows[rows["source_type"] == source]


def _arm(folder: RunFolder, arm: str, link: _LinkSums) -> dict[str, Any]:
    requests = _of(folder.requests, arm)
    deliveries = _of(folder.deliveries, arm)
    nodes = _of(folder.nodes, arm)
    energy = {column: float(nodes[column].sum()) for column in ("tx_j", "rx_j", "compute_j", "idle_j")}
    active_j = energy["tx_j"] + energy["rx_j"] + energy["compute_j"]
    return {
        "needs_models": _needs_models(folder, arm),
        "all": _cell(folder, requests, deliveries, link.cell(arm, ALL), (arm, ALL)),
        "sources": {
            source: _cell(
                folder,
                requests[requests["source_type"] == source],
                deliveries[deliveries["source_type"] == source],
                link.cell(arm, source),
                (arm, source),
            )
            for source in folder.source_types
        },
        "energy": {**energy, "active_j_per_request": active_j / len(requests) if len(requests) else None},
        "provisioned_byte": _provisioned_byte(_of(folder.stores, arm)),
        "stored_byte": int(nodes["store_occupancy_byte"].sum()),
        "store_hits": _store_hits(_of(folder.stores, arm)),
    }


def _cell(
    folder: RunFolder,
    requests: pd.DataFrame,
    deliveries: pd.DataFrame,
    link: pd.DataFrame,
    name: tuple[str, str],
) -> dict[str, Any]:
    """What one arm did for one source type (or for all)."""
    n = len(requests)
    delivered = requests[requests["delivered"]]
    outcomes = requests["outcome"].value_counts()
    sure = requests[requests["ss"].notna()]
    sure_delivered = sure[sure["delivered"]]
    end_to_end = {c: int(requests[f"{c}_byte"].sum()) for c in get_args(PayloadClass)}
    identified = requests["identified_as"].dropna()
    wrong = int((identified.astype(object) != requests.loc[identified.index, "source_type"].astype(object)).sum())
    needed, missed = int(requests["slices_needed"].sum()), int(requests["slices_missed"].sum())
    return {
        "requests": n,
        "outcomes": {o: int(outcomes.get(o, 0)) for o in get_args(Outcome)},
        "satisfied": statistics.share(requests["satisfied"], *_clusterings(requests)),
        "delivered": statistics.share(requests["delivered"], *_clusterings(requests)),
        "ss_population": statistics.ss_population(
            scores(deliveries, "original"),
            scores(deliveries, "recovered"),
            deliveries["item_id"].to_numpy(),
            rng=generator(folder.seed, "report", "ss_population", *name),
        ),
        "ss_mean": statistics.mean(sure["ss"].to_numpy(float), *_clusterings(sure)),
        "ss_mean_delivered": statistics.mean(sure_delivered["ss"].to_numpy(float), *_clusterings(sure_delivered)),
        "judge_unsure": int(deliveries["judge_unsure"].sum()),
        "damaged": statistics.rate(int(deliveries["damaged"].sum()), len(deliveries)),
        "mixed_versions": statistics.rate(int(deliveries["mixed_with"].notna().sum()), len(deliveries)),
        "psnr_db_mean": statistics.mean(*_present(deliveries, "psnr_db")),
        "ssim_mean": statistics.mean(*_present(deliveries, "ssim")),
        "identified_wrong": statistics.rate(wrong, len(identified)),
        "slices_missed": statistics.rate(missed, needed),
        "fetches": int((requests["model_byte"] > 0).sum()),
        "end_to_end_byte": {**end_to_end, "total": int(requests["end_to_end_byte"].sum())},
        "stripped_byte": int(requests["stripped_byte"].sum()),
        "byte_per_delivered": statistics.ratio(
            requests["end_to_end_byte"], requests["delivered"], *_clusterings(requests)
        ),
        "model_share": _share(end_to_end["model"], sum(end_to_end.values())),
        "link_byte": _by_class(link, "first_byte", "retry_byte"),
        "channel_use": {
            **_by_class(link, "first_channel_use", "retry_channel_use"),
            "overhead": int(link["overhead_channel_use"].sum()),
        },
        "radio_j": {"tx_j": float(link["tx_j"].sum()), "rx_j": float(link["rx_j"].sum())},
        "latency": _latency(delivered),
    }


def _latency(delivered: pd.DataFrame) -> dict[str, Any]:
    """Of delivered requests, seconds; ``other_s`` is what no part accounts for (waiting on the protocol)."""
    latency_s = delivered["latency_s"].to_numpy(float)
    if not len(latency_s):
        return {"n": 0, "mean_s": None, "median_s": None, "p95_s": None, "parts": {}}
    parts = {part: float(delivered[part].mean()) for part in LATENCY_PARTS}
    mean = statistics.mean(latency_s, *_clusterings(delivered))
    return {
        "n": len(latency_s),
        "mean_s": mean["value"],
        "mean_low_s": mean["low"],
        "mean_high_s": mean["high"],
        "median_s": float(np.median(latency_s)),
        "p95_s": float(np.quantile(latency_s, 0.95)),
        "parts": {**parts, "other_s": float(latency_s.mean()) - sum(parts.values())},
    }


def _break_even(
    folder: RunFolder, link: _LinkSums, arms: tuple[str, str], source: str, basis: str
) -> dict[str, Any] | None:
    requests = folder.requests
    if source != ALL:
        requests = requests[requests["source_type"] == source]
    mine, rival = _common(*(_of(requests, arm) for arm in arms))
    model, total = _costs(mine, link, basis)
    _, rival_total = _costs(rival, link, basis)
    found = break_even(
        Costs(
            use=total - model,
            model=model,
            rival=rival_total,
            created_s=mine["created_s"].to_numpy(float),
            holder=mine["consumer_code"].to_numpy(np.int64),
            first=(model > 0) & ~mine.assign(fetched=model > 0).duplicated(list(FETCHED)).to_numpy(),
            upfront=0 if basis == "channel_use" else _upfront_byte(folder, arms[0], mine),
        ),
        seed=folder.seed,
    )
    if found is None:
        return None
    return {"arm": arms[0], "rival": arms[1], "source_type": source, "basis": basis, **asdict(found)}


def _common(a: pd.DataFrame, b: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The requests that both arms recorded, in the first one's order: only those can be compared."""
    position = pd.Index(b["request_id"]).get_indexer(a["request_id"])
    return a[position >= 0], b.iloc[position[position >= 0]]


def _costs(requests: pd.DataFrame, link: _LinkSums, basis: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """[N] cost of models and [N] cost of everything, of each request."""
    if basis in ("counted", "stripped"):
        total = requests["end_to_end_byte"].to_numpy(np.int64)
        header = requests["stripped_byte"].to_numpy(np.int64) if basis == "stripped" else 0
        return requests["model_byte"].to_numpy(np.int64), total - header
    sums = link.per_request.loc[requests.index]
    return sums[f"{basis}_model"].to_numpy(np.int64), sums[basis].to_numpy(np.int64)


def _upfront_byte(folder: RunFolder, arm: str, requests: pd.DataFrame) -> int:
    """Bytes of the decoders that an arm without any fetch gave its consumers before the first request.

    Where slices travel, what a node was built with are its own encoders and the slices' origins: not counted.
    """
    if folder.requests.loc[folder.requests["arm"] == arm, "model_byte"].any():
        return 0
    given = _of(folder.stores, arm)
    given = given[given["event"] == "provision"].drop_duplicates(["node", "slice_id"])
    uses = requests[["consumer", "source_type"]].astype(object).drop_duplicates()
    pairs = uses.merge(folder.slice_sources, on="source_type")[["consumer", "slice_id"]].drop_duplicates()
    held = given[["node", "slice_id", "slice_byte"]].astype({"node": object, "slice_id": object})
    return int(held.merge(pairs, left_on=["node", "slice_id"], right_on=["consumer", "slice_id"])["slice_byte"].sum())


def _paired(folder: RunFolder, baseline: str) -> dict[str, Any]:
    """Mean difference arm − baseline over the requests of both."""
    base_requests = _of(folder.requests, baseline)
    differences = {}
    for arm in folder.arms:
        if arm == baseline:
            continue
        mine, base = _common(_of(folder.requests, arm), base_requests)

        def difference(column: str, both: NDArray[np.bool_], mine: Any = mine, base: Any = base) -> dict[str, Any]:
            values = mine[column].to_numpy(float) - base[column].to_numpy(float)
            return statistics.mean(values[both], *_clusterings(mine[both]))

        every = np.ones(len(mine), bool)
        delivered = mine["delivered"].to_numpy() & base["delivered"].to_numpy()
        sure = mine["ss"].notna().to_numpy() & base["ss"].notna().to_numpy()
        differences[arm] = {
            "end_to_end_byte": difference("end_to_end_byte", every),
            "satisfied": difference("satisfied", every),
            "latency_s": difference("latency_s", delivered),
            "ss": difference("ss", sure),
        }
    return differences


def _provisioned_byte(stores: pd.DataFrame) -> int:
    """What nodes were given before time 0, inside and outside their stores: encoders, decoders, each once a node."""
    given = stores[stores["event"] == "provision"].drop_duplicates(["node", "slice_id"])
    return int(given["slice_byte"].sum())


def _store_hits(events: pd.DataFrame) -> dict[str, Any]:
    """Hits of all look-ups, per tier."""
    counts = events[events["event"].isin(["hit", "miss"])].groupby(["tier", "event"], observed=True).size()
    table = counts.unstack(fill_value=0).reindex(columns=["hit", "miss"], fill_value=0)
    return {str(tier): statistics.rate(int(row["hit"]), int(row.sum())) for tier, row in table.iterrows()}


def _by_class(link: pd.DataFrame, first: str, retry: str) -> dict[str, dict[str, int]]:
    sums = link.groupby("payload_class", observed=True)[[first, retry]].sum()
    sums = sums.reindex(list(get_args(PayloadClass)), fill_value=0)
    return {str(name): {"first": int(row[first]), "retry": int(row[retry])} for name, row in sums.iterrows()}


def _needs_models(folder: RunFolder, arm: str) -> bool:
    requests = _of(folder.requests, arm)
    return bool(requests["slices_needed"].any() or requests["model_byte"].any())


def _baseline(folder: RunFolder, rivals: list[str]) -> str:
    """The arm that the others are compared with: JPEG if there is one, else the first that needs no model."""
    for arm in rivals:
        codecs = _of(folder.requests, arm)["codec"].dropna().astype(str).str.lower().unique()
        if "jpeg" in arm.lower() or (len(codecs) and all(c.startswith("jpeg") for c in codecs)):
            return arm
    return (rivals or folder.arms)[0]


def _judges(folder: RunFolder) -> dict[str, str]:
    """Source type -> the model outside the network that measured ST."""
    sources = folder.scenario.get("sources")
    if not isinstance(sources, dict):
        return {}
    return {name: str(part["judge"]) for name, part in sources.items() if isinstance(part, dict) and "judge" in part}


def _oracle_arms(folder: RunFolder) -> list[str]:
    """Arms whose protocol is told the SS by an oracle: their results are marked."""
    protocol = folder.scenario.get("protocol")
    common = protocol.get("ss_feedback") if isinstance(protocol, dict) else None
    overrides = folder.scenario.get("arms")
    found = []
    for arm in folder.arms:
        changes = overrides.get(arm) if isinstance(overrides, dict) else None
        own = changes.get("ss_feedback", common) if isinstance(changes, dict) else common
        if own == "oracle":
            found.append(arm)
    return found


def _clusterings(requests: pd.DataFrame) -> tuple[pd.Series[int], pd.Series[int]]:
    """What requests have in common: those of one consumer, and those for one item."""
    return requests["consumer_code"], requests["item_id"]


def _present(table: pd.DataFrame, column: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Finite values of a column (PSNR of an exact copy is infinite) and the items they belong to."""
    values = table[column].to_numpy(float)
    finite = np.isfinite(values)
    return values[finite], table["item_id"].to_numpy(np.int64)[finite]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _of(table: pd.DataFrame, arm: str) -> pd.DataFrame:
    return table[table["arm"] == arm]
