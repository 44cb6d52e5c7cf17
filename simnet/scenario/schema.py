"""The scenario's schema: one frozen model per part; units in the field names; unknown keys are errors."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from simnet.core.errors import UnknownName
from simnet.core.fading import FadingKind, longest_burst_s
from simnet.core.mcs import MCS_NAMES, UNCODED_NAMES, CodeFamily
from simnet.core.plugins import KINDS
from simnet.core.terms import Tier, TtlFrom
from simnet.core.units import LARGEST_DB
from simnet.scenario.plugin_field import PluginField, PluginSpec

Protection = Literal["arq", "harq", "none"]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0)]
Decibel = Annotated[float, Field(ge=-LARGEST_DB, le=LARGEST_DB)]
NonNegative = Annotated[float, Field(ge=0.0)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=64)]


def plugin(folder: str) -> Any:
    """The type of a field that names a plug-in of this folder."""
    return Annotated[PluginSpec, PluginField(KINDS[folder])]


def _known_dataset(name: str) -> str:
    try:
        KINDS["data"].summary(name)
    except UnknownName as error:
        raise PydanticCustomError("plugin", "{text}", {"text": str(error)}) from None
    return name


def _one_of(*names: str) -> Any:
    """The type of a field that is one of these names."""
    return Literal.__getitem__(names)


class Part(BaseModel):
    """Base of every part of a scenario."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TierSpec(Part):
    """What a node of one tier can store and compute."""

    store_byte: int = Field(0, ge=0, description="capacity of the store for slices, bytes")
    compute_flop_per_s: Positive = Field(1e9, description="speed of the one compute queue, FLOP/s")
    joule_per_flop: NonNegative = Field(1e-10, description="energy of one FLOP, J")
    idle_power_w: NonNegative = Field(0.0, description="power drawn all the time, W")


