"""The noisy scenario, scaled down: clean above the cliff, damaged or lost below it, and its figure."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from simnet.build import run_scenario
from simnet.report import redraw
from simnet.scenario.load import load_scenario

SCENARIO = Path(__file__).parents[2] / "scenarios" / "aesc_over_noise.yaml"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scaled = ["duration_s=4", "traffic.rate_per_s=0.5", "arms={aesc_z40: {}, direct: {codecs: {digits: [direct]}}}"]
    out = tmp_path_factory.mktemp("runs")
    path = run_scenario(load_scenario(SCENARIO, overrides=scaled), out=out, quiet=True).path
    redraw(path)
    return path


def test_bit_errors_stop_above_the_cliff(run: Path) -> None:
    requests = pd.read_parquet(run / "requests.parquet")
    deliveries = pd.read_parquet(run / "deliveries.parquet").merge(
        requests[["arm", "request_id", "outcome"]], on=["arm", "request_id"]
    )
    clean = deliveries[deliveries["consumer"].isin(["awgn_3", "awgn_5"])]
    noisy = deliveries[deliveries["consumer"].isin(["awgn_0p25", "awgn_0p5"])]
    assert len(clean) > 5 and not clean["damaged"].any()
    assert len(noisy) > 0 and noisy["damaged"].all()
    assert clean["correct_recovered"].mean() > 0.8 > noisy["correct_recovered"].mean()
    transfers = pd.read_parquet(run / "transfers.parquet")
    damaged = transfers[transfers["bit_errors"] > 0]
    assert set(damaged["link_class"]) <= {"awgn", "fading"} and len(damaged) > 0


def test_direct_transmission_of_clean_bits_is_lossless(run: Path) -> None:
    deliveries = pd.read_parquet(run / "deliveries.parquet")
    clean = deliveries[(deliveries["arm"] == "direct") & ~deliveries["damaged"]]
    assert len(clean) > 5
    assert (clean["ssim"] == 1.0).all()
    assert (clean["ss"].dropna() == 1.0).all()


def test_the_figure_over_esno_is_drawn(run: Path) -> None:
    text = (run / "figures" / "over_snr.svg").read_text(encoding="utf-8")
    for word in ("awgn", "fading", "mean Es/N0 (dB)", "population SS", "aesc_z40", "direct"):
        assert word in text
