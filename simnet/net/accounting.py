"""Closed accounting: what every run is checked against at its end (DESIGN §8)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NoReturn, get_args

from simnet.core.records import Recorder
from simnet.core.tables import NodeRow, Outcome, RequestRow, StoreRow, TransferRow
from simnet.net.errors import AccountingError
from simnet.net.latency import PARTS

if TYPE_CHECKING:
    import pyarrow

# pyarrow is imported inside the functions: it takes long, and --help needs no accounts.

RELATIVE_TOLERANCE = 1e-9
"""Sums of the same joules or seconds in different order differ by rounding only."""
_BYTES = ("first_byte", "retry_byte", "delivered_byte", "lost_byte", "in_flight_byte")
_CHANNEL_USES = tuple(column.replace("_byte", "_channel_use") for column in _BYTES)
_SUMMED = (*_BYTES, *_CHANNEL_USES, "overhead_channel_use")
_OUTCOMES = frozenset(get_args(Outcome))
_parts_of = attrgetter(*PARTS)
Columns = Mapping[str, "pyarrow.ChunkedArray"]


def check_accounts(recorder: Recorder, arm: str) -> dict[str, Any]:
    """Check that nothing was lost or made up, and return the totals.

    Raises:
        AccountingError: a sum doesn't close; the message names it.
    """
    requests, nodes = recorder.rows_of(RequestRow, arm), recorder.rows_of(NodeRow, arm)
    names = ("transfer_id", "request_id", "payload_class", "payload_byte", "outcome", "ended_s", "tx_j", "rx_j")
    transfers = _columns(recorder, TransferRow, arm, (*names, *_SUMMED))
    _check_transfers(arm, transfers)
    for request in requests:
        _check_request(request)
    _check_link_bytes(arm, requests, transfers)
    for column in ("tx_j", "rx_j"):
        of_links, of_nodes = math.fsum(transfers[column].to_pylist()), _sum(nodes, column)
        _require(_close(of_links, of_nodes), f"{arm}: {column} of links {of_links} = of nodes {of_nodes}")
    _check_stores(arm, _columns(recorder, StoreRow, arm, ("node", "occupancy_byte", "capacity_byte")))
    return {
        "bytes_and_channel_uses": _totals(transfers),
        "outcomes": dict(sorted(Counter(row.outcome for row in requests).items())),
        "requests": len(requests),
        **{column: _sum(nodes, column) for column in ("tx_j", "rx_j", "compute_j", "idle_j")},
    }


def _columns(recorder: Recorder, row_type: type, arm: str, names: Sequence[str]) -> Columns:
    return dict(zip(names, recorder.columns_of(row_type, arm, names), strict=True))


def _totals(transfers: Columns) -> dict[str, dict[str, int]]:
    """Payload class -> column -> sum."""
    import pyarrow.compute as pc

    totals, classes = {}, transfers["payload_class"]
    for payload_class in classes.unique().to_pylist():
        mine = pc.equal(classes, payload_class)
        totals[payload_class] = {name: pc.sum(transfers[name].filter(mine)).as_py() for name in _SUMMED}
    return totals


def _check_transfers(arm: str, of: Columns) -> None:
    """What was sent ended one way; what is delivered is all of the payload, once."""
    import pyarrow.compute as pc

    def none(wrong: pyarrow.ChunkedArray, what: str) -> None:
        index = pc.index(wrong, True).as_py()
        if index >= 0:
            said = what.format(**{name: column[index] for name, column in of.items()})
            _fail(f"{arm}: transfer {of['transfer_id'][index]}: {said}")

    for names in (_BYTES, _CHANNEL_USES):
        first, retry, delivered, lost, in_flight = (of[name] for name in names)
        ended = pc.add(pc.add(delivered, lost), in_flight)
        sent = "sent {{{}}} + {{{}}} again = delivered {{{}}} + lost {{{}}} + in flight {{{}}}".format(*names)
        none(pc.not_equal(pc.add(first, retry), ended), sent)
    under_way, arrived = (pc.equal(of["outcome"], outcome) for outcome in ("in_flight", "delivered"))
    whole = pc.and_(*(pc.equal(of["payload_byte"], of[name]) for name in ("first_byte", "delivered_byte")))
    none(pc.and_not(arrived, whole), "delivered {delivered_byte} of {payload_byte} bytes")
    left = pc.or_(*(pc.not_equal(of[name], 0) for name in ("in_flight_byte", "in_flight_channel_use")))
    none(pc.and_not(left, under_way), "{outcome}, but {in_flight_byte} bytes are in flight")
    none(pc.xor(under_way, of["ended_s"].is_null()), "{outcome}, ended at {ended_s}")


def _check_stores(arm: str, of: Columns) -> None:
    import pyarrow.compute as pc

    occupancy, capacity = of["occupancy_byte"], of["capacity_byte"]
    index = pc.index(pc.or_(pc.less(occupancy, 0), pc.greater(occupancy, capacity)), True).as_py()
    if index >= 0:
        _fail(f"{arm}: store of {of['node'][index]} holds {occupancy[index]} of {capacity[index]} bytes")


def _check_request(row: RequestRow) -> None:
    """One outcome; the parts of a delivered request's latency are all of it."""
    where = f"{row.arm}: request {row.request_id}"
    if row.outcome not in _OUTCOMES:
        _fail(f"{where}: outcome {row.outcome}")
    if (row.outcome == "unfinished") != (row.ended_s is None):
        _fail(f"{where}: {row.outcome}, ended at {row.ended_s}")
    if row.outcome in ("satisfied", "below_wish") and row.ended_s is not None:
        latency_s, parts_s = row.ended_s - row.created_s, math.fsum(_parts_of(row))
        rounding_s = RELATIVE_TOLERANCE * max(1.0, row.ended_s)
        if abs(parts_s - latency_s) > rounding_s:
            _fail(f"{where}: took {latency_s} s, its parts {parts_s} s")
        if latency_s > row.deadline_s + rounding_s:
            _fail(f"{where}: {row.outcome} after {latency_s} s")


def _check_link_bytes(arm: str, requests: Sequence[RequestRow], transfers: Columns) -> None:
    """What requests caused on links is what the links carried for them."""
    import pyarrow
    import pyarrow.compute as pc

    known = pc.is_in(transfers["request_id"], pyarrow.array([row.request_id for row in requests], pyarrow.int64()))
    carried = sum(pc.sum(transfers[name].filter(known)).as_py() or 0 for name in ("first_byte", "retry_byte"))
    caused = sum(row.link_byte for row in requests)
    _require(carried == caused, f"{arm}: link bytes of requests {caused} = of transfers {carried}")


def _sum(rows: Iterable[Any], column: str) -> float:
    return math.fsum(getattr(row, column) for row in rows)


def _close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=RELATIVE_TOLERANCE, abs_tol=1e-12)


def _require(holds: bool, what: str) -> None:
    if not holds:
        _fail(what)


def _fail(what: str) -> NoReturn:
    raise AccountingError(f"accounts don't close: {what}")
