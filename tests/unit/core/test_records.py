"""Rows survive the way to Parquet: values, nulls, types and what each column means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from operator import itemgetter
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet
import pytest

from simnet.core.records import Notes, Recorder, Spread
from simnet.core.tables import TABLES, RequestRow, TransferRow, columns


def request(arm: str, request_id: int, **more: object) -> RequestRow:
    row = RequestRow(arm, request_id, "reader", "camera", 3, "digits", 1.5, 0.9, 5.0)
    for name, value in more.items():
        setattr(row, name, value)
    return row


def recorder() -> Recorder:
    made = Recorder()
    made.add(request("a", 0, ss=None, outcome="satisfied", ended_s=2.25))
    made.add(request("b", 0, ss=0.5, codec="jpeg"))
    made.add(TransferRow("a", 1, 0, "l", "radio", "x", "y", "control", "Request", 45, 1.5))
    return made


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    assert recorder().write(tmp_path) == {"requests": 2, "deliveries": 0, "transfers": 1, "stores": 0, "nodes": 0}
    first, second = pyarrow.parquet.read_table(tmp_path / "requests.parquet").to_pylist()
    assert (first["outcome"], first["ended_s"], first["ss"], first["codec"]) == ("satisfied", 2.25, None, None)
    assert (second["outcome"], second["ended_s"], second["ss"], second["codec"]) == ("unfinished", None, 0.5, "jpeg")
    assert pd.read_parquet(tmp_path / "transfers.parquet")["payload_byte"].tolist() == [45]


@pytest.mark.parametrize("table", TABLES)
def test_every_column_has_its_type_even_without_rows(table: str, tmp_path: Path) -> None:
    Recorder().write(tmp_path)
    schema = pyarrow.parquet.read_schema(tmp_path / f"{table}.parquet")
    assert tuple(schema.names) == columns(table)
    for field in fields(TABLES[table]):
        suffix = field.name.rpartition("_")[2]
        if suffix in ("s", "j", "db", "m"):
            assert str(schema.field(field.name).type) == "double", field.name
        if suffix in ("byte", "use", "id") and field.name != "slice_id":
            assert str(schema.field(field.name).type) == "int64", field.name
        metadata = schema.field(field.name).metadata or {}
        assert metadata[b"description"].decode() == field.metadata["description"]


@pytest.mark.parametrize("table", TABLES)
def test_every_column_says_what_it_is(table: str) -> None:
    for column in fields(TABLES[table]):
        description = column.metadata.get("description", "").strip()
        assert description and description != column.name, f"{table}.{column.name}: no description"


def test_equal_rows_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        recorder().write(tmp_path / name)
    for table in TABLES:
        one, two = ((tmp_path / name / f"{table}.parquet").read_bytes() for name in ("one", "two"))
        assert one == two


def test_rows_of_an_arm() -> None:
    made = recorder()
    assert [row.codec for row in made.rows_of(RequestRow, "b")] == ["jpeg"]
    assert made.rows_of(TransferRow, "b") == []


def noting(made: Recorder, spread: Spread | None = None) -> Callable[[tuple[Any, ...]], None]:
    """Notes of two facts: request id, and when it was made; the other columns are the same for all, or defaults."""
    same = {"arm": "a", "consumer": "reader", "owner": "camera", "item_id": 3, "source_type": "digits",
            "wish_ss": 0.9, "deadline_s": 5.0}  # fmt: skip
    always = {name: lambda notes, value=value: notes.always(value) for name, value in same.items()}
    facts = {"request_id": itemgetter(0), "created_s": itemgetter(1)}
    return made.notes(RequestRow, 2, {**always, **facts}, spread)


def test_notes_and_rows_stand_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    made, rows = Recorder(), Recorder()
    note = noting(made)
    for request_id in (5, 6, 7, 8, 9):
        rows.add(request("a", request_id))
        if request_id in (6, 9):
            made.add(request("a", request_id))
        else:
            note((request_id, 1.5))
    ids, codecs = made.columns_of(RequestRow, "a", ["request_id", "codec"])
    assert (ids.to_pylist(), codecs.to_pylist()) == ([5, 6, 7, 8, 9], [None] * 5)
    for name, each in (("noted", made), ("rows", rows)):
        (tmp_path / name).mkdir()
        assert each.write(tmp_path / name)["requests"] == 5
    noted, plain = ((tmp_path / name / "requests.parquet").read_bytes() for name in ("noted", "rows"))
    assert noted == plain


def test_notes_become_rows_where_rows_are_asked_for_and_then_those_count() -> None:
    made = recorder()
    note = noting(made)
    note((5, 1.5))
    made.add(request("a", 6))
    note((7, 1.5))
    assert made.rows_of(RequestRow, "a") == [request("a", 0, ss=None, outcome="satisfied", ended_s=2.25)] + [
        request("a", i) for i in (5, 6, 7)
    ]
    made.rows_of(RequestRow, "a")[1].codec = "webp"
    note((8, 1.5))
    assert [(r.request_id, r.codec) for r in made.rows["requests"]] == [
        (0, None), (0, "jpeg"), (5, "webp"), (6, None), (7, None), (8, None),
    ]  # fmt: skip
    (codecs,) = made.columns_of(RequestRow, "a", ["codec"])
    assert codecs.to_pylist() == [None, "webp", None, None, None]


def test_columns_know_what_came_since_they_were_last_asked_for() -> None:
    made = Recorder()
    note = noting(made)
    for n in (1, 2, 3):
        note((n, 0.5 * n))
        created_s, outcomes = made.columns_of(RequestRow, "a", ["created_s", "outcome"])
        assert created_s.to_pylist() == [0.5, 1.0, 1.5][:n] and outcomes.to_pylist() == ["unfinished"] * n


def test_columns_are_of_the_notes_that_came_after_the_rows_were_asked_for() -> None:
    made = Recorder()
    note = noting(made)
    note((1, 0.5))
    made.columns_of(RequestRow, "a", ["created_s"])
    assert made.rows_of(RequestRow, "a") == [request("a", 1, created_s=0.5)]
    note((2, 1.0))
    (created_s,) = made.columns_of(RequestRow, "a", ["created_s"])
    assert created_s.to_pylist() == [0.5, 1.0]


def test_a_note_may_stand_for_several_rows(tmp_path: Path) -> None:
    """Of notes, a first request id and how many follow it, among rows."""

    def spread(notes: Notes) -> Notes:
        return Notes([fact for first, n in notes for i in range(n) for fact in (first + i, 1.5)], 2)

    made = Recorder()
    note = noting(made, Spread(spread, 1))
    note((5, 2))
    made.add(request("a", 1))
    note((7, 3))
    note((10, 1))
    made.add(request("a", 2))
    ids = [5, 6, 1, 7, 8, 9, 10, 2]
    (column,) = made.columns_of(RequestRow, "a", ["request_id"])
    assert column.to_pylist() == ids
    assert made.write(tmp_path)["requests"] == len(ids)
    assert pd.read_parquet(tmp_path / "requests.parquet")["request_id"].tolist() == ids
    assert [row.request_id for row in made.rows_of(RequestRow, "a")] == ids


def test_floats_are_split_into_streams_of_bytes(tmp_path: Path) -> None:
    recorder().write(tmp_path)
    group = pyarrow.parquet.ParquetFile(tmp_path / "requests.parquet").metadata.row_group(0)
    encodings = {group.column(i).path_in_schema: group.column(i).encodings for i in range(group.num_columns)}
    assert "BYTE_STREAM_SPLIT" in encodings["created_s"] and "RLE_DICTIONARY" in encodings["consumer"]


def test_what_a_fact_means_is_asked_once_for_each_value() -> None:
    notes, asked = Notes(["b", 1.0, "a", 2.0, "b", 3.0], 2), []

    def length(name: str) -> int:
        asked.append(name)
        return ord(name)

    assert notes.each(0, length).to_pylist() == [98, 97, 98]
    assert asked == ["b", "a"]
    assert notes.floats(1).tolist() == [1.0, 2.0, 3.0] and len(notes) == 3


def test_blocks_of_rows_are_one_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Recorder()
    for request_id in range(7):
        made.add(request("a", request_id))
    monkeypatch.setattr("simnet.core.records.BLOCK_ROWS", 3)
    assert made.write(tmp_path)["requests"] == 7
    assert pd.read_parquet(tmp_path / "requests.parquet")["request_id"].tolist() == list(range(7))
    assert pyarrow.parquet.ParquetFile(tmp_path / "requests.parquet").num_row_groups == 3
