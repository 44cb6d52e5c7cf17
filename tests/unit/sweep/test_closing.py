"""What a sweep says of its progress and of its end."""

from __future__ import annotations

import pandas as pd
import pytest
from rich.console import Console

from simnet.sweep.closing import MOST_ROWS, closing_table
from simnet.sweep.conduct import Progress
from simnet.sweep.progress import duration, pace


def test_the_table_leaves_out_replications_without_a_value_and_says_how_many_points_follow() -> None:
    n = MOST_ROWS + 5
    rows = [
        {"point": p, "arm": "a", "source_type": s, "ttl_s": None, "ss_mean": v, "byte_per_request": 7.0}
        for p in range(n)
        for s in ("all", "digits")
        for v in (0.5, 0.7, None)
    ]
    console = Console(width=100)
    with console.capture() as printed:
        console.print(closing_table("title", pd.DataFrame(rows), ["ttl_s"]))
    lines = printed.get().splitlines()
    # two values 0.2 apart: t(1) = 12.706, standard error 0.1
    assert sum("0.6 ± 1.3 (n = 2)" in line for line in lines) == MOST_ROWS
    assert any("5 more" in line for line in lines)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.6, "1 min 00 s"), (200, "3 min 20 s"), (3900, "1 h 05 min")]
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_the_pace_counts_what_this_call_has_made() -> None:
    assert pace(Progress(total=10, found=4), 5.0) == ""
    assert pace(Progress(total=10, found=4, made=2, failed={"x": "y"}), 60.0) == "3 runs/min, 1 min 00 s left, 1 failed"
