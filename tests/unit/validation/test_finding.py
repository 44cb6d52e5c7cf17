"""What passes and what fails."""

from __future__ import annotations

import math

import pytest

from simnet.statistics.interval import Interval
from simnet.validation.finding import Finding, Theory


@pytest.mark.parametrize(
    ("theory", "passes"),
    [
        (Theory.exactly(1.1, "t"), True),
        (Theory.exactly(1.11, "t"), False),
        (Theory.exactly(0.89, "t"), False),
        (Theory.about(1.2, 0.1, "t"), True),
        (Theory.about(1.2, 0.05, "t"), False),
        (Theory.at_most(0.9, "t"), True),
        (Theory.at_most(0.89, "t"), False),
        (Theory(1.2, math.inf, "t"), False),
    ],
)
def test_an_interval_passes_if_it_holds_a_value_that_theory_allows(theory: Theory, passes: bool) -> None:
    assert Finding("q", Interval(1.0, 0.1, 9), theory).verdict == ("pass" if passes else "fail")


@pytest.mark.parametrize("nothing", [Interval(1.0, None, 1), Interval(None, None, 0)])
def test_without_an_interval_nothing_was_shown(nothing: Interval) -> None:
    assert Finding("q", nothing, Theory.exactly(1.0, "t")).verdict == "fail"


def test_theory_reads_as_a_value_a_range_or_a_bound() -> None:
    texts = [str(Theory.exactly(0.25, "t")), str(Theory.about(1, 0.005, "t")), str(Theory(0.5, 1.5, "t"))]
    assert texts == ["0.25", "1 ± 0.005", "0.5 to 1.5"]
    assert [str(Theory.at_most(3, "t")), str(Theory(2, math.inf, "t"))] == ["≤ 3", "≥ 2"]


def test_a_range_upside_down_is_no_theory() -> None:
    with pytest.raises(ValueError, match=r"got 2 to 1; allowed low ≤ high"):
        Theory(2, 1, "t")
    with pytest.raises(ValueError, match="nan"):
        Theory.exactly(math.nan, "t")
