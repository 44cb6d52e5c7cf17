"""The batched backend: LDPC codes of IEEE 802.16e and 5G NR or none, Gray QAM, layered min-sum, on CPU or GPU."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from simnet.phy import qam
from simnet.phy.backend import Backend
from simnet.phy.blocks import BlockFormat
from simnet.phy.families import block_code
from simnet.phy.ldpc import int8
from simnet.phy.ldpc.code import RateMatchedCode
from simnet.phy.ldpc.decoder import DecoderSettings, LdpcDecoder
from simnet.phy.llr import hard_decision

_CHUNK = {"cpu": 16, "cuda": 1024}
"""Blocks per chunk and kind of device: small enough that a lone block is cheap on a CPU, large enough for a GPU."""


class NativeBackend(Backend):
    """simnet's own PHY.

    Demapping goes by chunks of fixed shape; encoder and min-sum decoder use exactly rounded operations only, so their
    results do not depend on the shape.

    Args:
        device: torch device.
        settings: the decoder's.
        code: gives the code of a block format.
    """

    def __init__(
        self,
        device: str = "cpu",
        settings: DecoderSettings | None = None,
        code: Callable[[BlockFormat], RateMatchedCode] = block_code,
    ) -> None:
        self.device = device
        self.chunk = _CHUNK[torch.device(device).type]
        self.settings = settings or DecoderSettings()
        self.silent_llr = int8.LLR_STEP / 2 if self.settings.arithmetic == "int8" else 0.0
        self._code = code
        self._decoders: dict[RateMatchedCode, LdpcDecoder] = {}

    def encode(self, bits: Tensor, block_format: BlockFormat) -> Tensor:
        if block_format.mcs.rate == 1:
            return bits
        return self._code(block_format).encode(bits)

    def modulate(self, bits: Tensor, bits_per_symbol: int) -> Tensor:
        return qam.modulate(bits, bits_per_symbol)

    def demodulate(self, symbols: Tensor, noise_variance: Tensor, bits_per_symbol: int) -> Tensor:
        return qam.demodulate(symbols, noise_variance, bits_per_symbol)

    def decode(self, llr: Tensor, block_format: BlockFormat) -> tuple[Tensor, list[int | None]]:
        if block_format.mcs.rate == 1:
            return hard_decision(llr), [None] * len(llr)
        code = self._code(block_format)
        if code not in self._decoders:
            self._decoders[code] = LdpcDecoder(code.mother.parity, self.settings, self.device)
        decoded = self._decoders[code].decode(code.recover(llr))
        return decoded.bits[:, : code.k], list(decoded.iterations.tolist())
