"""Every example of docs/analysis.md runs, in order, on a sweep as the page describes it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.support.sweep_folder import keep_or_fetch, write_sweep

PAGE = Path(__file__).parents[2] / "docs" / "analysis.md"


def test_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.S)
    assert len(blocks) == 7
    axes = {"ttl_s": [60, 600, 3600, None], "store_byte": [0, 64000]}
    write_sweep(tmp_path / "sweeps" / "time_to_live", axes, keep_or_fetch)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for number, block in enumerate(blocks):
        exec(compile(block, f"{PAGE.name}, example {number + 1}", "exec"), names)
    assert str(axes) in blocks[0], "the page says what the sweep is"
    assert isinstance(names["means"], pd.DataFrame) and len(names["means"]) == 12
    assert names["best"]["as_good"].any()
    assert (tmp_path / "build" / "traffic.png").stat().st_size > 10_000
    table = (tmp_path / "build" / "README.md").read_text()
    assert table.count("(n = 5)") == 24
