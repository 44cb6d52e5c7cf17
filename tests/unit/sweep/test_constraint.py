"""Constraints compare and reckon; they can do nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simnet.sweep.constraint import Constraint, ConstraintError

COLUMNS = ("ttl_s", "rate", "shape")


@given(st.one_of(st.none(), st.floats(0, 1e4)), st.floats(0.001, 10), st.sampled_from(["star", "ring"]))
def test_expressions_mean_what_they_say(ttl_s: float | None, rate: float, shape: str) -> None:
    values = {"ttl_s": ttl_s, "rate": rate, "shape": shape}
    expected = {
        "ttl_s is None or ttl_s >= 60": ttl_s is None or ttl_s >= 60,
        "shape in ('star', 'mesh') and not rate < 1": shape == "star" and rate >= 1,
        "ttl_s is not None and 1 <= ttl_s * rate + 3 < 100": ttl_s is not None and 1 <= ttl_s * rate + 3 < 100,
        "rate // 2 - -1 != rate % 2": rate // 2 + 1 != rate % 2,
    }
    assert {text: Constraint(text, COLUMNS).holds(values) for text in expected} == expected


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')", "open('x')", "ttl_s.real > 1", "shape[0] == 's'", "(lambda: 1)()", "[x for x in (1,)]",
        "f'{ttl_s}' == ''", "rate ** 9 > 1", "1 << 9", "rate if rate else 1", "(y := 3) > 1", "{1: 2}", "b'a' == shape",
        "1j == 1", "... is None",
    ],
)  # fmt: skip
def test_all_else_is_refused(text: str) -> None:
    with pytest.raises(ConstraintError, match=r"allowed: and, or, not, comparisons|got the name"):
        Constraint(text, COLUMNS)


def test_an_unknown_name_is_told_its_neighbour() -> None:
    with pytest.raises(ConstraintError, match=r"got the name 'ttl'; allowed: ttl_s, rate, shape; did you mean 'ttl_s'"):
        Constraint("ttl > 3", COLUMNS)


@pytest.mark.parametrize("text", ["ttl_s >", "import os", "", "a = 1"])
def test_no_expression_is_said(text: str) -> None:
    with pytest.raises(ConstraintError, match="no expression"):
        Constraint(text, COLUMNS)


@pytest.mark.parametrize(("text", "reason"), [("ttl_s >= 60", "'>=' not supported"), ("rate / 0 > 1", "division"),
    ('"%q" % rate == 1', "unsupported format")])  # fmt: skip
def test_values_that_do_not_fit_are_shown(text: str, reason: str) -> None:
    with pytest.raises(ConstraintError, match=rf"fails at ttl_s = None, rate = 2.0: .*{reason}"):
        Constraint(text, COLUMNS).holds({"ttl_s": None, "rate": 2.0})