class Radio(Part):
    """A class of wireless links: one half-duplex carrier per gateway, shared by up, down, ACK and control."""

    bandwidth_hz: Positive = Field(125e3, description="symbol rate in complex symbols per second (T_s = 1/bandwidth)")
    device_power_dbm: Decibel = Field(14.0, description="transmit power of the device end, dBm")
    gateway_power_dbm: Decibel = Field(27.0, description="transmit power of the gateway end, dBm")
    device_noise_figure_db: NonNegative = Field(
        7.0, le=LARGEST_DB, description="noise figure of the device's receiver, dB"
    )
    gateway_noise_figure_db: NonNegative = Field(
        4.0, le=LARGEST_DB, description="noise figure of the gateway's receiver, dB"
    )
    amplifier_efficiency: Annotated[float, Field(gt=0.0, le=1.0)] = Field(0.35, description="η in P_tx/η")
    circuit_power_w: NonNegative = Field(0.05, description="P_circuit of a transmitting node, W")
    receive_power_w: NonNegative = Field(0.06, description="P_rx of a receiving node, W")
    mean_esno_db: Decibel | None = Field(
        None, description="mean Es/N0 of both directions, dB, in place of the one from powers and path loss"
    )
    esno_swing_db: NonNegative = Field(
        0.0,
        le=LARGEST_DB,
        description="the mean Es/N0 of each link goes up and down by this, dB, as a sine of its own phase",
    )
    swing_period_s: Positive = Field(86_400.0, description="period of that sine, s")
    fading: FadingKind = Field(
        "rayleigh",
        description="none; flat, constant over coherence intervals: rayleigh (h ~ CN(0, 1)), rician; flat, changing "
        "continuously with J0 autocorrelation: clarke; independent from symbol to symbol: rayleigh_fast, rician_fast; "
        "OFDM over tapped delay lines of TR 38.901: tdl_a, tdl_b, tdl_c",
    )
    coherence_time_s: Positive = Field(
        0.1, description="h is constant over intervals of this length, s; clarke: after it the autocorrelation is 1/2"
    )
    rician_k_db: Decibel = Field(6.0, description="rician, rician_fast: power of the line of sight over the rest, dB")
    rms_delay_spread_s: Positive = Field(1e-6, description="tdl_a, tdl_b, tdl_c: RMS delay spread, s")
    subcarriers: int = Field(64, ge=2, description="tdl_a, tdl_b, tdl_c: subcarriers of the whole bandwidth")
    csi_delay_s: NonNegative = Field(0.0, description="age of the channel knowledge by which the MCS is chosen, s")
    code: CodeFamily = Field("ieee80216e", description="LDPC codes: of IEEE 802.16e or of 5G NR")
    mcs: _one_of("adaptive", *MCS_NAMES, *UNCODED_NAMES) = Field(  # type: ignore[valid-type]
        "adaptive", description="modulation and coding scheme, or adaptive; uncoded: without protection only"
    )
    protected_mcs: _one_of(*MCS_NAMES) | None = Field(  # type: ignore[valid-type]
        None, description="without protection: scheme of what is protected all the same; null: that of the rest"
    )
    adaptive_mcs: tuple[_one_of(*MCS_NAMES), ...] = Field(  # type: ignore[valid-type]
        MCS_NAMES, min_length=1, description="adaptive: the schemes to choose from"
    )
    target_bler: Annotated[float, Field(gt=0.0, lt=1.0)] = Field(
        0.1, description="adaptive: the fastest MCS whose BLER at the known channel is at most this"
    )
    max_burst_s: Positive = Field(0.1, description="longest time that one grant may hold the carrier, s")
    max_attempts: int = Field(8, ge=1, description="transmissions of one block before the payload is lost")
    retry_delay_s: NonNegative = Field(0.0, description="wait before failed blocks queue again, s")
    preamble_symbol: int = Field(32, ge=0, description="channel uses of preamble and header before each burst")
    ack_symbol: int = Field(32, ge=0, description="channel uses of one acknowledgement")
    turnaround_s: NonNegative = Field(0.0005, description="half-duplex switch before an acknowledgement, s")
    scheduler: Literal["fifo", "round_robin", "priority"] = Field("fifo", description="who gets the next grant")
    queue_limit: int | None = Field(
        None,
        ge=1,
        description="payloads that may wait for a carrier, those not counted that stay away for "
        "retry_delay_s; one more is rejected; null: no limit",
    )
    fidelity: Literal["exact", "table", "ideal"] = Field(
        "table", description="exact: every block through the chain; table: drawn from BLER tables; ideal: no errors"
    )
    audit: Probability = Field(0.0, description="table: the share of blocks that is run exactly as well")
    protection: Protection = Field(
        "arq",
        description="arq: CRC and retransmission; harq: the receiver adds up the symbols of all transmissions (Chase "
        "combining), all at the MCS of the first; none: bit errors land in codes and slices",
    )
    bit_error_rate: Annotated[float, Field(ge=0.0, le=0.5)] | None = Field(
        None,
        description="ideal without protection: each bit of what is unprotected arrives wrong with this probability, "
        "independently; null: none does",
    )
    backend: Literal["native", "reference"] = Field(
        "native", description="exact: our chain, or pyldpc's code with commpy's modem (slow, independent)"
    )

    @model_validator(mode="after")
    def _burst_fits_coherence(self) -> Self:
        longest_s = longest_burst_s(self.fading, self.coherence_time_s)
        if self.max_burst_s > longest_s:
            share = "" if longest_s == self.coherence_time_s else f"a tenth of ({self.fading}) "
            raise ValueError(
                f"max_burst_s {self.max_burst_s} exceeds {share}coherence_time_s {self.coherence_time_s}: h is read "
                "once a burst; give a shorter burst or a longer coherence time"
            )
        if self.protection == "none" and self.fidelity == "table":
            raise ValueError("protection none needs the bits themselves: fidelity exact or ideal, not table")
        if self.mcs in UNCODED_NAMES and self.protection != "none":
            raise ValueError(f"mcs {self.mcs} needs protection none, got {self.protection}: ARQ plans by BLER tables")
        if self.protected_mcs is not None and (self.protection != "none" or self.mcs == "adaptive"):
            raise ValueError(
                f"protected_mcs {self.protected_mcs} needs protection none and one scheme for the rest, got protection "
                f"{self.protection} and mcs {self.mcs}: give both, or leave protected_mcs null"
            )
        if self.bit_error_rate is not None and (self.fidelity, self.protection) != ("ideal", "none"):
            raise ValueError(
                f"bit_error_rate {self.bit_error_rate:g} needs fidelity ideal and protection none, got {self.fidelity} "
                f"and {self.protection}: give both, or leave bit_error_rate null"
            )
        return self


class Wire(Part):
    """A class of wired links: full duplex, error free, one first-in-first-out queue per direction."""

    rate_bit_per_s: Positive = Field(100e6, description="bit rate of each direction, bit/s")
    delay_s: NonNegative = Field(0.0, description="delay added to the topology's propagation delay, s")
    joule_per_bit: NonNegative = Field(0.0, description="energy of one bit, at the sender, J")
    channels: int = Field(
        1, ge=1, le=1024, description="payloads that each direction sends side by side, each at the whole rate"
    )
    queue_limit: int | None = Field(
        None, ge=0, description="payloads that may wait for a direction; one more is rejected; null: no limit"
    )


