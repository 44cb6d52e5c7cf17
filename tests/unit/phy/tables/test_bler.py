"""BLER tables: interpolation, files, choice of MCS, and calibration in the small."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from simnet.core.errors import SimnetError
from simnet.core.mcs import MCS_TABLE, Mcs
from simnet.core.units import db_to_linear
from simnet.phy.blocks import BLOCK_BITS, BlockFormat
from simnet.phy.native import NativeBackend
from simnet.phy.tables import calibration
from simnet.phy.tables.bler import (
    LOWEST_BLER,
    BlerPoint,
    BlerTable,
    load_table,
    select_mcs,
    table_path,
    thresholds,
)
from simnet.phy.tables.calibration import StopRule, calibrate
from simnet.phy.tables.effective_snr import EffectiveMap

POINTS = tuple(BlerPoint(db, 1000, errors, 0) for db, errors in ((0.0, 1000), (1.0, 100), (1.5, 1)))
FORMAT = BlockFormat(288, MCS_TABLE[0])
TABLE = BlerTable(FORMAT, {"alpha": 0.8}, 1, POINTS, (EffectiveMap("eesm", 1.5, 0.1, 0.2),))
ALL_FORMATS = [BlockFormat(k, mcs) for k in BLOCK_BITS for mcs in MCS_TABLE]


@pytest.mark.parametrize(
    ("esno_db", "bler", "region"),
    [
        (-5.0, 1.0, "below"),
        (-1e-12, 1.0, "measured"),  # what rounding makes of the first point
        (0.0, 1.0, "measured"),
        (0.5, 10**-0.5, "measured"),
        (1.0, 0.1, "measured"),
        (1.25, 0.01, "measured"),
        (1.5, 1e-3, "measured"),
        (1.75, 1e-4, "above"),
        (5.0, LOWEST_BLER, "above"),
    ],
)
def test_interpolation_is_linear_in_log_bler_over_db_and_the_tail_is_limited(
    esno_db: float, bler: float, region: str
) -> None:
    found = TABLE.lookup(db_to_linear(esno_db))
    assert found.bler == pytest.approx(bler, rel=1e-9)
    assert found.region == region
    assert TABLE.measured_esno_db == (0.0, 1.5)


@pytest.mark.parametrize("esno_db", [-0.1, 1.6, 40.0])
def test_what_was_not_measured_is_not_given_out_as_if_it_were(esno_db: float) -> None:
    message = rf"got Es/N0 {esno_db:.2f} dB; measured 0 to 1\.5 dB\. lookup\(\) extrapolates, and says so"
    with pytest.raises(SimnetError, match=message):
        TABLE.bler(db_to_linear(esno_db))
    assert TABLE.bler(db_to_linear(1.25)) == pytest.approx(0.01)


def test_no_signal_loses_every_block() -> None:
    assert TABLE.lookup(0.0) == (1.0, "below")


@pytest.mark.parametrize(("target", "esno_db"), [(0.5, 0.30103), (0.1, 1.0), (1e-3, 1.5), (1e-5, 2.0)])
def test_the_threshold_is_the_inverse(target: float, esno_db: float) -> None:
    assert TABLE.threshold(target) == pytest.approx(db_to_linear(esno_db), rel=1e-5)
    assert TABLE.threshold(1e-7) == math.inf


def test_a_table_survives_its_file(tmp_path: Path) -> None:
    path = tmp_path / "table.json"
    TABLE.write(path)
    assert BlerTable.read(path) == TABLE
    row = json.loads(path.read_text())["points"][1]
    assert (row["errors"], row["blocks"], row["bler"]) == (100, 1000, 0.1)
    assert row["bler_low"] < 0.1 < row["bler_high"]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text[: len(text) // 2], "cannot be read"),
        (lambda text: "", "cannot be read"),
        (lambda text: text.replace('"errors"', '"mistakes"'), "cannot be read"),
        (lambda text: text.replace('"errors": 100,', '"errors": 2000,'), "0 < errors <= blocks"),
        (lambda text: text.replace('"esno_db": 1.0', '"esno_db": 7.0'), "rising Es/N0"),
        (lambda text: text.replace('"k": 288', '"k": 296'), "has another length now"),
        (lambda text: text.replace("QPSK 1/2", "QPSK 1/3"), "cannot be read"),
        (lambda text: text.replace("eesm", "easm"), "cannot be read"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, damage: object, message: str) -> None:
    path = tmp_path / "table.json"
    TABLE.write(path)
    text = path.read_text()
    broken = damage(text)  # type: ignore[operator]
    assert broken != text
    path.write_text(broken)
    with pytest.raises(SimnetError, match=f"{message}.*simnet link calibrate"):
        BlerTable.read(path)


def test_a_missing_table_is_named() -> None:
    message = r"k = 336 bit, QPSK 1/2: not in the zoo; it has .*k1152_qpsk_1-2.*--bits 336 --mcs \"QPSK 1/2\""
    with pytest.raises(SimnetError, match=message):
        load_table(BlockFormat(336, MCS_TABLE[0]))


def test_a_map_that_was_not_fitted_is_asked_for_by_name() -> None:
    esno = np.array([1.0, 3.0])
    assert 1.0 < TABLE.effective_esno(esno, "eesm") < 3.0
    with pytest.raises(SimnetError, match="no miesm was fitted, which frequency-selective and fast fading need"):
        TABLE.effective_esno(esno)


@pytest.mark.parametrize("block_format", ALL_FORMATS, ids=str)
def test_shipped_tables_cover_the_waterfall_in_fine_steps(block_format: BlockFormat) -> None:
    table = load_table(block_format)
    assert table.format == block_format
    points = table.points
    assert all(b.esno_db - a.esno_db <= 0.25 for a, b in pairwise(points))
    assert points[0].bler > 0.99
    assert points[-1].bler <= 1e-3
    assert all(point.errors >= 10 for point in points)
    # Falling, as far as the counts can tell.
    assert all(b.interval[0] <= a.interval[1] for a, b in pairwise(points))
    assert all(point.errors >= 100 or point.blocks >= 200_000 for point in points)
    assert {each.kind for each in table.effective} == {"miesm", "eesm"}


@pytest.mark.parametrize("k", BLOCK_BITS)
def test_the_fastest_scheme_that_meets_the_target_is_chosen(k: int) -> None:
    def uses(mcs: Mcs) -> int:
        return BlockFormat(k, mcs).channel_uses

    chosen = [select_mcs(db_to_linear(0.1 * i), k, 0.01) for i in range(-50, 300)]
    assert [uses(mcs) for mcs in chosen] == sorted(map(uses, chosen), reverse=True)
    assert chosen[0] == MCS_TABLE[0] and chosen[-1] == MCS_TABLE[-1]
    for i, mcs in zip(range(-50, 300), chosen, strict=True):
        meets = [
            each for each in MCS_TABLE if load_table(BlockFormat(k, each)).lookup(db_to_linear(0.1 * i)).bler <= 0.01
        ]
        assert uses(mcs) == min(map(uses, meets), default=uses(MCS_TABLE[0]))
        assert mcs in meets or mcs == MCS_TABLE[0]


@pytest.mark.parametrize("k", BLOCK_BITS)
def test_where_no_scheme_can_meet_the_target_the_slowest_is_chosen(k: int) -> None:
    """Rates of tables end at 1e-6: none promises less."""
    for esno_db in (-5.0, 5.0, 40.0):
        assert select_mcs(db_to_linear(esno_db), k, 9e-7) == MCS_TABLE[0]
    assert select_mcs(db_to_linear(40.0), k, 1.1e-6) == MCS_TABLE[-1]


def test_schemes_that_another_beats_are_left_out() -> None:
    ladder = thresholds(1152, 0.1)
    least, uses = [each for each, _ in ladder], [BlockFormat(1152, mcs).channel_uses for _, mcs in ladder]
    assert least == sorted(least, reverse=True) and uses == sorted(uses)
    assert len(set(uses)) == len(uses)
    two = tuple(mcs for mcs in MCS_TABLE if mcs.name in ("QPSK 1/2", "64-QAM 3/4"))
    assert [mcs for _, mcs in thresholds(1152, 0.1, two)] == [two[1], two[0]]


def test_calibration_writes_a_table_that_repeats_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stop = StopRule(target_errors=40, max_blocks=512)
    table = calibrate(FORMAT, out=tmp_path, stop=stop, quiet=True)
    assert capsys.readouterr().err == ""
    assert BlerTable.read(table_path(FORMAT, tmp_path)) == table
    assert table.points[0].bler > 0.99
    assert all(point.blocks == 512 for point in table.points)
    assert table.points[-1].errors < 40
    again = calibrate(FORMAT, out=tmp_path, stop=stop)
    assert again == table
    assert "95 % CI" in capsys.readouterr().err


def test_a_table_is_written_only_when_it_is_finished(tmp_path: Path) -> None:
    stop = StopRule(target_errors=40, max_blocks=512)

    def stopped(table: BlerTable) -> BlerTable:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        calibrate(FORMAT, out=tmp_path, stop=stop, finish=stopped, quiet=True)
    assert not table_path(FORMAT, tmp_path).exists()

    def finished(table: BlerTable) -> BlerTable:
        return replace(table, effective=TABLE.effective)

    calibrate(FORMAT, out=tmp_path, stop=stop, finish=finished, quiet=True)
    assert BlerTable.read(table_path(FORMAT, tmp_path)).effective == TABLE.effective


def test_a_calibration_that_was_stopped_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stop = StopRule(target_errors=40, max_blocks=512)
    whole = calibrate(FORMAT, out=tmp_path / "whole", stop=stop, quiet=True)
    measured: list[float] = []

    def stopped(backend: NativeBackend, block_format: BlockFormat, esno_db: float, stop: StopRule) -> BlerPoint:
        if len(measured) == 3:
            raise KeyboardInterrupt
        measured.append(esno_db)
        return original(backend, block_format, esno_db, stop)

    original = calibration.measure
    monkeypatch.setattr(calibration, "measure", stopped)
    with pytest.raises(KeyboardInterrupt):
        calibrate(FORMAT, out=tmp_path, stop=stop, quiet=True)
    (progress,) = (tmp_path / "ieee80216e").iterdir()
    assert len(progress.read_text().splitlines()) == 4
    progress.write_text(progress.read_text() + '{"esno_db": 0.1')  # killed while writing
    monkeypatch.setattr(calibration, "measure", original)
    with pytest.raises(SimnetError, match="an unfinished calibration with other settings"):
        calibrate(FORMAT, out=tmp_path, stop=StopRule(41, 512), quiet=True)
    again: list[float] = []

    def noted(backend: NativeBackend, block_format: BlockFormat, esno_db: float, stop: StopRule) -> BlerPoint:
        again.append(esno_db)
        return original(backend, block_format, esno_db, stop)

    monkeypatch.setattr(calibration, "measure", noted)
    assert calibrate(FORMAT, out=tmp_path, stop=stop, quiet=True) == whole
    assert not set(again) & set(measured)
    assert table_path(FORMAT, tmp_path).read_bytes() == table_path(FORMAT, tmp_path / "whole").read_bytes()
    assert not progress.exists()
