"""The signal plane: all tensor work of a run, behind tickets (DESIGN §4 "Tickets").

*Decision* tickets (encode, transmit, identify, and measurements that a protocol reacts to) are worked off when the
first of them is asked for. *Measurement* tickets are worked off by count and at the end of the run.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from simnet.codecs.base import CodecError
from simnet.codecs.networks.chunks import CHUNK, in_chunks
from simnet.core.errors import SimnetError
from simnet.core.units import db_to_linear
from simnet.phy.chain import BlockJob, BlockResult, DigitalChain
from simnet.phy.learned.on_air import Analog, OnAir
from simnet.phy.tables.bler import Lookup
from simnet.signal.decoded import decoded
from simnet.signal.judge import Judge, Measurement
from simnet.signal.kept import Kept
from simnet.signal.profile import Calibration, Code, CodecCard, CodecProfile, population_ss
from simnet.signal.surrogates import Surrogates
from simnet.signal.ticket import Ticket, TicketQueue
from simnet.tasks.base import Task
from simnet.tasks.source_identification import SOURCES, SourceIdentification
from simnet.wire.slices import Slice

if TYPE_CHECKING:
    from simnet.codecs.base import Codec

__all__ = ["Code", "CodecCard", "CodecProfile", "Measurement", "SignalPlane", "SourceImages", "Ticket"]


LEAST_ESNO_DB, MOST_ESNO_DB, ESNO_STEP_DB = -9.0, 24.0, 3.0
"""Mean Es/N0 at which analog codecs are measured for planners."""


@dataclass(frozen=True)
class SourceImages:
    """The images of one source type; only the signal plane sees them.

    Args:
        items: [N, C, H, W] float32 in [0, 1], the catalogue's items of this type.
        labels: [N] int64.
        calibration, calibration_labels: other images, by which planners learn what codecs give.
        first_item_id: id of the first; the others follow.
        content: names images, labels and judge; the same only for the same.
    """

    items: Tensor
    labels: Tensor
    calibration: Tensor
    calibration_labels: Tensor
    task: Task
    first_item_id: int
    content: Hashable = field(default_factory=object)

    @property
    def shape(self) -> tuple[int, int, int]:
        _, channels, height, width = self.items.shape
        return channels, height, width


class SignalPlane:
    """Does the tensor work of a run.

    Args:
        codecs: by the scenario's names.
        sources: by source type.
        device: torch device of images and judges.
        batch: measurement tickets that are gathered before they are worked off.
        kept: what other runs have computed.
    """

    def __init__(
        self,
        codecs: Mapping[str, Codec],
        sources: Mapping[str, SourceImages],
        *,
        identifier: SourceIdentification | None = None,
        device: str = "cpu",
        batch: int = 512,
        kept: Kept | None = None,
    ) -> None:
        self._kept = kept or Kept()
        self.codecs = {name: CodecProfile(name, codec, self) for name, codec in codecs.items()}
        self.sources = dict(sources)
        self.device = device
        self.surrogates = Surrogates()
        if identifier is not None and (unknown := set(sources) - set(SOURCES)):
            raise SimnetError(
                f"protocol.source_identification: its network tells {', '.join(SOURCES)} apart; the scenario also has "
                f"{', '.join(sorted(unknown))}. Rename the sources, train a network for them, or leave it out."
            )
        self._identifier = identifier
        self._type_of = {
            source.first_item_id + i: name for name, source in sources.items() for i in range(len(source.items))
        }
        self._ahead: dict[_Encoding, Code] = {}
        self._probabilities: dict[str, dict[int, Tensor]] = {}
        self._judges = {name: self._judge(source) for name, source in self.sources.items()}
        self._encodings: TicketQueue[Code] = TicketQueue(self._encode)
        self._identities: TicketQueue[str] = TicketQueue(self._identify)
        self._measurements: TicketQueue[Measurement] = TicketQueue(self._measure, limit=batch)
        self._bursts: dict[str, TicketQueue[list[BlockResult]]] = {}
        self._audited: list[tuple[BlockJob, float]] = []
        self._lookups = {"below": 0, "measured": 0, "above": 0}
        self._failures_above = 0.0
        self._serial = 0

    def _judge(self, source: SourceImages) -> Judge:
        make = partial(Judge, source.task, source.items, source.labels)
        return self._kept.once(("judge", source.content), make)

    def add(self, surrogates: Surrogates) -> None:
        """Let there be surrogates, of sources and codecs that the plane has."""
        self.surrogates = surrogates
        self.codecs.update(surrogates.profiles)

    # ------------------------------------------------------------------ submitting

    def encode(self, item_id: int, codec: str, *, raw: bool = False, decoder: str | None = None) -> Ticket[Code]:
        """An item's code.

        Args:
            raw: in the fixed layout of ``protection: none``.
            decoder: the codec of another version whose decoder will decode it; None: ``codec`` itself.
        """
        key = (item_id, codec, raw, decoder or codec)
        return self._encodings.submit(key, key)

    def identify(self, item_id: int, candidates: tuple[str, ...]) -> Ticket[str]:
        """Which of these source types the item's image is taken for."""
        key = (item_id, candidates)
        return self._identities.submit(key, key)

    def transmit(self, jobs: Sequence[BlockJob], backend: str) -> Ticket[list[BlockResult]]:
        """Blocks through the exact chain."""
        if backend not in self._bursts:
            chain = DigitalChain(backend, device=self.device if backend == "native" else "cpu")  # type: ignore[arg-type]
            self._bursts[backend] = TicketQueue(lambda bursts: _run_bursts(chain, bursts))
        self._serial += 1
        return self._bursts[backend].submit(self._serial, list(jobs))

    def measure(
        self, item_id: int, codec: str, code: bytes, slices: Sequence[Slice], *, raw: bool = False,
        air: OnAir | None = None,
    ) -> Ticket[Measurement]:  # fmt: skip
        """What an item is worth, decoded from these bytes with these slices.

        Args:
            air: of an analog codec, whose code went on the air as symbols: what they met.
        """
        key = (item_id, codec, code, tuple(slices), raw, air)  # slices are equal if ids and bytes are
        return self._measurements.submit(key, key)

    def result(self, ticket: Ticket[Any]) -> Any:
        """A ticket's result; works off what waits if need be. A burst's result is given once."""
        value = ticket.queue.result(ticket)
        if ticket.queue in self._bursts.values():
            ticket.queue.forget(ticket)
        return value

    def audit(self, job: BlockJob, bler: float) -> None:
        """Run a block exactly too, whose fate was drawn with this BLER (of a repeated one: given that it failed)."""
        self._audited.append((job, bler))

    def audit_report(self) -> dict[str, float]:
        """Audited blocks, how many failed in the exact chain, how many the tables expect, and the standard error.

        A block that was combined from several receptions counts only if it fails without the last one in the exact
        chain too: its rate was that of failing again.
        """
        chain = DigitalChain(device=self.device)
        repeated = [replace(job, receptions=job.receptions[:-1]) for job, _ in self._audited if len(job.receptions) > 1]
        failed_before = iter([not result.ok for result in chain.transmit(repeated)])
        counted = [(job, p) for job, p in self._audited if len(job.receptions) == 1 or next(failed_before)]
        results = chain.transmit([job for job, _ in counted])
        return {
            "blocks": len(counted),
            "failed_exact": sum(not result.ok for result in results),
            "failed_expected": sum(bler for _, bler in counted),
            "standard_error": sum(bler * (1.0 - bler) for _, bler in counted) ** 0.5,
        }

    def count_lookups(self, found: Lookup, n_block: int) -> None:
        """The fates of so many blocks are drawn with this entry of a BLER table."""
        self._lookups[found.region] += n_block
        if found.region == "above":
            self._failures_above += n_block * found.bler

    def lookup_report(self) -> dict[str, float]:
        """Blocks drawn within the tables' measured Es/N0, below it (all lost), and above it: there the rates are
        extrapolated, and so many failures are expected of them."""
        return {**self._lookups, "failures_expected_above": self._failures_above}

    # ------------------------------------------------------------------ what the network may know

    def image_shape(self, source_type: str) -> tuple[int, int, int]:
        """(C, H, W) of a source type: the one thing that an image's size tells."""
        return self.sources[self.surrogates.like(source_type)].shape

    def task_flop(self, source_type: str) -> float:
        """FLOPs of running the task on one image."""
        return float(self.sources[self.surrogates.like(source_type)].task.flop_per_image)

    @property
    def identification_flop(self) -> float:
        return 0.0 if self._identifier is None else float(self._identifier.flop_per_image)

    # ------------------------------------------------------------------ work

    def calibrate(self, codec: Codec, source_type: str, decoder: Codec | None = None) -> Calibration | None:
        """Measure a codec on a source type's calibration images.

        Args:
            decoder: of another version, whose decoder slices decode.

        Returns:
            None if those can't decode what the codec encodes.
        """
        key = ("calibration", codec, self.sources[source_type].content, decoder)
        return self._kept.once(key, lambda: self._calibrated(codec, source_type, decoder))

    def _calibrated(self, codec: Codec, source_type: str, decoder: Codec | None) -> Calibration | None:
        source = self.sources[source_type]
        if codec.analog is not None:
            return self._calibrated_over_air(codec, codec.analog, source_type)
        try:
            codes, recovered = _through(codec, source.calibration, decoder)
        except CodecError:
            if decoder is None:
                raise
            return None
        measured = self._judged_calibration(source_type, recovered)
        with_header = tuple(Code(code, codec.without_header(code)) for code in codes)
        return Calibration(with_header, measured, codec.over_snr)

    def _judged_calibration(self, source_type: str, recovered: Tensor) -> tuple[Measurement, ...]:
        source = self.sources[source_type]
        make = partial(Judge, source.task, source.calibration, source.calibration_labels)
        judge: Judge = self._kept.once(("calibration judge", source.content), make)
        measured = tuple(judge.measure(recovered, torch.arange(len(recovered))))
        if not any(m.score_original for m in measured):
            raise SimnetError(
                f"source type {source_type}: its judge recognises none of {len(measured)} calibration images; "
                "name a judge that was trained on them"
            )
        return measured

    def _calibrated_over_air(self, codec: Codec, analog: Analog, source_type: str) -> Calibration:
        """Over the channel that the codec is for, at multiples of 3 dB, each when first asked for; ``measured`` is that
        of the highest."""
        codes = codec.encode(self.sources[source_type].calibration)

        @cache
        def measured(esno_db: float) -> tuple[Measurement, ...]:
            names, esno = ("calibration", str(esno_db)), db_to_linear(esno_db)
            each = [OnAir.drawn(analog.channel, analog.uses, esno, 0, *names, i) for i in range(len(codes))]
            received = codec.over_air(codes, each)
            recovered = decoded(codec, received, codec.decoder_slices, self.sources[source_type].shape)
            return self._judged_calibration(source_type, recovered)

        def ss(esno_db: float) -> float:
            position = (min(max(esno_db, LEAST_ESNO_DB), MOST_ESNO_DB) - LEAST_ESNO_DB) / ESNO_STEP_DB
            low, share = int(position), position % 1.0
            values = [population_ss(measured(LEAST_ESNO_DB + ESNO_STEP_DB * i)) for i in (low, low + bool(share))]
            return (1 - share) * values[0] + share * values[-1]

        side = bytes(analog.side_byte)
        return Calibration((Code(side, side),) * len(codes), measured(MOST_ESNO_DB), ss_over_air=ss)

    def _encode(self, wanted: list[_Encoding]) -> list[Code]:
        """Networks see ``CHUNK`` images whether one is wanted or all: the neighbours' codes are made along with it."""
        for key in wanted:
            if key in self._ahead:
                continue
            item_id, codec_name, raw, decoder_name = key
            if item_id in self.surrogates:
                self._ahead[key] = self.surrogates.code(item_id, self.codecs[codec_name])
                continue
            source, codec = self.sources[self._type_of[item_id]], self.codecs[codec_name].codec
            start = (item_id - source.first_item_id) // CHUNK * CHUNK
            decoder = self.codecs[decoder_name].codec if decoder_name != codec_name else None
            codes = self._kept.once(
                ("codes", codec, source.content, start, raw, decoder),
                partial(_codes, codec, source.items, start, raw, decoder),
            )
            for index, code in enumerate(codes, start=source.first_item_id + start):
                self._ahead[index, codec_name, raw, decoder_name] = code
        return [self._ahead[key] for key in wanted]

    def _identify(self, wanted: list[tuple[int, tuple[str, ...]]]) -> list[str]:
        found = []
        for item_id, candidates in wanted:
            probabilities = self._identified(self._type_of[item_id])[item_id]
            scores = {name: float(probabilities[SOURCES.index(name)]) for name in candidates}
            found.append(max(scores, key=lambda name: scores[name]))
        return found

    def _identified(self, source_type: str) -> dict[int, Tensor]:
        """What the identifying network says of every image of a source type, by item; it is run once."""
        if source_type not in self._probabilities:
            assert self._identifier is not None
            source, identifier = self.sources[source_type], self._identifier
            probabilities = self._kept.once(
                ("identified", identifier, source.content), lambda: in_chunks(identifier.infer, source.items)
            )
            self._probabilities[source_type] = dict(enumerate(probabilities, start=source.first_item_id))
        return self._probabilities[source_type]

    def _measure(self, wanted: list[_Delivered]) -> list[Measurement]:
        """Decode per codec and slices, judge per source type; surrogates have been measured."""
        results: dict[int, Measurement] = {}
        unharmed: dict[int, Hashable] = {}
        groups: dict[Hashable, list[int]] = {}
        for index, (item_id, name, code, slices, raw, air) in enumerate(wanted):
            if item_id in self.surrogates:
                results[index] = self.surrogates.measure(item_id, self.codecs[name], code, slices)
                continue
            if air is None and (key := self._unharmed(item_id, name, code, slices, raw)) is not None:
                unharmed[index] = key
                if (found := self._kept.find(key)) is not None:
                    results[index] = found
                    continue
            groups.setdefault((name, slices, raw, air is None, self._type_of[item_id]), []).append(index)
        recovered: dict[str, list[tuple[int, Tensor]]] = {}
        for members in groups.values():
            item_id, name, _, slices, raw, _ = wanted[members[0]]
            codec, codes = self.codecs[name].codec, [wanted[i][2] for i in members]
            if airs := [air for i in members if (air := wanted[i][5]) is not None]:
                codes = codec.over_air(codes, airs)
            source_type = self._type_of[item_id]
            images = decoded(codec, codes, slices, self.sources[source_type].shape, raw=raw)
            recovered.setdefault(source_type, []).extend(zip(members, images, strict=True))
        for source_type, pairs in recovered.items():
            first = self.sources[source_type].first_item_id
            which = torch.tensor([wanted[i][0] - first for i, _ in pairs])
            images = torch.stack([image for _, image in pairs])
            measured = self._judges[source_type].measure(images, which)
            results.update({i: m for (i, _), m in zip(pairs, measured, strict=True)})
        for index, named in unharmed.items():
            self._kept.keep(named, results[index])
        return [results[i] for i in range(len(wanted))]

    def _unharmed(
        self, item_id: int, name: str, code: bytes, slices: tuple[Slice, ...], raw: bool
    ) -> tuple[Hashable, ...] | None:
        """Names a measurement of what arrived as it was sent; None if something did not."""
        profile, sent = self.codecs[name], self._ahead.get((item_id, name, raw, name))
        if sent is None or sent.data != code or slices != sent.needed(profile.decoder_slices):
            return None
        source = self.sources[self._type_of[item_id]]
        return "measurement", profile.codec, source.content, item_id - source.first_item_id, raw

    def recover(self, item_id: int, codec: str) -> Tensor:
        """An item after an unharmed trip through a codec, [C, H, W]: for pictures in reports. An analog codec's symbols
        meet the highest Es/N0 at which such codecs are measured."""
        codec_ = self.codecs[codec].codec
        codes = codec_.encode(self._original(item_id)[None])
        if (analog := codec_.analog) is not None:
            esno = db_to_linear(MOST_ESNO_DB)
            codes = codec_.over_air(codes, [OnAir.drawn(analog.channel, analog.uses, esno, 0, "picture", item_id)])
        shape = self.sources[self._type_of[item_id]].shape
        return decoded(codec_, codes, codec_.decoder_slices, shape)[0]

    def original(self, item_id: int) -> Tensor:
        """An item's image [C, H, W]: for pictures in reports, never for a node."""
        return self._original(item_id)

    def _original(self, item_id: int) -> Tensor:
        source = self.sources[self._type_of[item_id]]
        return source.items[item_id - source.first_item_id]


