"""Bit errors of blocks, with an interval that heeds how they cluster."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from simnet.statistics.rate import wilson_interval


@dataclass(frozen=True)
class BitCount:
    """Bits sent in equal blocks, and the wrong ones.

    Attributes:
        blocks: sent.
        bits: sent.
        errors: wrong bits.
        squares: sum over the blocks of (wrong bits of the block)².
        wrong_blocks: blocks with a wrong bit.
        trials: what of all this is independent, if no bit is wrong: blocks, or symbols without memory.
    """

    blocks: int = 0
    bits: int = 0
    errors: int = 0
    squares: int = 0
    wrong_blocks: int = 0
    trials: int = 0

    @classmethod
    def of(cls, wrong_bits: NDArray[np.int64], bits_per_block: int, trials_per_block: int = 1) -> BitCount:
        """The count of blocks with so many wrong bits each, [B]."""
        n = len(wrong_bits)
        return cls(
            n,
            n * bits_per_block,
            int(wrong_bits.sum()),
            int((wrong_bits**2).sum()),
            int((wrong_bits > 0).sum()),
            n * trials_per_block,
        )

    def __add__(self, other: BitCount) -> BitCount:
        return BitCount(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))

    @property
    def rate(self) -> float:
        """Bit error rate."""
        return self.errors / self.bits

    @property
    def design_effect(self) -> float:
        """Variance of the bit error rate over that of as many independent bits, 1 or more; as the blocks tell it.

        L. Kish, "Survey Sampling", 1965, 5.4 and 8.2.
        """
        rate = self.rate
        if self.blocks < 2 or not 0.0 < rate < 1.0:
            return 1.0
        mean = self.errors / self.blocks
        variance = (self.squares - self.blocks * mean**2) / (self.blocks - 1)
        return max(1.0, variance / (self.bits / self.blocks * rate * (1.0 - rate)))

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the bit error rate: Wilson's, of as many bits as independent ones would tell the same."""
        if self.errors == 0:
            return wilson_interval(0, self.trials)
        effect = self.design_effect
        return wilson_interval(self.errors / effect, self.bits / effect)
