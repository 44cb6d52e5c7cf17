"""The batched backend in torch: IEEE 802.16e codes, Gray QAM, layered min-sum, on CPU or GPU."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from simnet.phy import qam
from simnet.phy.backend import Backend
from simnet.phy.ldpc.code import Code
from simnet.phy.ldpc.decoder import DecoderSettings, LdpcDecoder
from simnet.phy.ldpc.ieee80216e import ieee80216e

_CHUNK = {"cpu": 16, "cuda": 1024}
"""Blocks per chunk and kind of device: small enough that a lone block is cheap on a CPU, large enough for a GPU."""


class NativeBackend(Backend):
    """simnet's own PHY.

    Demapping goes by chunks of fixed shape; encoder and min-sum decoder use exactly rounded operations only, so their
    results do not depend on the shape.

    Args:
        device: torch device.
        settings: the decoder's.
        code: gives the code of a codeword length.
    """

    def __init__(
        self,
        device: str = "cpu",
        settings: DecoderSettings | None = None,
        code: Callable[[int], Code] = ieee80216e,
    ) -> None:
        self.device = device
        self.chunk = _CHUNK[torch.device(device).type]
        self.settings = settings or DecoderSettings()
        self._code = code
        self._decoders: dict[int, LdpcDecoder] = {}

    def encode(self, bits: Tensor) -> Tensor:
        return self._code(2 * bits.shape[1]).encode(bits)

    def modulate(self, bits: Tensor, bits_per_symbol: int) -> Tensor:
        return qam.modulate(bits, bits_per_symbol)

    def demodulate(self, symbols: Tensor, noise_variance: Tensor, bits_per_symbol: int) -> Tensor:
        return qam.demodulate(symbols, noise_variance, bits_per_symbol)

    def decode(self, llr: Tensor) -> tuple[Tensor, list[int | None]]:
        n = llr.shape[1]
        if n not in self._decoders:
            self._decoders[n] = LdpcDecoder(self._code(n).parity, self.settings, self.device)
        decoded = self._decoders[n].decode(llr)
        return decoded.bits, list(decoded.iterations.tolist())
