"""The columns of every table that a run leaves: one flat row per fact, units in the names (DESIGN §7)."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Literal

PayloadClass = Literal["control", "model", "code", "enhancement"]
Outcome = Literal[
    "satisfied", "below_wish", "no_provider", "no_decoder", "link_failed", "timeout", "rejected_full", "unfinished"
]


@dataclass(slots=True)
class RequestRow:
    """One request: who wished what, what it cost, how it ended."""

    arm: str
    request_id: int
    consumer: str
    owner: str
    item_id: int
    source_type: str
    created_s: float
    wish_ss: float
    deadline_s: float
    outcome: Outcome = "unfinished"
    ended_s: float | None = None
    identified_as: str | None = field(
        default=None, metadata={"description": "source type that the owner took the image for"}
    )
    codec: str | None = field(default=None, metadata={"description": "codec of the last plan"})
    predicted_ss: float | None = None
    ss: float | None = field(default=None, metadata={"description": "0 if undelivered; null if the judge was unsure"})
    attempts: int = field(default=0, metadata={"description": "plans served: one, and one more for each enhancement"})
    code_byte: int = 0
    model_byte: int = 0
    control_byte: int = 0
    enhancement_byte: int = 0
    stripped_byte: int = field(
        default=0, metadata={"description": "bytes of fixed format header inside code_byte and enhancement_byte"}
    )
    link_byte: int = field(default=0, metadata={"description": "bytes over all links, retries included"})
    channel_use: int = field(default=0, metadata={"description": "over all links; retries, preambles, ACKs included"})
    queue_s: float = field(default=0.0, metadata={"description": "waiting for carriers and wires"})
    air_s: float = field(default=0.0, metadata={"description": "transmitting code and control, retries included"})
    propagation_s: float = field(default=0.0, metadata={"description": "time of flight"})
    compute_s: float = field(default=0.0, metadata={"description": "encoding, decoding, task; queue included"})
    model_fetch_s: float = field(
        default=0.0,
        metadata={"description": "from the code's arrival to the last missing slice's; waiting behind slices is queue"},
    )
    slices_needed: int = 0
    slices_missed: int = 0


@dataclass(slots=True)
class DeliveryRow:
    """One decoding at a consumer, with what the judge measured."""

    arm: str
    request_id: int
    consumer: str
    item_id: int
    source_type: str
    codec: str
    time_s: float
    slices: str = field(metadata={"description": "ids of the slices that decoded it, joined by spaces"})
    code_byte: int = field(metadata={"description": "bytes of the code as delivered, without message framing"})
    header_byte: int = field(metadata={"description": "fixed format header inside code_byte"})
    damaged: bool = field(metadata={"description": "the code or a slice arrived with bit errors"})
    st_original: float | None = None
    st_recovered: float | None = None
    ss: float | None = field(default=None, metadata={"description": "st_recovered/st_original; null if unsure"})
    judge_unsure: bool = False
    correct_original: bool | None = field(
        default=None, metadata={"description": "the judge recognised the original; null if its task knows no hits"}
    )
    correct_recovered: bool | None = None
    psnr_db: float | None = None
    ssim: float | None = None
    mixed_with: str | None = field(
        default=None,
        metadata={"description": "codec of another version, whose decoder was used; null: the codec's own was"},
    )


@dataclass(slots=True)
class TransferRow:
    """One payload over one link, retries included."""

    arm: str
    transfer_id: int = field(metadata={"description": "unique in its arm; the order of time is that of queued_s"})
    request_id: int
    link: str
    link_class: str
    sender: str
    receiver: str
    payload_class: PayloadClass
    payload: str = field(metadata={"description": "message type, and slice or codec name"})
    payload_byte: int
    queued_s: float
    started_s: float | None = None
    ended_s: float | None = None
    outcome: Literal["delivered", "lost", "in_flight"] = "in_flight"
    burst_count: int = 0
    attempt_count: int = field(default=0, metadata={"description": "most transmissions of any of its blocks"})
    first_byte: int = field(default=0, metadata={"description": "bytes sent in first attempts"})
    retry_byte: int = field(default=0, metadata={"description": "bytes sent again"})
    delivered_byte: int = 0
    lost_byte: int = field(default=0, metadata={"description": "bytes of blocks that arrived wrong"})
    in_flight_byte: int = 0
    first_channel_use: int = 0
    retry_channel_use: int = 0
    delivered_channel_use: int = 0
    lost_channel_use: int = 0
    in_flight_channel_use: int = 0
    overhead_channel_use: int = field(default=0, metadata={"description": "preambles, headers and ACKs: control"})
    queue_s: float = 0.0
    air_s: float = 0.0
    propagation_s: float = 0.0
    esno_db: float | None = field(default=None, metadata={"description": "instantaneous, of the first burst"})
    gain_abs2: float | None = field(default=None, metadata={"description": "|h|² of the first burst"})
    mcs: str | None = field(default=None, metadata={"description": "of the first burst"})
    tx_j: float = 0.0
    rx_j: float = 0.0
    bit_errors: int = field(default=0, metadata={"description": "protection none: wrong payload bits delivered"})


@dataclass(slots=True)
class StoreRow:
    """One event of one node's store."""

    arm: str
    time_s: float
    node: str
    tier: str
    event: Literal["provision", "hit", "miss", "insert", "evict", "expire", "reject"] = field(
        metadata={"description": "provision: before time 0, built in or put into the store"}
    )
    slice: str = field(metadata={"description": "name of the slice"})
    slice_id: str
    slice_byte: int
    occupancy_byte: int
    capacity_byte: int


@dataclass(slots=True)
class NodeRow:
    """One node at the end of the run: where it stands, what it used."""

    arm: str
    node: str
    tier: str
    x_m: float
    y_m: float
    attached_to: str | None
    mean_esno_db: float | None
    radio: str | None = field(metadata={"description": "link class of its one wireless link"})
    store_capacity_byte: int
    store_occupancy_byte: int
    provisioned_byte: int = field(metadata={"description": "slices it was built with, outside its store"})
    stored: str = field(metadata={"description": "names of the slices held at the end, joined by spaces"})
    requests: int = 0
    tx_j: float = 0.0
    rx_j: float = 0.0
    compute_j: float = 0.0
    idle_j: float = 0.0
    flop: float = 0.0
    busy_s: float = field(default=0.0, metadata={"description": "time that its compute queue was serving"})


TABLES: dict[str, type] = {
    "requests": RequestRow,
    "deliveries": DeliveryRow,
    "transfers": TransferRow,
    "stores": StoreRow,
    "nodes": NodeRow,
}


def columns(table: str) -> tuple[str, ...]:
    """Column names of a table, in order."""
    return tuple(f.name for f in fields(TABLES[table]))
