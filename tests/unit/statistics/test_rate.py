"""Wilson's interval against scipy and a textbook."""

from __future__ import annotations

import pytest
from scipy.stats import binomtest

from simnet.statistics.rate import Rate, wilson_interval


@pytest.mark.parametrize(("hits", "n"), [(0, 20), (7, 20), (20, 20), (9123, 10000)])
def test_interval_is_scipys_wilson_interval(hits: int, n: int) -> None:
    reference = binomtest(hits, n).proportion_ci(0.95, method="wilson")
    assert Rate(hits, n).interval == pytest.approx((reference.low, reference.high), abs=1e-12)


@pytest.mark.parametrize(("hits", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_impossible_counts(hits: int, n: int) -> None:
    with pytest.raises(ValueError, match="allowed 0 ≤ hits ≤ n"):
        Rate(hits, n)


def test_wilson_interval_is_the_textbooks() -> None:
    """R. G. Newcombe, Statistics in Medicine 17 (1998), table I: 81/263 and 0/20, score method."""
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
