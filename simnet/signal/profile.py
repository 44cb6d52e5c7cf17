"""A codec as the network sees it, and what planners know of it."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING

from simnet.core.plugins import PluginError
from simnet.signal.judge import Measurement
from simnet.wire.dependencies import in_dependency_order
from simnet.wire.slices import Slice

if TYPE_CHECKING:
    from simnet.codecs.base import Codec
    from simnet.phy.learned.on_air import Analog
    from simnet.signal.plane import SignalPlane


@dataclass(frozen=True)
class Code:
    """One encoded item.

    Args:
        bare: without the fixed header of its format; the same as ``data`` where it has none.
    """

    data: bytes
    bare: bytes
    layers: tuple[tuple[str, bytes], ...] = ()
    """Of a layered codec: each layer's name and bytes, in order; what has the same name is the same in all codecs."""
    needs: frozenset[str] | None = None
    """Ids of the decoder's slices that it takes; None: all."""

    @property
    def header_byte(self) -> int:
        """Bytes of fixed format header inside ``data``."""
        return len(self.data) - len(self.bare)

    def needed(self, slices: tuple[Slice, ...]) -> tuple[Slice, ...]:
        """Those of a decoder's slices that it takes."""
        return slices if self.needs is None else tuple(s for s in slices if s.id in self.needs)


@dataclass(frozen=True)
class CodecCard:
    """What a planner knows of a codec for one source type: measured, on images that aren't in the catalogue.

    Args:
        code_byte: mean size of a code.
        ss: population SS where everything arrives unharmed.
        over_snr: (Es/N0 dB, population SS) of ``protection: none``, by ascending SNR, where the model's card has it.
        ss_over_air: of an analog codec: population SS at a mean Es/N0, dB.
    """

    code_byte: float
    ss: float
    n: int
    over_snr: tuple[tuple[float, float], ...] = ()
    ss_over_air: Callable[[float], float] | None = None

    def ss_at(self, mean_esno_db: float | None) -> float:
        """Population SS on a route of this mean Es/N0; None: errors are repaired.

        The model's curve was measured with one variant of its decoder; another one is never better than without errors.
        """
        if mean_esno_db is not None and self.ss_over_air is not None:
            return self.ss_over_air(mean_esno_db)
        if mean_esno_db is None or not self.over_snr:
            return self.ss
        import numpy as np

        snrs, values = zip(*self.over_snr, strict=True)
        return min(self.ss, float(np.interp(mean_esno_db, snrs, values)))


@dataclass(frozen=True)
class Calibration:
    """What a codec gave for each calibration image of a source type; at least one original is recognised.

    Args:
        codes: [N].
        measured: [N], where everything arrived unharmed.
        over_snr, ss_over_air: see :class:`CodecCard`.
    """

    codes: tuple[Code, ...]
    measured: tuple[Measurement, ...]
    over_snr: tuple[tuple[float, float], ...] = ()
    ss_over_air: Callable[[float], float] | None = None

    @cached_property
    def card(self) -> CodecCard:
        ss = population_ss(self.measured)
        code_byte = sum(len(code.data) for code in self.codes) / len(self.codes)
        return CodecCard(code_byte, ss, len(self.codes), self.over_snr, self.ss_over_air)


def population_ss(measured: Sequence[Measurement]) -> float:
    """ΣST(recovered)/ΣST(original)."""
    return sum(m.score_recovered for m in measured) / sum(m.score_original for m in measured)


@dataclass(eq=False)
class CodecProfile:
    """A codec as the network sees it: sizes, costs, slices; no tensors' meaning."""

    name: str
    codec: Codec
    plane: SignalPlane
    _calibrations: dict[str, Calibration] = field(default_factory=dict)
    _mixed: dict[tuple[str, str], CodecCard | None] = field(default_factory=dict)

    @cached_property
    def decoder_slices(self) -> tuple[Slice, ...]:
        return in_dependency_order(self.codec.decoder_slices)

    @cached_property
    def encoder_slices(self) -> tuple[Slice, ...]:
        return in_dependency_order(self.codec.encoder_slices)

    @property
    def by_content(self) -> bool:
        return self.codec.by_content

    @cached_property
    def analog(self) -> Analog | None:
        return self.codec.analog

    @cached_property
    def encode_flop(self) -> float:
        return self._flop("encode_flop", self.codec.encode_flop)

    @cached_property
    def decode_flop(self) -> float:
        return self._flop("decode_flop", self.codec.decode_flop)

    def _flop(self, which: str, flop: object) -> float:
        """Checked: with negative ones, time would run backward.

        Raises:
            PluginError: no number that is finite and at least 0.
        """
        if not isinstance(flop, bool) and isinstance(flop, Real) and 0.0 <= float(flop) < math.inf:
            return float(flop)
        where = f"{inspect.getsourcefile(type(self.codec))}: codec plug-in {self.codec.name!r}"
        raise PluginError(f"{where}: {which}: got {flop!r}; allowed: a number >= 0 and finite")

    def card(self, source_type: str) -> CodecCard:
        """The codec's card for a source type."""
        return self.calibration(source_type).card

    @property
    def cards(self) -> dict[str, CodecCard]:
        """Source type -> card, of those that were asked for."""
        return {source_type: found.card for source_type, found in self._calibrations.items()}

    def other_version(self, other: CodecProfile) -> bool:
        """Whether another codec's decoder consists of the same slices in another version."""
        own, theirs = self.decoder_slices, other.decoder_slices
        names_match = [s.name for s in own] == [s.name for s in theirs]
        return names_match and [s.version for s in own] != [s.version for s in theirs]

    def mixed_card(self, source_type: str, decoder: CodecProfile) -> CodecCard | None:
        """Its card where another version's decoder decodes, measured when first asked for; None: that can't."""
        key = source_type, decoder.name
        if key not in self._mixed:
            measured = self.plane.calibrate(self.codec, source_type, decoder.codec)
            self._mixed[key] = None if measured is None else replace(measured.card, over_snr=())
        return self._mixed[key]

    def calibration(self, source_type: str) -> Calibration:
        """What it gives for a source type's calibration images, measured when first asked for; a surrogate's are those
        of the type that it is like."""
        like = self.plane.surrogates.like(source_type)
        if like not in self._calibrations:
            measured = self.plane.calibrate(self.codec, like)
            assert measured is not None  # it can decode what it encodes
            self._calibrations[like] = measured
        return self._calibrations[like]
