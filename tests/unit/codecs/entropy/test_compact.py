"""Small pictures without loss: any picture comes back, and smooth ones cost little."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from simnet.codecs.entropy.compact import CompactCoder, differences, fit_compact_table
from simnet.codecs.entropy.static import EntropyError, fit_table

pytest.importorskip("constriction")
SIZE, N_BIT = (5, 7), 5
UNIFORM = fit_table(np.ones((3, 16), np.int64))


@settings(deadline=None, max_examples=50)
@given(arrays(np.int64, (3, *SIZE), elements=st.integers(0, 2**N_BIT - 1)))
def test_any_picture_comes_back(picture: np.ndarray) -> None:
    coder = CompactCoder(UNIFORM, SIZE, N_BIT)
    assert (coder.decode(coder.encode(picture)) == picture).all()


def test_what_neighbours_foretell_is_the_median() -> None:
    """JPEG-LS' predictor written out: min of left and above after an edge down, max after one up, else the plane."""
    picture = np.random.default_rng(1).integers(0, 32, (1, 6, 6))
    found = differences(picture, 32)
    for y in range(6):
        for x in range(6):
            left = picture[0, y, x - 1] if x else 0
            above = picture[0, y - 1, x] if y else 0
            corner = picture[0, y - 1, x - 1] if x and y else 0
            foretold = sorted((left, above, left + above - corner))[1]
            assert found[0, y, x] == (picture[0, y, x] - foretold + 16) % 32


def test_a_fitted_table_is_worth_its_bits() -> None:
    """A ramp with noise of one step costs less than half of its plain bits, and no more than another's table."""
    rng = np.random.default_rng(2)
    ramp = np.add.outer(np.arange(12), np.arange(16))
    pictures = (ramp + rng.integers(0, 2, (40, 3, 12, 16))).clip(0, 31)
    fitted = CompactCoder(fit_compact_table(pictures[:30], N_BIT), (12, 16), N_BIT)
    plain = CompactCoder(UNIFORM, (12, 16), N_BIT)
    n_fitted, n_plain = (sum(len(coder.encode(p)) for p in pictures[30:]) for coder in (fitted, plain))
    assert n_plain >= 10 * 3 * 12 * 16 * N_BIT / 8
    assert n_fitted < n_plain / 2


def test_tables_of_another_kind_are_refused() -> None:
    with pytest.raises(EntropyError, match=r"weights ≥ 1 of sum 256 per row"):
        CompactCoder(UNIFORM + np.uint8(1), SIZE, N_BIT)
