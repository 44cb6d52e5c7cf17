"""What a digital chain is made of: encoder, modulator, demodulator, decoder."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor

from simnet.phy.blocks import BlockFormat


class Backend(ABC):
    """One implementation of the coded link's four steps; tensors live on its ``device``."""

    device: str
    chunk: int
    """Blocks that channel and demodulator see at once. Fixed and filled up, so that a block's LLRs do not depend on
    its neighbours: the last bits of exp and log can depend on an array's shape and on the place in it."""
    silent_llr = 0.0
    """An LLR of this size or less is 0 to the decoder."""

    @abstractmethod
    def encode(self, bits: Tensor, block_format: BlockFormat) -> Tensor:
        """Bits to send, [B, coded_bits] uint8, of information bits [B, k] uint8."""

    @abstractmethod
    def modulate(self, bits: Tensor, bits_per_symbol: int) -> Tensor:
        """Symbols [B, S] complex64 of unit mean energy of bits [B, S·bits_per_symbol] uint8."""

    @abstractmethod
    def demodulate(self, symbols: Tensor, noise_variance: Tensor, bits_per_symbol: int) -> Tensor:
        """LLRs [B, S·bits_per_symbol] float32 of equalised symbols [B, S] with noise variance [B, 1] or [B, S]."""

    @abstractmethod
    def decode(self, llr: Tensor, block_format: BlockFormat) -> tuple[Tensor, list[int | None]]:
        """Information bits [B, k] uint8 of LLRs [B, coded_bits], and the iterations of each, None where unknown."""
