"""A plug-in that breaks the promise of traffic is told so, wish by wish."""

from __future__ import annotations

import math

import pytest

from simnet.traffic.base import CatalogueItem, RequestPlan, TrafficError
from simnet.traffic.fitting import fitting
from simnet.traffic.poisson import Poisson

FIRST = RequestPlan(1.0, "ann", 7, 0)


def through(*wishes: RequestPlan) -> list[RequestPlan]:
    catalogue = [CatalogueItem(7, "digits", "owner")]
    return list(fitting(iter(wishes), Poisson, consumers=["ann"], catalogue=catalogue, duration_s=10.0))


def test_what_fits_comes_through_as_it_is() -> None:
    wishes = [FIRST, RequestPlan(1.0, "ann", 7, 1), RequestPlan(9.9, "ann", 7, 2)]
    assert through(*wishes) == wishes


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        (FIRST._replace(time_s=10.0), r"got a wish at 10\.0 s; allowed: 0 <= time < 10$"),
        (FIRST._replace(time_s=-1.0), r"got a wish at -1\.0 s"),
        (FIRST._replace(time_s=math.nan), r"got a wish at nan s"),
        (FIRST._replace(time_s=0.5), r"got a wish at 0\.5 s after one at 1\.0 s; allowed: wishes in order of time"),
        (FIRST._replace(consumer="eve"), r"unknown consumer 'eve'\. Allowed: one of the 1"),
        (FIRST._replace(item_id=8), r"unknown item 8; allowed: item_id of one of the 1 items"),
    ],
)
def test_what_does_not_fit_is_said(wish: RequestPlan, message: str) -> None:
    with pytest.raises(TrafficError, match=rf"poisson\.py: Poisson\.requests: {message}"):
        through(FIRST, wish)
