"""BLER tables: interpolation, files, choice of MCS, and calibration in the small."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from simnet.core.errors import SimnetError
from simnet.core.units import db_to_linear
from simnet.phy.bler import (
    LOWEST_BLER,
    BlerPoint,
    BlerTable,
    load_table,
    select_mcs,
    table_path,
    wilson_interval,
)
from simnet.phy.blocks import BLOCK_LENGTHS
from simnet.phy.calibration import calibrate
from simnet.phy.mcs import MCS_TABLE, Mcs

POINTS = tuple(BlerPoint(db, 1000, errors, 0) for db, errors in ((0.0, 1000), (1.0, 100), (1.5, 1)))
TABLE = BlerTable(576, "QPSK 1/2", {"alpha": 0.8}, 1, POINTS)
ALL_TABLES = [(n, mcs) for n in BLOCK_LENGTHS for mcs in MCS_TABLE]


def test_wilson_interval_is_the_textbooks() -> None:
    """R. G. Newcombe, Statistics in Medicine 17 (1998), table I: 81/263 and 0/20, score method."""
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


@pytest.mark.parametrize(
    ("esno_db", "bler"),
    [(-5.0, 1.0), (0.0, 1.0), (0.5, 10**-0.5), (1.0, 0.1), (1.25, 0.01), (1.5, 1e-3), (1.75, 1e-4), (5.0, LOWEST_BLER)],
)
def test_interpolation_is_linear_in_log_bler_over_db_and_the_tail_is_limited(esno_db: float, bler: float) -> None:
    assert TABLE.bler(db_to_linear(esno_db)) == pytest.approx(bler, rel=1e-9)
    assert TABLE.measured_esno_db == (0.0, 1.5)


def test_no_signal_loses_every_block() -> None:
    assert TABLE.bler(0.0) == 1.0


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
    with pytest.raises(SimnetError, match=r"n = 672 bit, MCS 'QPSK 1/2': none shipped; have .*2304_qpsk_1-2"):
        load_table(672, MCS_TABLE[0])


@pytest.mark.parametrize(("n", "mcs"), ALL_TABLES)
def test_shipped_tables_cover_the_waterfall_in_fine_steps(n: int, mcs: Mcs) -> None:
    table = load_table(n, mcs)
    assert (table.n, table.mcs) == (n, mcs.name)
    points = table.points
    assert all(b.esno_db - a.esno_db <= 0.25 for a, b in pairwise(points))
    assert points[0].bler > 0.99
    assert points[-1].bler <= 1e-3
    assert all(point.errors >= 10 for point in points)
    # Falling, as far as the counts can tell.
    assert all(b.interval[0] <= a.interval[1] for a, b in pairwise(points))


@pytest.mark.parametrize("n", BLOCK_LENGTHS)
def test_the_fastest_scheme_that_meets_the_target_is_chosen(n: int) -> None:
    chosen = [select_mcs(db_to_linear(0.1 * i), n, 0.01) for i in range(-50, 200)]
    assert [mcs for mcs, after in zip(chosen, [*chosen[1:], None], strict=True) if mcs != after] == list(MCS_TABLE)
    for i, mcs in zip(range(-50, 200), chosen, strict=True):
        bler = load_table(n, mcs).bler(db_to_linear(0.1 * i))
        assert bler <= 0.01 or mcs == MCS_TABLE[0]
        for faster in MCS_TABLE[MCS_TABLE.index(mcs) + 1 :]:
            assert load_table(n, faster).bler(db_to_linear(0.1 * i)) > 0.01


def test_calibration_writes_a_table_that_repeats_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mcs = MCS_TABLE[0]
    table = calibrate(576, mcs, out=tmp_path, max_blocks=512, target_errors=40, quiet=True)
    assert capsys.readouterr().err == ""
    assert BlerTable.read(table_path(576, mcs, tmp_path)) == table
    assert table.points[0].bler > 0.99
    assert all(point.blocks == 512 for point in table.points)
    assert table.points[-1].errors < 40
    again = calibrate(576, mcs, out=tmp_path, max_blocks=512, target_errors=40)
    assert again == table
    assert "95 % CI" in capsys.readouterr().err


