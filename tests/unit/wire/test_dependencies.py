"""Slices are installed after those that they require; circles and strangers are said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simnet.wire.dependencies import DependencyError, in_dependency_order
from simnet.wire.slices import Slice, make_slice


def slice_of(name: str, *requires: str) -> Slice:
    return make_slice(name, "decoder", {"w": np.ones((2, 2), np.float32)}, precision="int8", requires=requires)


def test_bases_come_first_and_else_the_order_stays() -> None:
    base = slice_of("base")
    other = slice_of("other")
    head = slice_of("head", base.id)
    top = slice_of("top", head.id, base.id)
    assert in_dependency_order([top, other, head, base]) == (base, head, top, other)
    assert in_dependency_order([]) == ()


def test_a_circle_is_named() -> None:
    # Honest hashes cannot make one, since an id covers what is required; a broken plug-in can.
    a, b = slice_of("a"), slice_of("b")
    a, b = replace(a, requires=(b.id,)), replace(b, requires=(a.id,))
    with pytest.raises(DependencyError, match=r"in a circle: a -> b -> a; one of them must stand alone"):
        in_dependency_order([a, b])


def test_a_missing_base_is_named() -> None:
    stranger = slice_of("stranger")
    head = slice_of("head", stranger.id)
    message = rf"slice 'head' requires {stranger.id}, which its codec doesn't have: it has head"
    with pytest.raises(DependencyError, match=message):
        in_dependency_order([head])
