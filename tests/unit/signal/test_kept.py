"""Runs that share tensor work give the rows that they give alone, and do that work once."""

from __future__ import annotations

from pathlib import Path

import pytest

from simnet.build import run_scenario
from simnet.codecs.aesc import Aesc
from simnet.core.tables import TABLES
from simnet.scenario.load import load_scenario
from simnet.scenario.schema import Scenario
from simnet.signal.kept import Kept
from simnet.tasks.classification import Classification

NOISY = ["radios.radio.protection=none", "radios.radio.fidelity=ideal", "radios.radio.bit_error_rate=0.002"]


def hello(seed: int, *overrides: str) -> Scenario:
    path = Path(__file__).parents[3] / "scenarios" / "hello.yaml"
    return load_scenario(path, overrides=[f"seed={seed}", *overrides])


def tables(scenario: Scenario, out: Path, kept: Kept | None) -> list[bytes]:
    folder = run_scenario(scenario, out=out, quiet=True, kept=kept).path
    return [(folder / f"{name}.parquet").read_bytes() for name in TABLES]


@pytest.mark.parametrize("overrides", [(), NOISY], ids=["clean", "bit errors"])
def test_shared_work_changes_no_row(overrides: tuple[str, ...], tmp_path: Path) -> None:
    kept = Kept()
    for seed in (1, 2, 1):
        scenario = hello(seed, *overrides)
        assert tables(scenario, tmp_path / "shared", kept) == tables(scenario, tmp_path / "alone", None)


def test_another_seed_runs_no_network_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, calls = Kept(), []
    tables(hello(1), tmp_path, kept)
    for owner, name in ((Aesc, "encode"), (Aesc, "decode"), (Classification, "infer")):
        work = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *args, _work=work, **named: calls.append(1) or _work(*args, **named))
    tables(hello(2), tmp_path, None)
    alone = len(calls)
    tables(hello(2), tmp_path, kept)
    assert len(calls) - alone < alone / 3  # pictures for the report; items that the first run did not want


def test_other_images_or_settings_are_other_work(tmp_path: Path) -> None:
    kept = Kept()
    tables(hello(1), tmp_path, kept)
    for override in (
        "sources.digits.items=9",
        "codecs.digits_z40.code_bits=3",
        "sources.digits.judge=classifier/clothes_judge",
    ):
        scenario = hello(1, override)
        assert tables(scenario, tmp_path / "shared", kept) == tables(scenario, tmp_path / "alone", None)
