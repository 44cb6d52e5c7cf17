"""Surrogates: what codecs by the thousand would give, drawn from what a few were measured to give.

An item of a surrogate source type stands for one calibration image of the type that it is like, drawn by the item's
name: its code is that image's code, bytes and all, and its measurement that image's. So one item has the same original
whatever codec brings it, in every arm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from simnet.core.errors import SimnetError
from simnet.core.streams import uniform
from simnet.scenario.checks import arm_protocols
from simnet.scenario.surrogates import with_trunks
from simnet.signal.judge import Measurement
from simnet.signal.profile import Calibration, Code, CodecProfile
from simnet.wire.slices import Role, Slice
from simnet.wire.stand_in import StandIn

if TYPE_CHECKING:
    from simnet.scenario.schema import Scenario
    from simnet.scenario.surrogates import SurrogateType
    from simnet.signal.plane import SignalPlane


@dataclass(eq=False, kw_only=True)
class SurrogateProfile(CodecProfile):
    """A surrogate's own version of a codec: other slices, sizes and costs; the same codes and images.

    Args:
        original: the profile that it copies; ``codec`` is that one's.
        type_: whose version it is.
        shared: share of the decoder's bytes that lies in the family's trunk, in [0, 1).
        sliced: whether the trunk is a slice of its own; else the decoder comes whole.
    """

    original: CodecProfile
    type_: SurrogateType
    shared: float
    sliced: bool

    @property
    def size_factor(self) -> float:
        """Bytes and FLOPs, relative to the original's."""
        return self.shared * self.type_.trunk_factor + (1.0 - self.shared) * self.type_.rest_factor

    @cached_property
    def decoder_slices(self) -> tuple[Slice, ...]:
        """One for each of the original's, and before them the trunk if ``sliced``, which all of them require."""
        trunk: tuple[Slice, ...] = ()
        factor = self.size_factor
        if self.sliced:
            n_byte = sum(slice_.n_byte for slice_ in self.original.decoder_slices)
            name = f"{self.original.name}/trunk.{self.type_.like}.{self.type_.family}"
            trunk = (_stand_in(name, "decoder", self.shared * self.type_.trunk_factor * n_byte),)
            factor = (1.0 - self.shared) * self.type_.rest_factor
        return trunk + self._copies(self.original.decoder_slices, factor, tuple(slice_.id for slice_ in trunk))

    @cached_property
    def encoder_slices(self) -> tuple[Slice, ...]:
        return self._copies(self.original.encoder_slices, self.size_factor)

    def _copies(self, slices: Sequence[Slice], factor: float, requires: tuple[str, ...] = ()) -> tuple[Slice, ...]:
        """Slices of other sizes, which require each other as the given ones do."""
        copies: dict[str, Slice] = {}
        for slice_ in slices:
            required = tuple(sorted({*requires, *(copies[other].id for other in slice_.requires)}))
            name = f"{self.name}/{slice_.name.rpartition('/')[2]}"
            copies[slice_.id] = _stand_in(name, slice_.role, factor * slice_.n_byte, required)
        return tuple(copies.values())

    @cached_property
    def encode_flop(self) -> float:
        return self.original.encode_flop * self.size_factor

    @cached_property
    def decode_flop(self) -> float:
        return self.original.decode_flop * self.size_factor

    def calibration(self, source_type: str) -> Calibration:
        """The original's."""
        return self.original.calibration(source_type)


def _stand_in(name: str, role: Role, n_byte: float, requires: tuple[str, ...] = ()) -> StandIn:
    return StandIn(name, role, max(1, round(n_byte)), requires)


@dataclass(frozen=True)
class SurrogateItems:
    """The items of one surrogate source type.

    Args:
        rows: [N], for which calibration image of ``like`` each stands.
    """

    like: str
    first_item_id: int
    rows: tuple[int, ...]


