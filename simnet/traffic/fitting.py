"""What every traffic promises, looked at wish by wish: a plug-in's mistake ends as an error, never as a lost wish."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence

from simnet.core.errors import nearest
from simnet.traffic.base import CatalogueItem, RequestPlan, TrafficError


def fitting(
    wishes: Iterable[RequestPlan],
    traffic: type,
    *,
    consumers: Sequence[str],
    catalogue: Sequence[CatalogueItem],
    duration_s: float,
) -> Iterator[RequestPlan]:
    """The same wishes.

    Args:
        traffic: the plug-in's class, for errors.

    Raises:
        TrafficError: one is no wish, at no time of the run or before the one that it follows, of no consumer, or for no
            item.
    """
    known, items = set(consumers), {item.item_id for item in catalogue}
    before_s = 0.0
    if not isinstance(wishes, Iterable):
        raise TrafficError(f"{_place(traffic)}: got {wishes!r}; allowed: an iterator of RequestPlan")
    for wish in wishes:
        wrong = _wrong(wish, before_s, duration_s, known, items)
        if wrong is not None:
            raise TrafficError(f"{_place(traffic)}: {wrong}")
        before_s = wish.time_s
        yield wish


def _wrong(wish: object, before_s: float, duration_s: float, consumers: set[str], items: set[int]) -> str | None:
    """What about a wish doesn't fit, in words."""
    if not isinstance(wish, RequestPlan):
        return f"got the wish {wish!r}; allowed: a RequestPlan"
    time_s, consumer, item_id, _ = wish
    if not (isinstance(time_s, int | float) and 0.0 <= time_s < duration_s):
        return f"got a wish at {time_s!r} s; allowed: 0 <= time < {duration_s:g}"
    if time_s < before_s:
        return f"got a wish at {time_s!r} s after one at {before_s!r} s; allowed: wishes in order of time"
    if consumer not in consumers:
        near = nearest(str(consumer), consumers)
        meant = f"; did you mean {near!r}?" if near else "."
        return f"unknown consumer {consumer!r}{meant} Allowed: one of the {len(consumers)} it was given"
    if item_id not in items:
        return f"unknown item {item_id!r}; allowed: item_id of one of the {len(items)} items that it was given"
    return None


def _place(traffic: type) -> str:
    return f"{inspect.getsourcefile(traffic)}: {traffic.__name__}.requests"
