"""How wishes spread over many source types: running sums that all consumers share, and each one's few exceptions."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate

Tide = tuple[float, float]
"""(strength, phase): type i of n weighs 1 + strength · cos 2π(phase − i/n) times as much."""
STILL: Tide = (0.0, 0.0)


class TypeShares:
    """Draws a source type i with P(i) ∝ (level · weight_i + extra_i) · tide_i, in O(log n · number of extras).

    The tide needs no list per time either: cos(a − b) = cos a · cos b + sin a · sin b, so that its running sums are
    those of weight_i · cos 2πi/n and of weight_i · sin 2πi/n.

    Args:
        weights: [n] ≥ 0, of the types in their order.
    """

    def __init__(self, weights: Sequence[float]) -> None:
        n = len(weights)
        self.weights = weights
        self._sums = array("d", accumulate(weights))  # searched for every wish: side by side in memory
        self._cosines = list(accumulate(w * math.cos(2.0 * math.pi * i / n) for i, w in enumerate(weights)))
        self._sines = list(accumulate(w * math.sin(2.0 * math.pi * i / n) for i, w in enumerate(weights)))

    @property
    def total(self) -> float:
        return self._sums[-1]

    def pick(self, share: float, level: float, extras: Mapping[int, float], tide: Tide = STILL) -> int:
        """The type at ``share``, uniform in (0, 1), of the whole.

        Args:
            extras: type -> what is added to level · weight; may be negative down to −level · weight.
        """
        strength, phase = tide
        if not strength:
            return self._pick_still(share, level, extras)
        cosine, sine = strength * math.cos(2.0 * math.pi * phase), strength * math.sin(2.0 * math.pi * phase)
        added = [(i, extra * self.tide_of(i, tide)) for i, extra in extras.items()]

        def sum_to(i: int) -> float:
            base = self._sums[i] + cosine * self._cosines[i] + sine * self._sines[i]
            return level * base + sum(extra for j, extra in added if j <= i)

        n = len(self.weights)
        return min(bisect_right(range(n), share * sum_to(n - 1), key=sum_to), n - 1)

    def _pick_still(self, share: float, level: float, extras: Mapping[int, float]) -> int:
        """The first type up to which there is more than is wanted: a search between two neighbouring extras."""
        wanted = share * (level * self._sums[-1] + sum(extras.values()))
        before, first, n = 0.0, 0, len(self.weights)
        for i in sorted(extras):
            index = self._search(wanted, before, level, first, i)
            if index < i:
                return index
            before, first = before + extras[i], i
        return min(self._search(wanted, before, level, first, n), n - 1)

    def _search(self, wanted: float, before: float, level: float, first: int, end: int) -> int:
        """From ``first`` to ``end``, where ``before`` comes on top of the weights."""
        if level > 0.0:
            return bisect_right(self._sums, (wanted - before) / level, lo=first, hi=end)
        return first if wanted < before else end

    def tide_of(self, index: int, tide: Tide) -> float:
        """The factor of one type."""
        strength, phase = tide
        return 1.0 + strength * math.cos(2.0 * math.pi * (phase - index / len(self.weights))) if strength else 1.0