class Wish(Part):
    """What a request asks for."""

    task: Literal["classification", "segmentation", "detection", "decoder"] = Field(
        "classification",
        description="the downstream task; decoder: no image, but the decoders of the source type's codecs themselves",
    )
    classes: Literal["all", "foreground", "background"] | Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        "all", description="segmentation, detection: classes that count: names, all, or (segmentation) a group"
    )
    ss: Probability | Annotated[tuple[Probability, ...], Field(min_length=1)] = Field(
        0.9, description="wanted semantic service score; of several, each consumer always wants the one drawn for it"
    )
    deadline_s: Positive = Field(10.0, description="time from the request until it is worth nothing, s")


class Source(Part):
    """One source type of the catalogue: its images, its owners, its judge."""

    dataset: Annotated[str, AfterValidator(_known_dataset)] = Field(
        description="data set: a name of 'simnet list data'"
    )
    labels: tuple[int, ...] | None = Field(None, min_length=1, description="only images of these labels; null: all")
    items: int = Field(100, ge=1, description="items of this type in the catalogue")
    owners: Tier = Field("device", description="tier whose nodes own the items")
    judge: str = Field(description="zoo model that measures ST: classifier/…, segmenter/…, detector/…; no node has it")
    wish: Wish = Wish()


class Surrogates(Part):
    """Source types by the thousand, each with codecs of its own, like those that the scenario writes out.

    Nothing is computed for them: an item's code and SS are those of one calibration image of the type that it is like.
    """

    count: int = Field(ge=1, le=100_000, description="surrogate source types")
    like: tuple[Name, ...] = Field(min_length=1, description="sources whose images and codecs they copy, in turn")
    size_spread: Annotated[float, Field(ge=0.0, le=3.0)] = Field(
        0.0, description="standard deviation of ln(size factor), drawn by name; the factor's mean is 1"
    )
    shared: Annotated[float, Field(ge=0.0, lt=1.0)] = Field(
        0.0, description="share of a decoder's bytes that its family has in common: its trunk"
    )
    families: int = Field(1, ge=1, description="families of the surrogates that are like one source, drawn by name")
    items: int = Field(5, ge=1, description="items of each in the catalogue; their ids follow those of the sources")
    owners: Tier = Field("device", description="tier whose nodes own the items")
    owners_per_type: int = Field(1, ge=1, description="nodes that own the items of one surrogate, drawn by its name")
    wish: Wish | None = Field(None, description="null: that of the source that they are like")
    audit: Probability = Field(
        0.01, description="share of their measurements that is held against one of the network, run on other images"
    )


class Planner(Part):
    """How the owner chooses codec and slices."""

    cost: Literal["bytes", "airtime", "energy"] = Field("bytes", description="what the plan minimises")
    expected_uses: Positive = Field(
        1.0, description="uses over which a missing slice's cost is spread when plans are compared"
    )
    ss_margin: float = Field(0.0, ge=0.0, le=1.0, description="predicted SS must exceed the wish by this")


class StoreSpec(Part):
    """How nodes keep slices."""

    policy: plugin("store") = Field({"kind": "lru"}, validate_default=True, description="who is evicted")  # type: ignore[valid-type]
    ttl_s: Positive | None = Field(None, description="time to live of a stored slice, s; null: for ever")
    ttl_from: TtlFrom = Field("from_fetch", description="when the TTL starts")
    store_byte: dict[Tier, Annotated[int, Field(ge=0)]] = Field(
        {}, description="capacity per tier in place of the tier's own, bytes"
    )


class Protect(Part):
    """What travels protected, by CRC and ARQ, over links whose ``protection`` is none: headers always do."""

    code: Literal["none", "all"] = Field(
        "none", description="none: codes in a fixed layout, bit errors and all; all: as on links with ARQ"
    )
    model: Literal["none", "part", "all"] = Field(
        "none",
        description="none: weights in a fixed layout, bit errors and all; part: but high_bits of layers protected; "
        "all: compressed slices, as on links with ARQ",
    )
    layers: tuple[str, ...] = Field(
        ("*",), min_length=1, description="part: which weight tensors of the slices, by globs of their names"
    )
    high_bits: int | None = Field(
        None, ge=1, le=32, description="part: how many bits of each of their weights, sign first; null: all"
    )

    @model_validator(mode="after")
    def _part_is_said(self) -> Self:
        narrowed = self.layers != ("*",) or self.high_bits is not None
        if narrowed and self.model != "part":
            raise ValueError(f"layers and high_bits need model: part, got model: {self.model}")
        return self

    @property
    def everything(self) -> bool:
        return self.code == "all" and self.model == "all"


