"""What the owner chooses: cost in bytes, airtime or joules, over the uses that it expects."""

from __future__ import annotations

from typing import Any

import pytest

from simnet.net.planner import Planner
from simnet.net.routing import Routes
from simnet.scenario.schema import Planner as PlannerSpec
from simnet.signal.plane import CodecCard
from simnet.wire.slices import Slice
from tests.support.tiny import Tiny


class Link:
    """Fast and hungry, or slow and frugal."""

    def __init__(self, ends: tuple[str, str], byte_per_s: float, joule_per_byte: float) -> None:
        self.ends = ends
        self.byte_per_s = byte_per_s
        self.joule_per_byte = joule_per_byte

    def other(self, node: str) -> str:
        return self.ends[1] if node == self.ends[0] else self.ends[0]

    def expected_airtime_s(self, n_byte: int, sender: str) -> float:
        return 0.1 + n_byte / self.byte_per_s

    usual_airtime_s = expected_airtime_s

    def expected_energy_j(self, n_byte: int, sender: str) -> float:
        return n_byte * self.joule_per_byte


class Profile:
    """As much of a codec as a planner sees."""

    analog = None

    def __init__(self, name: str, code_byte: float, ss: float, n_slice: int = 0, **card: Any) -> None:
        self.name = name
        self._card = CodecCard(code_byte, ss, 100, **card)
        self.decoder_slices: tuple[Slice, ...] = Tiny(name=name, n_slice=n_slice).decoder_slices

    def card(self, source_type: str) -> CodecCard:
        return self._card


LINKS = [Link(("o", "m"), 1000.0, 0.1), Link(("m", "c"), 100.0, 0.2)]
ROUTES: Routes[Any] = Routes({"o": LINKS[:1], "m": LINKS, "c": LINKS[1:]})


def rank(codecs: list[Profile], *, may_fetch: bool = True, wish_ss: float = 0.9, **spec: Any) -> list[Any]:
    planner = Planner(PlannerSpec(**spec), ROUTES, may_fetch=may_fetch)
    profiles: Any = codecs
    return planner.rank(profiles, "t", wish_ss=wish_ss, held=(), owner="o", consumer="c", mean_esno_db=None)


def names(plans: list[Any]) -> list[str]:
    return [plan.codec.name for plan in plans]


def test_those_that_meet_the_wish_by_cost_then_the_others_by_promise() -> None:
    codecs = [
        Profile("poor", 10, 0.5),
        Profile("fair", 20, 0.8),
        Profile("best", 300, 0.99),
        Profile("good", 200, 0.95),
    ]
    assert names(rank(codecs)) == ["good", "best", "fair", "poor"]
    assert names(rank(codecs, ss_margin=0.08)) == ["best", "good", "fair", "poor"]
    assert names(rank(codecs, wish_ss=0.4)) == ["poor", "fair", "good", "best"]


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        ("bytes", 300.0),
        ("airtime", 0.1 + 300 / 1000 + 0.1 + 300 / 100),
        ("energy", 300 * 0.1 + 300 * 0.2),
    ],
)
def test_cost_adds_up_over_the_route(cost: str, expected: float) -> None:
    (plan,) = rank([Profile("p", 299.5, 1.0)], cost=cost)
    assert plan.cost == pytest.approx(expected)  # half a byte is sent as a whole one


def test_missing_slices_are_spread_over_the_expected_uses() -> None:
    """Break-even in the planner: M bytes of decoder against 100 bytes more per JPEG pay off after M/100 uses."""
    semantic, jpeg = Profile("aesc", 40, 1.0, n_slice=1), Profile("jpeg", 140, 1.0)
    (decoder,) = semantic.decoder_slices
    needed = decoder.n_byte / 100
    assert names(rank([semantic, jpeg], expected_uses=needed * 0.99)) == ["jpeg", "aesc"]
    assert names(rank([semantic, jpeg], expected_uses=needed * 1.01)) == ["aesc", "jpeg"]
    assert [plan.missing for plan in rank([semantic, jpeg])] == [(), (decoder,)]


def test_without_fetching_only_what_is_held_counts() -> None:
    assert names(rank([Profile("aesc", 40, 1.0, n_slice=1), Profile("jpeg", 140, 1.0)], may_fetch=False)) == ["jpeg"]
    assert rank([Profile("aesc", 40, 1.0, n_slice=1)], may_fetch=False) == []


def test_equal_plans_are_ordered_by_name() -> None:
    assert names(rank([Profile("b", 10, 1.0), Profile("a", 10, 1.0)])) == ["a", "b"]


def test_promises_over_an_unprotected_link_follow_the_card() -> None:
    card = CodecCard(10, 0.9, 100, over_snr=((0.0, 0.1), (10.0, 0.9)))
    assert card.ss_at(None) == 0.9
    assert card.ss_at(5.0) == pytest.approx(0.5)
    assert (card.ss_at(-9.0), card.ss_at(99.0)) == (0.1, 0.9)
    broken = CodecCard(40, 0.2, 100, over_snr=card.over_snr)  # a variant that loses more than the channel
    assert (broken.ss_at(-9.0), broken.ss_at(5.0)) == (0.1, 0.2)