@dataclass
class Surrogates:
    """All surrogates of a run.

    Args:
        items: by source type.
        profiles: their versions of codecs, by name.
        audit: share of measurements that is held against one of the network.
    """

    items: Mapping[str, SurrogateItems] = field(default_factory=dict)
    profiles: Mapping[str, SurrogateProfile] = field(default_factory=dict)
    audit: float = 0.0
    seed: int = 0
    audited: list[tuple[int, CodecProfile]] = field(default_factory=list)
    """Items and codecs of the measurements that were drawn for the audit."""

    @classmethod
    def of(
        cls, scenario: Scenario, types: Sequence[SurrogateType], first_item_id: int, plane: SignalPlane
    ) -> Surrogates:
        """The scenario's surrogates, with items numbered from ``first_item_id``; ``plane`` has what they are like."""
        spec = scenario.surrogates
        if spec is None:
            return cls()
        items: dict[str, SurrogateItems] = {}
        profiles: dict[str, SurrogateProfile] = {}
        wanted = _wanted(scenario)
        for type_ in types:
            n_row = len(plane.sources[type_.like].calibration)
            rows = (int(uniform(scenario.seed, "surrogate item", type_.name, i) * n_row) for i in range(spec.items))
            items[type_.name] = SurrogateItems(type_.like, first_item_id + type_.index * spec.items, tuple(rows))
            for codec, sliced in wanted[type_.like]:
                original = plane.codecs[codec]
                if original.codec.semantic:
                    name = type_.codec_name(codec, sliced=sliced)
                    profiles[name] = SurrogateProfile(
                        name, original.codec, plane, original=original, type_=type_, shared=spec.shared, sliced=sliced
                    )
        return cls(items, profiles, spec.audit, scenario.seed)

    @cached_property
    def type_of(self) -> dict[int, str]:
        """Item id -> source type."""
        return {each.first_item_id + i: name for name, each in self.items.items() for i in range(len(each.rows))}

    def like(self, source_type: str) -> str:
        """The source type that a surrogate is like; any other type itself."""
        found = self.items.get(source_type)
        return source_type if found is None else found.like

    @property
    def likes(self) -> dict[str, int]:
        """Source type -> number of surrogates that are like it."""
        return dict(Counter(items.like for items in self.items.values()))

    def decoder_byte(self) -> dict[str, dict[str, float]]:
        """Codec -> least, mean and largest size of its surrogates' decoders, all slices together."""
        sizes: dict[str, dict[int, int]] = {}
        for profile in self.profiles.values():
            n_byte = sum(slice_.n_byte for slice_ in profile.decoder_slices)
            sizes.setdefault(profile.original.name, {})[profile.type_.index] = n_byte
        return {
            codec: {"least": min(of.values()), "mean": sum(of.values()) / len(of), "most": max(of.values())}
            for codec, of in sizes.items()
        }

    def __contains__(self, item_id: int) -> bool:
        return item_id in self.type_of

    def row(self, item_id: int) -> int:
        """Calibration image for which an item stands."""
        items = self.items[self.type_of[item_id]]
        return items.rows[item_id - items.first_item_id]

    def code(self, item_id: int, codec: CodecProfile) -> Code:
        return codec.calibration(self.type_of[item_id]).codes[self.row(item_id)]

    def measure(self, item_id: int, codec: CodecProfile, code: bytes, slices: Sequence[Slice]) -> Measurement:
        """What the item was measured to be worth. Asked for once per item and codec.

        Raises:
            SimnetError: code or slices aren't those that the codec wants, as they were sent.
        """
        if [s.id for s in slices] != [s.id for s in codec.decoder_slices] or code != self.code(item_id, codec).data:
            got = ", ".join(f"{s.name} ({s.id})" for s in slices) or "no slice"
            raise SimnetError(
                f"surrogate codec {codec.name}: got a code of {len(code)} bytes with {got}; allowed only its own code "
                "and slices, unharmed: nobody has measured others"
            )
        if uniform(self.seed, "surrogate audit", item_id, codec.name) < self.audit:
            self.audited.append((item_id, codec))
        return codec.calibration(self.type_of[item_id]).measured[self.row(item_id)]


def _wanted(scenario: Scenario) -> dict[str, dict[tuple[str, bool], None]]:
    """Source type -> its codecs in any arm, each with whether its surrogates' trunks are slices of their own."""
    wanted: dict[str, dict[tuple[str, bool], None]] = {name: {} for name in scenario.sources}
    for protocol in arm_protocols(scenario).values():
        sliced = with_trunks(protocol, scenario)
        for source in scenario.sources:
            wanted[source].update(((codec, sliced), None) for codec in protocol.codecs[source])
    return wanted
