"""Closed accounting: what every run is checked against at its end (DESIGN §8)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from simnet.core.records import Recorder
from simnet.core.tables import NodeRow, RequestRow, StoreRow, TransferRow
from simnet.net.errors import AccountingError

if TYPE_CHECKING:
    from simnet.net.network import Network

RELATIVE_TOLERANCE = 1e-9
"""Sums of the same joules or seconds in different order differ by rounding only."""


def check_accounts(recorder: Recorder, arm: str, network: Network, requests: Sequence[RequestRow]) -> dict[str, Any]:
    """Check that nothing was lost or made up, and return the totals.

    Raises:
        AccountingError: a sum doesn't close; the message names it.
    """
    transfers = recorder.rows_of(TransferRow, arm)
    totals: dict[str, dict[str, int]] = {}
    for row in transfers:
        _check_transfer(row)
        _add(totals.setdefault(row.payload_class, {}), row)
    for payload_class, total in totals.items():
        for unit in ("byte", "channel_use"):
            sent = total[f"first_{unit}"] + total[f"retry_{unit}"]
            ended = total[f"delivered_{unit}"] + total[f"lost_{unit}"] + total[f"in_flight_{unit}"]
            _require(sent == ended, f"{arm}: {payload_class} {unit}s sent {sent} = delivered + lost + in flight {ended}")
    nodes = recorder.rows_of(NodeRow, arm)
    for column in ("tx_j", "rx_j"):
        of_links = math.fsum(getattr(row, column) for row in transfers)
        of_nodes = math.fsum(getattr(row, column) for row in nodes)
        _require(_close(of_links, of_nodes), f"{arm}: {column} of links {of_links} = of nodes {of_nodes}")
    for store_row in recorder.rows_of(StoreRow, arm):
        _require(
            store_row.occupancy_byte <= store_row.capacity_byte,
            f"{arm}: store of {store_row.node} holds {store_row.occupancy_byte} of {store_row.capacity_byte} bytes",
        )
    for request in requests:
        _check_latency(request)
    return {
        "bytes_and_channel_uses": totals,
        "outcomes": dict(sorted(Counter(row.outcome for row in requests).items())),
        "requests": len(requests),
        "tx_j": math.fsum(row.tx_j for row in nodes),
        "rx_j": math.fsum(row.rx_j for row in nodes),
        "compute_j": math.fsum(row.compute_j for row in nodes),
        "idle_j": math.fsum(row.idle_j for row in nodes),
    }


_SUMMED = tuple(
    f"{what}_{unit}" for unit in ("byte", "channel_use") for what in ("first", "retry", "delivered", "lost", "in_flight")
) + ("overhead_channel_use",)


def _add(total: dict[str, int], row: TransferRow) -> None:
    for name in _SUMMED:
        total[name] = total.get(name, 0) + getattr(row, name)


def _check_transfer(row: TransferRow) -> None:
    """Whole payloads: what is delivered is all of it, once."""
    if row.outcome == "delivered":
        _require(
            row.delivered_byte == row.payload_byte and row.in_flight_byte == 0,
            f"{row.arm}: transfer {row.transfer_id} delivered {row.delivered_byte} of {row.payload_byte} bytes",
        )


def _check_latency(row: RequestRow) -> None:
    """The parts of a delivered request's latency are all of it."""
    if row.ended_s is None or row.outcome not in ("satisfied", "below_wish"):
        return
    parts_s = row.queue_s + row.air_s + row.propagation_s + row.compute_s + row.model_fetch_s
    latency_s = row.ended_s - row.created_s
    _require(
        math.isclose(parts_s, latency_s, rel_tol=1e-6, abs_tol=1e-6),
        f"{row.arm}: request {row.request_id} took {latency_s} s, its parts {parts_s} s",
    )


def _close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=RELATIVE_TOLERANCE, abs_tol=1e-12)


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise AccountingError(f"accounts don't close: {what}")
