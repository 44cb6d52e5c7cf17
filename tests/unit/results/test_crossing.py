"""Where a curve has come to stay above a level."""

from __future__ import annotations

import pytest

from simnet.results.crossing import crossing


@pytest.mark.parametrize(
    ("y", "level", "x"),
    [
        ([0.0, 1.0, 2.0, 3.0], 1.5, 1.5),
        ([0.0, 1.0, 2.0, 3.0], 1.0, 1.0),
        ([0.0, 3.0, 1.0, 2.0], 1.5, 2.5),  # the first crossing doesn't last
        ([2.0, 3.0, 4.0, 5.0], 1.0, 0.0),
        ([0.0, 1.0, 2.0, 0.0], 1.0, None),
    ],
)
def test_it_is_the_last_crossing(y: list[float], level: float, x: float | None) -> None:
    found = crossing(range(4), y, level)
    assert found == (None if x is None else pytest.approx(x))
