"""Value, half width and n."""

from __future__ import annotations

import math

import pytest

from simnet.statistics.interval import Interval


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (Interval(0.9123, 0.0042, 5), "0.912 ± 0.004 (n = 5)"),
        (Interval(0.9123, 0.0013, 5), "0.9123 ± 0.0013 (n = 5)"),
        (Interval(12345.6, 670.0, 9), "12,346 ± 670 (n = 9)"),
        (Interval(-3.14159, 0.21, 4), "−3.1 ± 0.2 (n = 4)"),
        (Interval(1.0, 0.0, 4), "1.0000 ± 0.0000 (n = 4)"),
        (Interval(0.1, 2e-17, 4), "0.1000 ± 0.0000 (n = 4)"),
        (Interval(1.5e-6, 0.0, 4), "0.000001500 ± 0.000000000 (n = 4)"),
        (Interval(0.0, 0.0, 4), "0.0000 ± 0.0000 (n = 4)"),
        (Interval(0.5, None, 1), "0.5 (n = 1, no interval)"),
        (Interval(None, None, 0), "– (n = 0)"),
        (Interval(0.5, 0.00999, 3), "0.500 ± 0.010 (n = 3)"),
    ],
)
def test_text(interval: Interval, text: str) -> None:
    assert str(interval) == text


def test_ends_and_what_they_exclude() -> None:
    interval = Interval(2.0, 0.5, 3)
    assert (interval.low, interval.high) == (1.5, 2.5)
    assert interval.excludes(1.49) and interval.excludes(2.51)
    assert not interval.excludes(1.5) and not interval.excludes(2.5)


def test_an_unknown_width_excludes_nothing() -> None:
    assert Interval(2.0, None, 1).low is None and Interval(2.0, None, 1).high is None
    assert not Interval(2.0, None, 1).excludes(1e9)


@pytest.mark.parametrize(
    ("value", "half_width", "n"),
    [(math.nan, None, 1), (1.0, math.inf, 1), (1.0, -0.1, 2), (None, 0.1, 2), (1.0, 0.1, -1)],
)
def test_what_is_no_interval(value: float | None, half_width: float | None, n: int) -> None:
    with pytest.raises(ValueError, match=r"interval: got .* allowed"):
        Interval(value, half_width, n)
