"""Draws are functions of names: no two names share one, and each has the law it promises."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simnet.core import streams
from simnet.core.streams import Draws, Name, exponential, uniform

N = 20_000


def test_a_draw_is_a_function_of_seed_and_names() -> None:
    names = [
        (),
        ("a",),
        ("a", "b"),
        ("ab",),
        ("a", 1),
        ("a", "1"),
        ("a", b"1"),
        ("a1",),
        (1, "a"),
        ("b", "a"),
        ("a", "", "b"),
    ]
    draws = [streams.uniform(seed, *each) for seed, each in itertools.product((1, 2, 12), names)]
    assert len(set(draws)) == len(draws)
    assert draws == [streams.uniform(seed, *each) for seed, each in itertools.product((1, 2, 12), names)]


def test_numpy_integers_name_as_plain_ones_do() -> None:
    assert streams.uniform(1, "x", np.int64(7)) == streams.uniform(1, "x", 7)  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [1, 8, 9, 100])
def test_many_at_once_are_as_many_and_within_0_and_1(count: int) -> None:
    draws = streams.uniforms(1, "many", count=count)
    assert len(set(draws)) == count and all(0.0 < draw < 1.0 for draw in draws)


@given(word=st.integers(0, 2**64 - 1) | st.integers(1, 2**13).map(lambda below: 2**64 - below))
def test_a_word_becomes_the_number_nearest_to_the_middle_of_its_cell_and_never_1(word: int) -> None:
    nearest = float(Fraction(2 * (word >> 11) + 1, 2**54))
    assert streams._open_unit(word) == (nearest if nearest < 1.0 else math.nextafter(1.0, 0.0))


@pytest.mark.parametrize(("byte", "least", "most"), [(b"\xff", 1.0 - 2.0**-53, 1.0), (b"\x00", 0.0, 2.0**-53)])
def test_the_outermost_words_give_draws_within_0_and_1(
    monkeypatch: pytest.MonkeyPatch, byte: bytes, least: float, most: float
) -> None:
    digests = SimpleNamespace(digest=lambda: 8 * byte, update=lambda _: None)
    digests.copy = lambda: digests
    monkeypatch.setattr("simnet.core.streams.hashlib.blake2b", lambda *_, **__: digests)
    monkeypatch.setattr(streams, "_digest", lambda _seed, _names, size: size * byte)
    ends = SimpleNamespace(random=lambda count: np.full(count, 0.0))
    monkeypatch.setattr(streams, "generator", lambda *_: ends)
    draws = [streams.uniform(1, "a"), Draws(1, "a").uniform("b"), *streams.uniforms(1, "a", count=3)]
    assert all(0.0 < draw < 1.0 and least <= draw <= most for draw in draws)
    assert all(0.0 < draw < 1.0 for draw in streams.uniforms(1, "a", count=9))
    assert streams.exponential(1, "a") > 0.0 and abs(streams.normal(1, "a")) <= streams.LARGEST_NORMAL


def test_means_and_variances() -> None:
    """Within four standard errors of the mean; of the second moment of CN(0, 1) and of the exponential likewise."""
    uniform = [streams.uniform(3, "u", i) for i in range(N)]
    assert abs(np.mean(uniform) - 0.5) < 4 * math.sqrt(1 / 12 / N)
    exponential = [streams.exponential(3, "e", i) for i in range(N)]
    assert abs(np.mean(exponential) - 1.0) < 4 / math.sqrt(N)
    normal = [streams.normal(3, "n", i) for i in range(N)]
    assert abs(np.mean(normal)) < 4 / math.sqrt(N)
    assert abs(np.var(normal) - 1.0) < 4 * math.sqrt(2 / N)
    gains = np.array([streams.complex_normal(3, "h", i) for i in range(N)])
    assert abs(np.mean(np.abs(gains) ** 2) - 1.0) < 4 / math.sqrt(N)
    assert abs(np.mean(gains.real**2) - 0.5) < 4 * math.sqrt(0.5 / N)


@given(seed=st.integers(0, 2**40), names=st.lists(st.one_of(st.integers(), st.text(), st.binary()), min_size=2))
def test_names_hashed_in_two_steps_are_the_same_names(seed: int, names: list[Name]) -> None:
    for cut in range(1, len(names)):
        draws = Draws(seed, *names[:cut])
        assert draws.uniform(*names[cut:]) == uniform(seed, *names)
        assert draws.exponential(*names[cut:]) == exponential(seed, *names)
