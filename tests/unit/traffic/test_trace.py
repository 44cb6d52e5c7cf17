"""Wishes written out: order, cut at the end, and what is wrong with a broken trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simnet.core.errors import SimnetError
from simnet.traffic.base import CatalogueItem, RequestPlan
from simnet.traffic.trace import Trace

CATALOGUE = [CatalogueItem(7, "digits", "owner"), CatalogueItem(9, "clothes", "owner")]


def read(duration_s: float = 100.0, **settings: Any) -> list[RequestPlan]:
    trace = Trace(Trace.Params.model_validate(settings))
    names = ["ann", "bob", "owner"]
    return list(trace.requests(consumers=names, catalogue=CATALOGUE, duration_s=duration_s, seed=1))


def wish(time_s: float = 1.0, consumer: str = "ann", item_id: int = 7) -> dict[str, object]:
    return {"time_s": time_s, "consumer": consumer, "item_id": item_id}


def test_sorted_numbered_and_cut_at_the_end() -> None:
    rows = [wish(5.0), wish(2.0, "bob"), wish(1.0, item_id=9), wish(100.0), wish(5.0, "bob")]
    assert read(requests=rows) == [
        RequestPlan(1.0, "ann", 9, 0),
        RequestPlan(2.0, "bob", 7, 0),
        RequestPlan(5.0, "ann", 7, 1),
        RequestPlan(5.0, "bob", 7, 1),
    ]
    assert len(read(duration_s=100.5, requests=rows)) == 5
    trace = Trace(Trace.Params.model_validate({"requests": rows}))
    assert trace.left_out(100.5) is None
    said = trace.left_out(5.0)
    assert said is not None and said.startswith("3 of 5 wishes come at or after duration_s, which is 5 s")
    assert said.endswith("the last one is at 100 s")


def test_csv_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    path.write_text("time_s,consumer,item_id\n5,ann,7\n2.0,bob,7\n1e0,ann,9\n")
    assert read(file=path) == read(requests=[wish(5.0), wish(2.0, "bob"), wish(1.0, item_id=9)])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            wish(consumer="anne"),
            r"traffic\.requests\.1\.consumer: got 'anne', .*; allowed: ann, bob, owner; did you mean 'ann'\?",
        ),
        (wish(item_id=8), r"traffic\.requests\.1\.item_id: got 8; allowed: items of the catalogue, 7\.\.9"),
        (wish(consumer="owner"), r"traffic\.requests\.1\.item_id: got 7, which 'owner' owns"),
    ],
)
def test_wishes_that_do_not_fit_the_network(row: dict[str, object], message: str) -> None:
    with pytest.raises(SimnetError, match=message):
        read(requests=[wish(), row])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "exactly one of 'requests' and 'file'"),
        ({"requests": [], "file": "x.csv"}, "exactly one"),
        ({"requests": [wish(time_s=-1.0)]}, "time_s"),
        ({"requests": [{**wish(), "wish": 1}]}, "Extra inputs"),
    ],
)
def test_broken_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(**settings)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"trace.csv:1: header: got None; allowed: time_s,consumer,item_id"),
        (b"time,consumer,item_id\n", r"trace.csv:1: header: got \['time'"),
        (b"time_s,consumer,item_id\n1,ann,7\nsoon,ann,7\n", r"trace.csv:3 time_s: got 'soon'"),
        (b"time_s,consumer,item_id\n1,ann\n", r"trace.csv:2: got 2 columns; allowed: 3"),
        (b"time_s,consumer,item_id\n1,ann,7,8\n", r"trace.csv:2: got 4 columns; allowed: 3: time_s,consumer,item_id"),
        (b"time_s,consumer,item_id\n1,ann,8\n", r"trace.csv:2 item_id: got 8; allowed: items"),
        (
            b"time_s,consumer,item_id\n1,ann,8\n\nnan,bob,7\n2,eve,9\n",
            r"csv:4 time_s: got 'nan'.*\n.*csv:5 consumer",
        ),
        (b'time_s,consumer,item_id\n1,"ann,7\n', r"trace.csv:2: not a readable CSV file"),
        (b"\xff\xfe\x00\x01", r"trace.csv: not a readable CSV file"),
    ],
)
def test_broken_files(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "trace.csv"
    path.write_bytes(content)
    with pytest.raises(SimnetError, match=message):
        read(file=path)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SimnetError, match=r"none.csv: not a readable CSV file of wishes: .*No such file"):
        read(file=tmp_path / "none.csv")
