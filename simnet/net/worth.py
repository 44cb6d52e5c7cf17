"""What SS a slice adds: for stores that keep what serves the most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from simnet.signal.plane import CodecProfile


class SliceWorth:
    """worth(slice) = max over codecs c that need it, and their source types t, of SS(c, t) − SS₀(t), at least 0.

    SS(c, t) is the population SS on the codec's card, SS₀(t) the highest of t's codecs that need no slice, 0 if there
    is none. A codec that needs several slices counts fully for each: without any one of them it decodes nothing.

    Args:
        codecs: source type -> the codecs that an arm's owners may use.
    """

    def __init__(self, codecs: Mapping[str, Sequence[CodecProfile]]) -> None:
        self._codecs = codecs
        self._needing: dict[str, list[tuple[CodecProfile, str]]] = {}
        for source_type, allowed in codecs.items():
            for codec in allowed:
                for slice_ in codec.decoder_slices:
                    self._needing.setdefault(slice_.id, []).append((codec, source_type))
        self._known: dict[str, float] = {}

    def of(self, slice_id: str) -> float:
        """SS in [0, 1]; 0 for a slice that no codec needs."""
        if slice_id not in self._known:
            gains = (codec.card(t).ss - self._without(t) for codec, t in self._needing.get(slice_id, ()))
            self._known[slice_id] = max((0.0, *gains))
        return self._known[slice_id]

    def _without(self, source_type: str) -> float:
        """SS₀: what any node can decode."""
        free = (codec for codec in self._codecs[source_type] if not codec.decoder_slices)
        return max((codec.card(source_type).ss for codec in free), default=0.0)
