"""Decoders of which a code takes only what it shows: nothing else is fetched, and what was fetched serves again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.tiny import N_CLASS, TinyByContent
from tests.support.world import Run, simulate


def run(wishes: list[int], **changes: Any) -> Run:
    """Requests at 0, 1, … s for items whose brightest quadrant is their number modulo 4."""
    codec = TinyByContent(name="a", n_slice=1 + N_CLASS)
    times = [(float(t), "reader", item) for t, item in enumerate(wishes)]
    return simulate(times, {"protocol.codecs": {"shapes": ["a"]}, **changes}, codecs={"a": codec})


@pytest.mark.parametrize("propagation", ["with_code", "nearest_copy", "on_path"])
def test_only_what_a_code_shows_is_fetched(propagation: str) -> None:
    found = run([0, 0, 1, 0], **{"protocol.propagation": {"kind": propagation}})
    assert [row.outcome for row in found.requests()] == ["satisfied"] * 4
    assert [row.slices_needed for row in found.requests()] == [2] * 4
    assert [row.slices_missed for row in found.requests()] == [2, 0, 1, 0]
    stored = found.nodes()["reader"].stored.split()
    assert len(stored) == 3


def test_without_propagation_nobody_can_decode() -> None:
    found = run([0], **{"protocol.propagation": {"kind": "none"}})
    assert [row.outcome for row in found.requests()] == ["no_decoder"]


def test_a_measurement_is_that_of_an_unharmed_delivery() -> None:
    """With the two slices that it needs, as with all five."""
    found = run([0, 1, 2, 3])
    assert [row.ss for row in found.deliveries()] == pytest.approx([1.0] * 4)
