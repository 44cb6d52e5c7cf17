"""Closed accounting: what every run is checked against at its end (DESIGN §8)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, get_args

from simnet.core.records import Recorder
from simnet.core.tables import NodeRow, Outcome, RequestRow, StoreRow, TransferRow
from simnet.net.errors import AccountingError
from simnet.net.latency import PARTS

RELATIVE_TOLERANCE = 1e-9
"""Sums of the same joules or seconds in different order differ by rounding only."""
_BYTES = ("first_byte", "retry_byte", "delivered_byte", "lost_byte", "in_flight_byte")
_CHANNEL_USES = tuple(column.replace("_byte", "_channel_use") for column in _BYTES)
_SUMMED = (*_BYTES, *_CHANNEL_USES, "overhead_channel_use")
_bytes_of, _channel_uses_of, _summed_of = attrgetter(*_BYTES), attrgetter(*_CHANNEL_USES), attrgetter(*_SUMMED)


def check_accounts(recorder: Recorder, arm: str) -> dict[str, Any]:
    """Check that nothing was lost or made up, and return the totals.

    Raises:
        AccountingError: a sum doesn't close; the message names it.
    """
    requests, transfers = recorder.rows_of(RequestRow, arm), recorder.rows_of(TransferRow, arm)
    nodes = recorder.rows_of(NodeRow, arm)
    for transfer in transfers:
        _check_transfer(transfer)
    for request in requests:
        _check_request(request)
    _check_link_bytes(arm, requests, transfers)
    for column in ("tx_j", "rx_j"):
        of_links, of_nodes = _sum(transfers, column), _sum(nodes, column)
        _require(_close(of_links, of_nodes), f"{arm}: {column} of links {of_links} = of nodes {of_nodes}")
    for event in recorder.rows_of(StoreRow, arm):
        _require(
            0 <= event.occupancy_byte <= event.capacity_byte,
            f"{arm}: store of {event.node} holds {event.occupancy_byte} of {event.capacity_byte} bytes",
        )
    return {
        "bytes_and_channel_uses": _totals(transfers),
        "outcomes": dict(sorted(Counter(row.outcome for row in requests).items())),
        "requests": len(requests),
        **{column: _sum(nodes, column) for column in ("tx_j", "rx_j", "compute_j", "idle_j")},
    }


def _totals(transfers: Iterable[TransferRow]) -> dict[str, dict[str, int]]:
    """Payload class -> column -> sum."""
    by_class: dict[str, list[TransferRow]] = {}
    for row in transfers:
        by_class.setdefault(row.payload_class, []).append(row)
    return {
        payload_class: dict(zip(_SUMMED, map(sum, zip(*map(_summed_of, rows), strict=True)), strict=True))
        for payload_class, rows in by_class.items()
    }


def _check_transfer(row: TransferRow) -> None:
    """What was sent ended one way; what is delivered is all of the payload, once."""
    for first, retry, delivered, lost, in_flight in (_bytes_of(row), _channel_uses_of(row)):
        if first + retry != delivered + lost + in_flight:
            _fail(row, f"sent {first} + {retry} again = delivered {delivered} + lost {lost} + in flight {in_flight}")
    if row.outcome == "delivered" and not row.delivered_byte == row.first_byte == row.payload_byte:
        _fail(row, f"delivered {row.delivered_byte} of {row.payload_byte} bytes")
    if row.outcome != "in_flight" and (row.in_flight_byte or row.in_flight_channel_use):
        _fail(row, f"{row.outcome}, but {row.in_flight_byte} bytes are in flight")
    if (row.outcome == "in_flight") != (row.ended_s is None):
        _fail(row, f"{row.outcome}, ended at {row.ended_s}")


def _fail(row: TransferRow, what: str) -> None:
    raise AccountingError(f"accounts don't close: {row.arm}: transfer {row.transfer_id}: {what}")


def _check_request(row: RequestRow) -> None:
    """One outcome; the parts of a delivered request's latency are all of it."""
    where = f"{row.arm}: request {row.request_id}"
    _require(row.outcome in get_args(Outcome), f"{where}: outcome {row.outcome}")
    _require((row.outcome == "unfinished") == (row.ended_s is None), f"{where}: {row.outcome}, ended at {row.ended_s}")
    if row.outcome in ("satisfied", "below_wish") and row.ended_s is not None:
        latency_s, parts_s = row.ended_s - row.created_s, math.fsum(getattr(row, part) for part in PARTS)
        rounding_s = RELATIVE_TOLERANCE * max(1.0, row.ended_s)
        _require(abs(parts_s - latency_s) <= rounding_s, f"{where}: took {latency_s} s, its parts {parts_s} s")
        _require(latency_s <= row.deadline_s + rounding_s, f"{where}: {row.outcome} after {latency_s} s")


def _check_link_bytes(arm: str, requests: Sequence[RequestRow], transfers: Sequence[TransferRow]) -> None:
    """What requests caused on links is what the links carried for them."""
    known = {row.request_id for row in requests}
    carried = sum(row.first_byte + row.retry_byte for row in transfers if row.request_id in known)
    caused = sum(row.link_byte for row in requests)
    _require(carried == caused, f"{arm}: link bytes of requests {caused} = of transfers {carried}")


def _sum(rows: Iterable[Any], column: str) -> float:
    return math.fsum(getattr(row, column) for row in rows)


def _close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=RELATIVE_TOLERANCE, abs_tol=1e-12)


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise AccountingError(f"accounts don't close: {what}")
