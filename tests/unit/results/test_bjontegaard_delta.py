"""BD-rate and BD-quality against curves whose difference is known, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from simnet.results.bjontegaard_delta import bd_quality, bd_rate, overlap

RATES = np.array([0.1, 0.2, 0.4, 0.8])
ANCHOR = np.stack((RATES, 0.3 + 0.1 * np.log2(RATES / 0.1)), axis=1)


def test_a_tenth_less_rate_is_minus_ten_per_cent() -> None:
    assert bd_rate(ANCHOR, ANCHOR * [0.9, 1]) == pytest.approx(-10)
    assert bd_rate(ANCHOR, ANCHOR * [2, 1]) == pytest.approx(100)


def test_a_tenth_more_quality_is_a_tenth() -> None:
    assert bd_quality(ANCHOR, ANCHOR + np.array([0, 0.1])) == pytest.approx(0.1)


def test_a_logarithmic_curve_has_its_closed_form() -> None:
    """q = a + b log₂ r: at equal quality 2^(Δa/b) times the rate, whatever rates were measured."""
    other = np.stack((RATES[:3] * 1.3, 0.35 + 0.1 * np.log2(RATES[:3] * 1.3 / 0.1)), axis=1)
    assert bd_rate(ANCHOR, other) == pytest.approx(100 * (2**-0.5 - 1), rel=0.02)
    assert 0 < overlap(ANCHOR, other) < 1


def test_points_that_a_cheaper_one_beats_do_not_count() -> None:
    worse = np.concatenate((ANCHOR, [[0.5, 0.2], [0.8, 0.6]]))
    assert bd_rate(ANCHOR, worse[::-1] * [0.9, 1]) == pytest.approx(-10)


@pytest.mark.parametrize(
    ("test", "message"),
    [
        (ANCHOR + np.array([0, 5]), "share no quality"),
        (ANCHOR[:2], "got 2 points that rise"),
        (ANCHOR * [1, -1], "got 1 points that rise"),
        (ANCHOR * [-1, 1], "rate > 0"),
        (ANCHOR[:, :1], "allowed \\[N, 2\\]"),
    ],
)
def test_curves_that_cannot_be_compared_are_refused(test: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bd_rate(ANCHOR, test)


def test_rates_that_do_not_meet_are_refused() -> None:
    with pytest.raises(ValueError, match="share no rate"):
        bd_quality(ANCHOR, ANCHOR * [100, 1])