_Delivered = tuple[int, str, bytes, tuple[Slice, ...], bool, OnAir | None]
"""A delivery that is to be judged: item, codec, code, slices, whether raw, and what analog symbols met."""
_Encoding = tuple[int, str, bool, str]
"""What an item's code depends on: item, codec, whether raw, and the codec whose decoder will decode it."""


def _through(codec: Codec, images: Tensor, decoder: Codec | None) -> tuple[list[bytes], Tensor]:
    """Codes of images, and what the codec's own decoder or another version's makes of them."""
    if decoder is None:
        codes = codec.encode(images)
        return codes, decoded(codec, codes, codec.decoder_slices, images.shape[1:])
    codes = codec.encode_for(images, decoder.decoder_slices)
    return codes, decoded(codec, codes, decoder.decoder_slices, images.shape[1:])


def _codes(codec: Codec, items: Tensor, start: int, raw: bool, decoder: Codec | None) -> list[Code]:
    """The codes of one chunk of a source type's items."""
    images = items[start : start + CHUNK]
    if raw:
        return [Code(code, codec.without_header(code)) for code in codec.encode_raw(images)]
    if decoder is not None:
        codes = codec.encode_for(images, decoder.decoder_slices)
        return [Code(code, codec.without_header(code)) for code in codes]
    return [
        Code(code, codec.without_header(code), _layers(codec, code), _needs(codec, code))
        for code in codec.encode(images)
    ]


def _needs(codec: Codec, code: bytes) -> frozenset[str] | None:
    return frozenset(s.id for s in codec.needed(code)) if codec.by_content else None


def _layers(codec: Codec, code: bytes) -> tuple[tuple[str, bytes], ...]:
    return tuple(zip(codec.layers, codec.split(code), strict=True)) if codec.layers else ()


def _run_bursts(chain: DigitalChain, bursts: list[list[BlockJob]]) -> list[list[BlockResult]]:
    results = iter(chain.transmit([job for burst in bursts for job in burst]))
    return [[next(results) for _ in burst] for burst in bursts]
