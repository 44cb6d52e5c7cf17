"""A run in one flat row per arm and source type: what sweeps collect and analyses read."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pandas as pd

from simnet.core.tables import Outcome
from simnet.report.errors import RunError
from simnet.report.run_folder import BYTE_COLUMNS, RunFolder
from simnet.report.scores import scores, total

ALL = "all"
"""In place of a source type: every source type together."""
ENERGY = ("tx_j", "rx_j", "compute_j", "idle_j")
SUMS = (*BYTE_COLUMNS, "stripped_byte", "end_to_end_byte", "link_byte", "channel_use")

ANALYSIS = ("n", "mean", "low", "high", "half_width", "n_left_out", "ratio", "over", "minus", "dominated")
"""Columns that :mod:`simnet.results` writes beside those of axes: no axis may be called so."""

METRICS: dict[str, str] = {
    "n_requests": "requests counted",
    "n_delivered": "requests for which something was decoded",
    "satisfied": "share of requests answered in time with the wished SS",
    "ss_mean": "mean SS of requests, undelivered ones as 0; those of which the judge was unsure left out",
    "ss_mean_delivered": "the same of delivered requests",
    "ss_population": "ratio of recognition rates, recovered to original, of what was delivered",
    "n_judge_unsure": "deliveries whose original the judge was unsure of",
    "code_byte": "end to end: codes",
    "model_byte": "end to end: models",
    "control_byte": "end to end: control",
    "enhancement_byte": "end to end: enhancements",
    "stripped_byte": "what code_byte and enhancement_byte would be less without the fixed headers of formats",
    "end_to_end_byte": "end to end, all classes",
    "link_byte": "over all links, retries included",
    "byte_per_request": "end_to_end_byte / n_requests",
    "model_byte_per_request": "model_byte / n_requests",
    "channel_use": "complex symbols on the air for these requests: retries, preambles, headers and ACKs included",
    "latency_mean_s": "of delivered requests",
    "latency_median_s": "of delivered requests",
    "latency_p95_s": "of delivered requests, 95 % quantile",
    "model_fetch_mean_s": "of delivered requests: mean model_fetch_s, 0 where no slice was missing",
    "n_slices_needed": "slices that requests needed",
    "n_slices_missed": "of those, not held when needed",
    "miss_ratio": "n_slices_missed / n_slices_needed",
    "n_fetches": "requests that models were fetched for",
    "tx_j": "of all nodes over the whole run; null for a single source type",
    "rx_j": "like tx_j",
    "compute_j": "like tx_j",
    "idle_j": "like tx_j",
    "psnr_db_mean": "mean of deliveries' PSNR; exact copies left out",
    "warm_up_s": "requests created earlier are left out",
    **{f"n_{outcome}": "requests that ended so" for outcome in get_args(Outcome)},
    "fidelity": "of the run's radios (ideal without any), and surrogate where codes and SS were drawn, joined by +",
}
"""Column -> what it means, in order; null where there is nothing to take a mean or a ratio of."""


def metrics(folder: RunFolder, warm_up_s: float = 0.0) -> pd.DataFrame:
    """One row per arm and source type ("all" first): ``arm``, ``source_type`` and the columns of ``METRICS``.

    Definitions are those of :func:`simnet.report.summary.summarise_folder`, without its intervals: those come from
    replications.

    Args:
        folder: a finished run.
        warm_up_s: requests created before it, and what they cost, are left out; energy is always of the whole run.

    Raises:
        RunError: no request can have been created after the warm-up.
    """
    if warm_up_s and warm_up_s >= (end_s := folder.duration_s):
        raise RunError(f"{folder.path}: warm_up_s: got {warm_up_s:g}; allowed: less than duration_s, {end_s:g}")
    requests = folder.requests[folder.requests["created_s"] >= warm_up_s]
    deliveries = folder.deliveries
    keys = deliveries["arm_code"].to_numpy(np.int64) << 48 | deliveries["request_id"].to_numpy(np.int64)
    deliveries = deliveries[np.isin(keys, requests["key"])]
    links = "+".join(sorted(set(folder.manifest["fidelity"].values()))) or "ideal"
    drawn = {name for name, of in folder.manifest.get("codec_fidelity", {}).items() if of == "surrogate"}

    def common(source_type: str) -> dict[str, Any]:
        surrogate = source_type in drawn or (source_type == ALL and drawn.intersection(folder.source_types))
        return {"warm_up_s": warm_up_s, "fidelity": f"{links}+surrogate" if surrogate else links}

    rows: list[dict[str, Any]] = []
    for code, arm in enumerate(folder.arms):
        mine, got = requests[requests["arm_code"] == code], deliveries[deliveries["arm_code"] == code]
        nodes = folder.nodes[folder.nodes["arm_code"] == code]
        energy = {column: float(nodes[column].sum()) for column in ENERGY}
        rows.append({"arm": arm, "source_type": ALL, **_row(mine, got), **energy, **common(ALL)})
        for source in folder.source_types:
            part = _row(mine[mine["source_type"] == source], got[got["source_type"] == source])
            rows.append({"arm": arm, "source_type": source, **part, **dict.fromkeys(ENERGY), **common(source)})
    table = pd.DataFrame(rows, columns=["arm", "source_type", *METRICS])
    numbers = [c for c in METRICS if c != "fidelity" and not c.startswith("n_") and c not in SUMS]
    return table.astype(dict.fromkeys(numbers, np.float64))


def _row(requests: pd.DataFrame, deliveries: pd.DataFrame) -> dict[str, Any]:
    n = len(requests)
    delivered = requests[requests["delivered"]]
    latency_s = delivered["latency_s"]
    outcomes = requests["outcome"].value_counts()
    sums = {column: int(requests[column].sum()) for column in SUMS}
    needed, missed = int(requests["slices_needed"].sum()), int(requests["slices_missed"].sum())
    psnr_db = deliveries["psnr_db"].to_numpy(float)
    psnr_db = psnr_db[np.isfinite(psnr_db)]
    return {
        "n_requests": n,
        "n_delivered": len(delivered),
        "satisfied": _ratio(int(requests["satisfied"].sum()), n),
        "ss_mean": requests["ss"].mean(),
        "ss_mean_delivered": delivered["ss"].mean(),
        "ss_population": _ratio(total(scores(deliveries, "recovered")), total(scores(deliveries, "original"))),
        "n_judge_unsure": int(deliveries["judge_unsure"].sum()),
        **sums,
        "byte_per_request": _ratio(sums["end_to_end_byte"], n),
        "model_byte_per_request": _ratio(sums["model_byte"], n),
        "latency_mean_s": latency_s.mean(),
        "latency_median_s": latency_s.median(),
        "latency_p95_s": latency_s.quantile(0.95),
        "model_fetch_mean_s": delivered["model_fetch_s"].mean(),
        "n_slices_needed": needed,
        "n_slices_missed": missed,
        "miss_ratio": _ratio(missed, needed),
        "n_fetches": int((requests["model_byte"] > 0).sum()),
        "psnr_db_mean": psnr_db.mean() if len(psnr_db) else None,
        **{f"n_{outcome}": int(outcomes.get(outcome, 0)) for outcome in get_args(Outcome)},
    }


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
