"""The page of experiments/break_even counts uses as one does by hand."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

PAGE = Path(__file__).parents[2] / "experiments" / "break_even" / "page.py"


@pytest.fixture(scope="module")
def page() -> ModuleType:
    spec = importlib.util.spec_from_file_location("break_even_page", PAGE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("model", "rival", "code", "n", "counted"),
    [
        (1000, 100, 20, 200, 13),  # n* = 12.5: the thirteenth use is the first with less in all
        (800, 100, 20, 200, 11),  # n* = 10: there both have cost the same, which is not yet less
        (1000, 100, 20, 12, math.inf),
        (1000, 20, 20, 200, math.inf),
        (0, 30, 20, 200, 1),
    ],
)
def test_constant_costs_cross_after_the_closed_form(
    page: ModuleType, model: float, rival: float, code: float, n: int, counted: float
) -> None:
    first = np.arange(n) == 0
    cost = {
        ("digits", "arm"): np.where(first, model, 0.0) + code + np.zeros((2, 1)),
        ("digits", "rival"): np.full((2, n), rival),
    }
    uses = page.Uses(
        "B", cost, {("digits", "arm"): np.tile(first, (2, 1)), ("digits", "rival"): np.zeros((2, n), bool)}, {}
    )
    found = page._compared(uses, "wire", "digits", "arm", "rival")
    assert found.counted.tolist() == [counted, counted]
    assert found.closed.n_star == (model / (rival - code) if rival > code else None)
    assert found.paid is math.isfinite(counted)


def test_the_last_crossing_counts(page: ModuleType) -> None:
    # ahead after the second use, behind again after the third, for good from the fifth on
    arm, rival = np.array([[5, 1, 9, 1, 1, 1.0]]), np.array([[4, 4, 4, 4, 4, 4.0]])
    uses = page.Uses(
        "B",
        {("digits", "arm"): arm, ("digits", "rival"): rival},
        {
            ("digits", "arm"): np.array([[True, False, False, False, False, False]]),
            ("digits", "rival"): np.zeros((1, 6), bool),
        },
        {},
    )
    assert np.cumsum(arm - rival).tolist() == [1, -2, 3, 0, -3, -6]
    assert page._compared(uses, "wire", "digits", "arm", "rival").counted.tolist() == [5]
