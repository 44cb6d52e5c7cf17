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

    arm: str = field(metadata={"description": "arm of the scenario; main if it names none"})
    request_id: int = field(
        metadata={"description": "number of the wish, from 0 in order of time; the same in every arm"}
    )
    consumer: str = field(metadata={"description": "node that wishes"})
    owner: str = field(metadata={"description": "node that has the original"})
    item_id: int = field(
        metadata={
            "description": "the image's number in the catalogue; of a wish for decoders, that of which it was drawn"
        },
    )
    source_type: str = field(metadata={"description": "the item's true one"})
    created_s: float = field(metadata={"description": "when it was wished"})
    wish_ss: float = field(metadata={"description": "wanted ss, 0 to 1"})
    deadline_s: float = field(metadata={"description": "counted from created_s"})
    outcome: Outcome = field(
        default="unfinished",
        metadata={
            "description": (
                "satisfied: in time, and ss not known to be below wish_ss; below_wish: in time, ss below it; "
                "no_provider: no encoder at the owner, or no route; no_decoder: no plan that may bring what is "
                "missing, or nobody brought it; link_failed: a block was lost for good; timeout: the deadline came "
                "first; rejected_full: a queue was full; unfinished: the run ended first"
            )
        },
    )
    ended_s: float | None = field(
        default=None,
        metadata={
            "description": "of several deliveries, that of the last; of a timeout, its deadline; null if unfinished"
        },
    )
    identified_as: str | None = field(
        default=None,
        metadata={"description": "source type that the owner took the image for; null until it has the request"},
    )
    codec: str | None = field(
        default=None,
        metadata={"description": "codec of the last delivery; before any, of the last plan; null if there was no plan"},
    )
    predicted_ss: float | None = field(
        default=None,
        metadata={"description": "ss that the planner expected of codec, 0 to 1; null as codec"},
    )
    ss: float | None = field(
        default=None,
        metadata={
            "description": (
                "of the last delivery; 0 if undelivered; null if the judge was unsure, and of wishes for decoders "
                "that were met"
            )
        },
    )
    attempts: int = field(default=0, metadata={"description": "plans served: one, and one more for each enhancement"})
    code_byte: int = field(
        default=0,
        metadata={"description": "bytes of the code's message: counted once, however many links it crosses"},
    )
    model_byte: int = field(
        default=0,
        metadata={
            "description": (
                "bytes of the messages with slices that it had brought, counted like code_byte; a slice that several "
                "requests of a consumer wait for counts at the first"
            )
        },
    )
    control_byte: int = field(
        default=0,
        metadata={"description": "bytes of its requests, answers and questions, counted like code_byte"},
    )
    enhancement_byte: int = field(
        default=0,
        metadata={"description": "bytes of the codes after the first, counted like code_byte"},
    )
    stripped_byte: int = field(
        default=0,
        metadata={
            "description": "what code_byte and enhancement_byte would be less without the fixed headers of formats"
        },
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
    slices_needed: int = field(default=0, metadata={"description": "slices that decoding takes, of all its plans"})
    slices_missed: int = field(
        default=0,
        metadata={"description": "of these, those that the consumer didn't hold when it looked for them"},
    )


@dataclass(slots=True)
class DeliveryRow:
    """One decoding at a consumer, with what the judge measured."""

    arm: str = field(metadata={"description": "as in requests"})
    request_id: int = field(metadata={"description": "as in requests; one that is enhanced has several deliveries"})
    consumer: str = field(metadata={"description": "node that decoded"})
    item_id: int = field(metadata={"description": "as in requests"})
    source_type: str = field(metadata={"description": "the item's true one"})
    codec: str = field(metadata={"description": "codec that encoded"})
    time_s: float = field(metadata={"description": "when decoding and the task were done"})
    slices: str = field(metadata={"description": "ids of the slices that decoded it, joined by spaces"})
    code_byte: int = field(metadata={"description": "bytes of the code as delivered, without message framing"})
    header_byte: int = field(metadata={"description": "fixed format header inside code_byte"})
    damaged: bool = field(metadata={"description": "the code or a slice arrived with bit errors"})
    st_original: float | None = field(
        default=None,
        metadata={"description": "ST of the original, 0 to 1; null if it holds nothing to judge by"},
    )
    st_recovered: float | None = field(
        default=None,
        metadata={"description": "ST of what was decoded, 0 to 1; null as st_original"},
    )
    ss: float | None = field(default=None, metadata={"description": "st_recovered/st_original; null if unsure"})
    judge_unsure: bool = field(
        default=False,
        metadata={"description": "st_original is null, or too low for a ratio to say much"},
    )
    correct_original: bool | None = field(
        default=None,
        metadata={"description": "the judge recognised the original; null if its task knows no hits"},
    )
    correct_recovered: bool | None = field(
        default=None,
        metadata={"description": "the judge recognised what was decoded; null if its task knows no hits"},
    )
    psnr_db: float | None = field(
        default=None,
        metadata={"description": "of what was decoded against the original; infinite for a lossless copy"},
    )
    ssim: float | None = field(
        default=None,
        metadata={"description": "of what was decoded against the original, at most 1"},
    )
    mixed_with: str | None = field(
        default=None,
        metadata={"description": "codec of another version, whose decoder was used; null: the codec's own was"},
    )


@dataclass(slots=True)
class TransferRow:
    """One payload over one link, retries included."""

    arm: str = field(metadata={"description": "as in requests"})
    transfer_id: int = field(metadata={"description": "unique in its arm; the order of time is that of queued_s"})
    request_id: int = field(metadata={"description": "request that it serves; -1: none"})
    link: str = field(metadata={"description": "its two nodes, a--b, in the topology's order"})
    link_class: str = field(metadata={"description": "name of the scenario's radio or wire"})
    sender: str = field(metadata={"description": "node at the link's one end"})
    receiver: str = field(metadata={"description": "node at its other end"})
    payload_class: PayloadClass = field(metadata={"description": "of the message: one class for each byte"})
    payload: str = field(metadata={"description": "message type, and slice or codec name"})
    payload_byte: int = field(metadata={"description": "bytes of the message"})
    queued_s: float = field(metadata={"description": "when the sender had it to send"})
    started_s: float | None = field(
        default=None,
        metadata={"description": "when its first bit or symbol was sent; null if none was"},
    )
    ended_s: float | None = field(
        default=None,
        metadata={"description": "when it had arrived or was given up; null if in flight"},
    )
    outcome: Literal["delivered", "lost", "in_flight"] = field(
        default="in_flight",
        metadata={
            "description": (
                "lost: given up after a radio's max_attempts, or its queue was full; in_flight: queued or under way "
                "when the run ended"
            )
        },
    )
    burst_count: int = field(default=0, metadata={"description": "grants of a carrier that it took; over a wire 1"})
    attempt_count: int = field(
        default=0,
        metadata={
            "description": (
                "most transmissions of any of its blocks, in bursts that have ended; over a wire 1, in flight 0"
            )
        },
    )
    first_byte: int = field(default=0, metadata={"description": "bytes sent in first attempts"})
    retry_byte: int = field(default=0, metadata={"description": "bytes sent again"})
    delivered_byte: int = field(
        default=0,
        metadata={"description": "bytes of blocks that arrived; protection none: right or wrong"},
    )
    lost_byte: int = field(default=0, metadata={"description": "bytes of blocks that arrived wrong"})
    in_flight_byte: int = field(default=0, metadata={"description": "bytes under way when the run ended"})
    first_channel_use: int = field(
        default=0,
        metadata={
            "description": "complex symbols of first_byte and of analog codes; over a wire all channel uses are 0"
        },
    )
    retry_channel_use: int = field(default=0, metadata={"description": "complex symbols of retry_byte"})
    delivered_channel_use: int = field(
        default=0,
        metadata={"description": "complex symbols of delivered_byte and of analog codes"},
    )
    lost_channel_use: int = field(default=0, metadata={"description": "complex symbols of lost_byte"})
    in_flight_channel_use: int = field(
        default=0,
        metadata={"description": "complex symbols under way when the run ended"},
    )
    overhead_channel_use: int = field(default=0, metadata={"description": "preambles, headers and ACKs: control"})
    queue_s: float = field(
        default=0.0,
        metadata={"description": "waiting for the carrier, between bursts too, up to its last burst; or for the wire"},
    )
    air_s: float = field(
        default=0.0,
        metadata={"description": "airtime of its bursts with their ACKs and turnarounds; over a wire bits/rate"},
    )
    propagation_s: float = field(
        default=0.0,
        metadata={"description": "time of flight; 0 of a radio's before it has flown"},
    )
    esno_db: float | None = field(
        default=None,
        metadata={"description": "instantaneous, of the first burst; null over a wire, or if there was no burst"},
    )
    gain_abs2: float | None = field(default=None, metadata={"description": "|h|² of the first burst; null as esno_db"})
    mcs: str | None = field(default=None, metadata={"description": "of the first burst; null as esno_db"})
    tx_j: float = field(default=0.0, metadata={"description": "of transmitting, at both ends: the receiver sends ACKs"})
    rx_j: float = field(default=0.0, metadata={"description": "of receiving, at both ends; over a wire 0"})
    bit_errors: int = field(default=0, metadata={"description": "protection none: wrong payload bits delivered"})


@dataclass(slots=True)
class StoreRow:
    """One event of one node's store."""

    arm: str = field(metadata={"description": "as in requests"})
    time_s: float = field(metadata={"description": "when it was so; of expire the time that the TTL says"})
    node: str = field(metadata={"description": "whose store"})
    tier: str = field(metadata={"description": "the node's tier"})
    event: Literal["provision", "hit", "miss", "insert", "evict", "expire", "reject"] = field(
        metadata={
            "description": (
                "provision: before time 0, built in or put into the store; hit, miss: a use of what the node wasn't "
                "built with; reject: too large for the store, what it requires isn't held, or only pinned slices "
                "would make room"
            )
        },
    )
    slice: str = field(metadata={"description": "name of the slice"})
    slice_id: str = field(metadata={"description": "hash of the slice's content"})
    slice_byte: int = field(metadata={"description": "size of the slice, of a miss too"})
    occupancy_byte: int = field(
        metadata={
            "description": (
                "bytes in the store after the event, 0 to capacity_byte; what the node was built with doesn't count"
            )
        },
    )
    capacity_byte: int = field(metadata={"description": "size of the store"})


@dataclass(slots=True)
class NodeRow:
    """One node at the end of the run: where it stands, what it used."""

    arm: str = field(metadata={"description": "as in requests"})
    node: str = field(metadata={"description": "its name"})
    tier: str = field(metadata={"description": "its tier"})
    x_m: float = field(metadata={"description": "east of the map's origin"})
    y_m: float = field(metadata={"description": "north of the map's origin"})
    attached_to: str | None = field(
        metadata={
            "description": (
                "other end of its one wireless link, else of its first link to a higher tier; null if it has neither"
            )
        },
    )
    mean_esno_db: float | None = field(
        metadata={
            "description": (
                "of what it receives over its one wireless link, without esno_swing_db; null if it has none or several"
            )
        },
    )
    radio: str | None = field(
        metadata={"description": "link class of its one wireless link; null if it has none or several"}
    )
    store_capacity_byte: int = field(metadata={"description": "size of its store"})
    store_occupancy_byte: int = field(metadata={"description": "bytes in its store at the end"})
    provisioned_byte: int = field(metadata={"description": "slices it was built with, outside its store"})
    stored: str = field(metadata={"description": "names of the slices held at the end, joined by spaces"})
    requests: int = field(default=0, metadata={"description": "wishes that it had"})
    tx_j: float = field(default=0.0, metadata={"description": "of transmitting, ACKs included"})
    rx_j: float = field(default=0.0, metadata={"description": "of receiving, ACKs included"})
    compute_j: float = field(default=0.0, metadata={"description": "of flop"})
    idle_j: float = field(
        default=0.0,
        metadata={"description": "idle power over the whole simulated time, drain included"},
    )
    flop: float = field(
        default=0.0,
        metadata={"description": "floating-point operations of encoding, decoding and tasks that were done"},
    )
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
