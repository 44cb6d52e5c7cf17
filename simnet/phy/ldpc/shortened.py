"""Shortening: the last information bits of a mother code are 0 and are not sent."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from simnet.core.errors import SimnetError
from simnet.phy.ldpc.code import Code
from simnet.phy.ldpc.ieee80216e import CODEWORD_LENGTHS, ieee80216e

KNOWN_ZERO_LLR = 1e4
"""LLR of a bit that is surely 0. Beyond what check messages add up to, so the bit keeps its value; small enough that
float32 resolves 0.001 beside it, so a message that is added to it and taken away again is still there (beside 1e30 it
would be lost). The integer decoder clips it at its largest."""


class ShortenedCode:
    """A mother code of which ``k`` information bits are used.

    Args:
        mother: the code.
        k: information bits, 1 … mother.k; the mother's last mother.k − k are 0 and not sent.

    Raises:
        SimnetError: the mother has no such number of information bits.
    """

    def __init__(self, mother: Code, k: int) -> None:
        if not 1 <= k <= mother.k:
            raise SimnetError(f"shortened LDPC code: got k = {k} bit; allowed 1 ... {mother.k}, as its mother code has")
        self.k = k
        self.mother = mother
        self.n = mother.n - (mother.k - k)

    def encode(self, bits: Tensor) -> Tensor:
        """Bits to send, [B, n] uint8, of information bits [B, k] uint8."""
        filled = torch.cat((bits, bits.new_zeros((len(bits), self.mother.k - self.k))), dim=1)
        codewords = self.mother.encode(filled)
        return torch.cat((bits, codewords[:, self.mother.k :]), dim=1)

    def recover(self, llr: Tensor) -> Tensor:
        """LLRs [B, mother.n] of received LLRs [B, n]; those of the bits that are 0 are :data:`KNOWN_ZERO_LLR`."""
        zeros = llr.new_full((len(llr), self.mother.k - self.k), KNOWN_ZERO_LLR)
        return torch.cat((llr[:, : self.k], zeros, llr[:, self.k :]), dim=1)


@cache
def ieee80216e_shortened(k: int, rate: str = "1/2") -> ShortenedCode:
    """The shortest code of IEEE 802.16e at ``rate`` that holds ``k`` information bits, shortened to them; built once.

    Raises:
        UnknownName: no such rate.
        SimnetError: k is below 1, or even the longest code is too short.
    """
    longest = ieee80216e(CODEWORD_LENGTHS[-1], rate)
    if k > longest.k:
        raise SimnetError(
            f"block of {k} bit: IEEE 802.16e at rate {rate} holds {longest.k} at most; cut it into smaller blocks"
        )
    n = next(n for n in CODEWORD_LENGTHS if k * longest.n <= n * longest.k)
    return ShortenedCode(ieee80216e(n, rate), k)