class Protocol(Part):
    """How nodes ask, plan, send, keep. An arm overrides parts of it."""

    codecs: dict[Name, tuple[Name, ...]] = Field(description="source type -> codecs that its owners may use")
    propagation: plugin("propagation") = Field(  # type: ignore[valid-type]
        {"kind": "with_code"}, validate_default=True, description="how slices reach those who miss them"
    )
    directory: Literal["oracle", "registry", "flood"] = Field("oracle", description="how copies of slices are found")
    repositories: tuple[Tier, ...] = Field(("cloud",), description="tiers that have every decoder, outside stores")
    protect: Protect = Field(default_factory=Protect)
    keep_damaged: bool = Field(False, description="a slice that arrived with bit errors is kept after its first use")
    store: StoreSpec = Field(default_factory=StoreSpec)
    planner: Planner = Field(default_factory=Planner)
    ss_feedback: Literal["none", "provider", "confidence", "oracle"] = Field(
        "none", description="how the protocol learns that SS fell short; then the next better plan is tried"
    )
    source_identification: str | None = Field(
        None, description="zoo model by which owners tell source types apart; null: they know"
    )
    wish_ss: Probability | None = Field(None, description="wanted SS in place of the sources' own")
    releases: dict[Name, NonNegative] = Field(
        {}, description="codec -> time from which owners may use it, s; not named: from the start"
    )
    retires: dict[Name, Positive] = Field(
        {}, description="codec -> time from which owners may use it no more, s; not named: never"
    )
    deltas: bool = Field(
        True, description="who holds another version or variant of a slice is sent what changed, if that is smaller"
    )
    mixed_versions: Literal["refuse", "decode"] = Field(
        "refuse",
        description="decode: a consumer may decode with another version's decoder that it holds, at the SS that was "
        "measured for that; refuse: never",
    )
    slice_sharing: bool = Field(
        True, description="with surrogates.shared: a family's trunk is a slice of its own; false: decoders come whole"
    )

    @model_validator(mode="after")
    def _retired_after_release(self) -> Self:
        for codec, retired_s in self.retires.items():
            if retired_s <= self.releases.get(codec, 0.0):
                raise ValueError(
                    f"codec {codec} retires at {retired_s:g} s, not after its release at {self.releases[codec]:g} s: "
                    "give a later time, or leave one of them out"
                )
        return self


class Signal(Part):
    """How the tensor work is done; none of it changes a result."""

    batch: int = Field(512, ge=1, description="measurement tickets that are gathered before they are run")
    trace: bool = Field(False, description="write every event of the timeline to trace.csv")


def _none_called_all(sources: dict[str, Source]) -> dict[str, Source]:
    if "all" in sources:
        raise ValueError("got a source 'all', which in results means all of them; choose another name")
    return sources


class Scenario(Part):
    """A whole run."""

    name: Name
    description: str = ""
    seed: int = Field(1, ge=0, description="every draw is a function of this and of names")
    duration_s: Positive = Field(description="simulated time in which requests arrive, s")
    drain_s: NonNegative = Field(60.0, description="simulated time after that in which open requests may end, s")
    topology: plugin("topology")  # type: ignore[valid-type]
    tiers: dict[Tier, TierSpec] = {}
    radios: dict[Name, Radio] = {}
    wires: dict[Name, Wire] = {}
    sources: Annotated[dict[Name, Source], AfterValidator(_none_called_all)] = Field(min_length=1)
    types_per_owner: int | None = Field(
        1, ge=1, description="sources of which one node may own items, drawn by its name; null: all"
    )
    surrogates: Surrogates | None = Field(None, description="further source types, of codecs that are drawn, not run")
    codecs: dict[Name, plugin("codecs")] = Field(min_length=1)  # type: ignore[valid-type]
    consumers: tuple[Tier, ...] = Field(("device",), min_length=1, description="tiers whose nodes make requests")
    traffic: plugin("traffic")  # type: ignore[valid-type]
    protocol: Protocol
    arms: dict[Name, dict[str, Any]] = Field(
        {}, description="arm -> the parts of protocol that it changes; none: one arm, 'main'"
    )
    signal: Signal = Signal()
