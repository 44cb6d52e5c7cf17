"""Same scenario and seed: byte-identical records, however tensor work is batched and whoever watches (DESIGN §6)."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet
import pytest

from simnet.build import FinishedRun, run_scenario
from simnet.core.tables import TABLES
from simnet.scenario.load import load_scenario

SCENARIOS = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))
assert SCENARIOS
STAR = """
name: star
duration_s: 20
drain_s: 5
topology: {kind: city, devices: 6, gateways: 2, edges: 1, clouds: 1, area_m: 1500}
tiers: {device: {store_byte: 9000}}
radios: {radio: {fidelity: exact, mcs: QPSK 1/2, mean_esno_db: 6}}
wires: {access: {}, metro: {}, backbone: {}}
sources: {digits: {dataset: mnist, items: 30, owners: gateway, judge: classifier/digits_judge}}
codecs:
  z40: {kind: aesc, model: digits_z40}
  jpeg: {kind: jpeg, quality: 10, image_shape: [1, 28, 28]}
traffic: {kind: poisson, rate_per_s: 0.15}
protocol: {codecs: {digits: [z40, jpeg]}, propagation: nearest_copy, planner: {expected_uses: 100}}
arms: {models: {}, jpeg: {propagation: none}}
"""
"""Every block through the exact chain, a channel on which some fail, and images through real networks."""


@pytest.fixture(scope="module")
def star(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("star") / "star.yaml"
    file.write_text(STAR, encoding="utf-8")
    return file


def run(file: Path, out: Path, *overrides: str) -> FinishedRun:
    return run_scenario(load_scenario(file, overrides=overrides), out=out, quiet=True)


def tables(run: FinishedRun) -> dict[str, bytes]:
    return {name: (run.path / f"{name}.parquet").read_bytes() for name in TABLES}


@pytest.fixture(scope="module")
def reference(star: Path, tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    return run(star, tmp_path_factory.mktemp("reference"))


def test_the_reference_run_has_something_to_differ_in(reference: FinishedRun) -> None:
    totals = reference.manifest["accounting"]["models"]["bytes_and_channel_uses"]
    assert totals["model"]["delivered_byte"] > 0 and totals["code"]["delivered_byte"] > 0
    assert sum(total["retry_byte"] for total in totals.values()) > 0
    assert len(pyarrow.parquet.read_table(reference.path / "deliveries.parquet")) > 20


@pytest.mark.parametrize("knobs", [(), ("signal.batch=1",), ("signal.trace=true",)], ids=["again", "batch 1", "traced"])
def test_records_are_byte_identical(star: Path, reference: FinishedRun, tmp_path: Path, knobs: tuple[str, ...]) -> None:
    again = run(star, tmp_path, *knobs)
    assert tables(again) == tables(reference)
    assert again.manifest["accounting"] == reference.manifest["accounting"]
    assert bool(again.timeline["models"]) == ("signal.trace=true" in knobs)


def test_another_seed_gives_other_records(star: Path, reference: FinishedRun, tmp_path: Path) -> None:
    other = run(star, tmp_path, "seed=2")
    assert all(other_bytes != tables(reference)[name] for name, other_bytes in tables(other).items())


def test_no_wall_time_or_process_leaks_into_tables(reference: FinishedRun) -> None:
    for name in TABLES:
        metadata = pyarrow.parquet.read_metadata(reference.path / f"{name}.parquet").metadata
        assert set(metadata or {}) <= {b"ARROW:schema"}


STREETS = ("crossings", "roads", "surveys")
WISHES = ("glances", "looks")
SMALL = ("bits", "symbols_low", "symbols_high")
CHOOSING = ("best_single", "planner_bytes", "planner_airtime")
DENSE = ("streets_low", "streets_high", "traffic_low", "traffic_high")
SHORT = {
    "channel_slices": [
        "sources.streets={dataset: camvid_small, items: 88, owners: gateway, judge: segmenter/street_judge, "
        "wish: {task: segmentation, ss: 0.3, deadline_s: 60}}",
        *(f"codecs.{name}.image_shape=[3, 96, 128]" for name in SMALL),
        "radios.radio.esno_swing_db=1",
        "arms.planner_chooses.codecs.streets=[bits]",
        "arms.slice_per_region.codecs.streets=[symbols_high]",
        "duration_s=3000",
    ],
    "city_iot": [
        "duration_s=10",
        *(f"sources.{name}.items=960" for name in ("digits", "clothes")),
        *(f"sources.{name}.items=360" for name in ("vehicles", "animals")),
    ],
    "city_tasks": [
        "duration_s=20",
        *(f"sources.{dense}.items=88" for dense in DENSE),
        *(f"protocol.codecs.{dense}=[jpeg2000_030]" for dense in DENSE),
        *(f"arms.{arm}.codecs.{dense}=[jpeg2000_030]" for arm in CHOOSING for dense in DENSE),
        *(f"arms.planner_airtime.codecs.{small}=[aesc_z8, semcc_24]" for small in ("vehicles_low", "vehicles_high")),
    ],
    "hello": [],
    "jscc_or_digital": [
        "duration_s=200",
        *(f"sources.{name}.items=960" for name in WISHES),
        *(f"arms.digital.codecs.{name}=[avif_40]" for name in WISHES),
        *(f"arms.{arm}.codecs.{name}=[{arm}_12]" for arm in ("deepjscc", "semcc") for name in WISHES),
        *(f"arms.planner.codecs.{name}=[avif_40, deepjscc_12, semcc_12]" for name in WISHES),
    ],
    "street_slices": [
        "duration_s=20",
        *(f"sources.{name}.items=88" for name in STREETS),
        *(f"protocol.codecs.{name}=[base_shallow, shallow_4]" for name in STREETS),
        *(f"arms.jpeg2000.codecs.{name}=[jpeg2000_020]" for name in STREETS),
    ],
    "thousand_models": ["duration_s=30"],
    "aesc_over_noise": ["duration_s=5", "drain_s=10", "radios.awgn.fidelity=ideal", "radios.fading.fidelity=ideal"],
}
"""What makes each take seconds: little time, and few images that are left over to tell planners what codecs give."""


def test_every_scenario_is_listed() -> None:
    assert {file.stem for file in SCENARIOS} <= set(SHORT)


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.stem)
def test_every_scenario_runs_scaled_down_with_closed_accounts(file: Path, tmp_path: Path) -> None:
    """Accounts that don't close end a run with an error."""
    finished = run(file, tmp_path, *SHORT[file.stem])
    assert finished.manifest["rows"]["requests"] > 0
    for accounts in finished.manifest["accounting"].values():
        assert sum(accounts["outcomes"].values()) == accounts["requests"] > 0


def test_an_ideal_link_with_a_lossless_codec_gives_ss_exactly_1(tmp_path: Path, star: Path) -> None:
    text = STAR.replace("fidelity: exact, mcs: QPSK 1/2, mean_esno_db: 6", "fidelity: ideal, mcs: QPSK 1/2")
    text = text.replace("jpeg: {kind: jpeg, quality: 10,", "jpeg: {kind: raw,").replace("[z40, jpeg]", "[jpeg]")
    file = tmp_path / "raw.yaml"
    file.write_text(text.replace("z40: {kind: aesc, model: digits_z40}\n  ", ""), encoding="utf-8")
    rows = pyarrow.parquet.read_table(run(file, tmp_path).path / "deliveries.parquet").to_pylist()
    assert len(rows) > 20
    assert {row["ss"] for row in rows if not row["judge_unsure"]} == {1.0}
    assert all(row["ss"] is None for row in rows if row["judge_unsure"])
    assert {row["psnr_db"] for row in rows} == {float("inf")}
