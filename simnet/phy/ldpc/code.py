"""What a block code is to encoder, chain and decoder."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from simnet.phy.ldpc.parity_check import ParityCheck


class Code(Protocol):
    """A systematic binary linear code: a codeword begins with its k information bits.

    Attributes:
        n: codeword length in bits.
        k: information bits.
        parity: H, for the decoder.
    """

    n: int
    k: int
    parity: ParityCheck

    def encode(self, bits: Tensor) -> Tensor:
        """Codewords [B, n] uint8 of information bits [B, k] uint8, on the bits' device."""
        ...


class RateMatchedCode(Protocol):
    """A code with shortened, punctured or repeated bits: what goes on the air, and what the decoder sees of it.

    Attributes:
        k: information bits.
        n: bits sent.
        mother: the code of encoder and decoder, with mother.k ≥ k.
    """

    k: int
    n: int
    mother: Code

    def encode(self, bits: Tensor) -> Tensor:
        """Bits to send, [B, n] uint8, of information bits [B, k] uint8."""
        ...

    def recover(self, llr: Tensor) -> Tensor:
        """LLRs [B, mother.n] for the decoder of received LLRs [B, n]: sums where a bit was sent more than once, 0 where
        it was not sent, large and positive where it is known to be 0."""
        ...
