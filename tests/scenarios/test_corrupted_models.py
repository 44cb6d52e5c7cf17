"""The experiment on corrupted models, scaled down: errors land where each arm lets them, and protection pays."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from simnet.build import run_scenario
from simnet.scenario.load import load_scenario
from simnet.sweep.sweep import load_sweep

FOLDER = Path(__file__).parents[2] / "experiments" / "corrupted_models"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scenario = load_scenario(FOLDER / "scenario.yaml", overrides=["radios.radio.gateway_power_dbm=6", "duration_s=25"])
    return run_scenario(scenario, out=tmp_path_factory.mktemp("runs"), quiet=True).path


def test_bit_errors_land_where_the_arm_lets_them(run: Path) -> None:
    transfers = pd.read_parquet(run / "transfers.parquet")
    wrong = transfers.groupby(["arm", "payload_class"])["bit_errors"].sum().unstack()
    assert (wrong["control"] == 0).all() and len(wrong) == 9
    assert set(wrong.index[wrong["code"] > 0]) == {"code_and_decoder", "code_only"}
    assert set(wrong.index[wrong["model"] == 0]) == {"code_only", "nothing"}
    deliveries = pd.read_parquet(run / "deliveries.parquet")
    damaged = deliveries.groupby("arm")["damaged"].mean()
    assert damaged["nothing"] == 0 and (damaged.drop(["nothing", "code_only"]) == 1).all()


def test_high_bits_buy_ss_with_channel_uses(run: Path) -> None:
    requests = pd.read_parquet(run / "requests.parquet").groupby("arm")[["ss", "channel_use"]].mean()
    by_bits = requests.loc[["decoder_only", "high_bits_1", "high_bits_2", "high_bits_4", "nothing"]]
    assert by_bits["channel_use"].is_monotonic_increasing
    assert by_bits["ss"].iloc[0] < 0.5 < 0.8 < by_bits["ss"].iloc[2]
    assert requests.loc["code_only", "ss"] > 0.8


def test_the_sweep_is_valid() -> None:
    sweep = load_sweep(FOLDER / "sweep.yaml")
    assert len(sweep.points) == 10
