"""experiments/sesc_detection: what its README says is what its tables of points give."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from simnet.results import markdown
from simnet.tasks.boxes import Matched

HERE = Path(__file__).parents[2] / "experiments" / "sesc_detection"


@pytest.fixture(scope="module")
def page() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sesc_detection_page", HERE / "page.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_sentences_and_tables_are_those_of_the_points(page: ModuleType) -> None:
    points, differences = (pd.read_csv(HERE / f"{name}.csv") for name in ("points", "differences"))
    readme = (HERE / "README.md").read_text(encoding="utf-8")
    blocks = dict(re.findall(r"<!-- table: (\w+) -->\n(.*?)\n<!-- /table -->", readme, flags=re.DOTALL))
    assert blocks == {
        "answer": page.answer(points, differences),
        "shares": markdown(page._shares(points)),
        "thresholds": markdown(page._thresholds(points)),
        "differences": markdown(page._shown(differences)),
    }


def test_a_difference_is_that_of_its_points(page: ModuleType) -> None:
    """Means over Es/N0, looked up by hand."""
    points, differences = (pd.read_csv(HERE / f"{name}.csv") for name in ("points", "differences"))
    row = differences.set_index("question").loc[f"raised {page.NETWORK}"]
    own = points[(points["what"] == "threshold") & (points["by"] == page.NETWORK) & (points["esno_db"] < 11)]
    means = [own[own["value"] == threshold]["map_50"].mean() for threshold in (0.2, 0.3)]
    assert [row["before"], row["after"]] == pytest.approx(means, rel=1e-3)
    assert row["difference"] == pytest.approx(means[1] - means[0], abs=2e-4)
    assert row["low"] <= row["difference"] <= row["high"]
    assert {row["from_db"], row["to_db"]} == {own["esno_db"].min(), own["esno_db"].max()}


def test_lost_pictures_count_as_such(page: ModuleType) -> None:
    """With none delivered JPEG 2000's mAP is that of grey pictures, with all that of the decoded ones."""
    real = np.array([[2.0, 2, 20, 20, 0, 1.0]])
    nothing = np.zeros((0, 6))
    either = Matched.of([real, real, nothing, nothing], [real, real, real, real], 1)
    counts = np.ones((3, 2), np.int64)
    assert page._scores(either, counts, 1.0, 0.0).tolist() == [1.0] * 3
    assert page._scores(either, counts, 0.0, 0.0).tolist() == [0.0] * 3
