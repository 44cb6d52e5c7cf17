"""The flat rows agree with the report's summary, and leave a warm-up out whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from simnet.report.errors import RunError
from simnet.report.metrics import ALL, METRICS, metrics
from simnet.report.run_folder import RunFolder
from simnet.report.summary import summarise_folder


def test_rows_say_what_the_summary_says(make_run: Callable[..., Path]) -> None:
    folder = RunFolder.open(make_run(n_requests=800))
    summary = summarise_folder(folder)
    table = metrics(folder).set_index(["arm", "source_type"])
    assert list(table.columns) == list(METRICS)
    assert len(table) == len(folder.arms) * (1 + len(folder.source_types))
    for (arm, source), row in table.iterrows():
        cell = summary["arms"][arm]["all"] if source == ALL else summary["arms"][arm]["sources"][source]
        assert row["n_requests"] == cell["requests"]
        assert row["n_delivered"] == cell["delivered"]["hits"]
        for name in ("satisfied", "ss_population", "ss_mean", "ss_mean_delivered", "psnr_db_mean"):
            assert row[name] == pytest.approx(cell[name]["value"]), name
        assert row["n_judge_unsure"] == cell["judge_unsure"]
        assert row["end_to_end_byte"] == cell["end_to_end_byte"]["total"]
        assert row["model_byte_per_request"] == pytest.approx(cell["end_to_end_byte"]["model"] / cell["requests"])
        assert row["latency_mean_s"] == pytest.approx(cell["latency"]["mean_s"])
        assert row["latency_p95_s"] == pytest.approx(cell["latency"]["p95_s"])
        assert row["model_fetch_mean_s"] == pytest.approx(cell["latency"]["parts"]["model_fetch_s"])
        assert row["n_fetches"] == cell["fetches"]
        assert {o: row[f"n_{o}"] for o in cell["outcomes"]} == cell["outcomes"]
    whole = table.xs(ALL, level="source_type")
    assert whole["tx_j"].to_dict() == {arm: summary["arms"][arm]["energy"]["tx_j"] for arm in folder.arms}
    assert table.drop(index=ALL, level="source_type")["tx_j"].isna().all()
    assert set(table["fidelity"]) == {"table"}


def test_warm_up_leaves_requests_and_their_deliveries_out(make_run: Callable[..., Path]) -> None:
    folder = RunFolder.open(make_run(n_requests=800, arms=("jpeg",)))
    kept = folder.requests[folder.requests["created_s"] >= 3600.0]
    row = metrics(folder, warm_up_s=3600.0).iloc[0]
    assert 0 < row["n_requests"] == len(kept) < 800
    assert row["end_to_end_byte"] == kept["end_to_end_byte"].sum()
    last = pd.read_parquet(folder.path / "deliveries.parquet").merge(kept[["request_id"]])
    assert row["psnr_db_mean"] == pytest.approx(last["psnr_db"].mean())


def test_where_nothing_is_left_means_are_null_and_counts_are_zero(make_run: Callable[..., Path]) -> None:
    folder = RunFolder.open(make_run(n_requests=50, arms=("jpeg",)))
    last_s = folder.requests["created_s"].max()
    row = metrics(folder, warm_up_s=(last_s + folder.duration_s) / 2).iloc[0]
    assert (row["n_requests"], row["code_byte"], row["n_timeout"]) == (0, 0, 0)
    assert row[["satisfied", "ss_mean", "byte_per_request", "latency_mean_s", "miss_ratio"]].isna().all()


def test_a_warm_up_beyond_the_run_is_refused(make_run: Callable[..., Path]) -> None:
    folder = RunFolder.open(make_run(n_requests=50, arms=("jpeg",)))
    with pytest.raises(RunError, match=r"warm_up_s: got 1e\+09; allowed: less than duration_s, [0-9]+"):
        metrics(folder, warm_up_s=1e9)
