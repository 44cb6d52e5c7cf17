"""Belief propagation for any binary parity-check matrix, batched over codewords, with early stopping per codeword."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

import torch
from torch import Tensor

from simnet.core.errors import SimnetError
from simnet.phy.ldpc.parity_check import ParityCheck
from simnet.phy.llr import hard_decision

_CERTAIN = 1e30
"""LLR of the filler bit of irregular layers: surely 0, so it changes no check."""

_FEW_LANES, _MANY_LANES = 16, 64
"""Codewords that the compiled kernel decodes side by side: the fastest for a handful and for many, as measured."""


@dataclass(frozen=True)
class DecoderSettings:
    """How to decode.

    Attributes:
        rule: check-node rule; ``min_sum`` is the normalised one.
        schedule: ``layered`` uses a layer's news at once, ``flooding`` at the next iteration.
        alpha: factor on the messages of ``min_sum``.
        max_iterations: iterations after which a codeword is given up, ≥ 1.
    """

    rule: Literal["min_sum", "sum_product"] = "min_sum"
    schedule: Literal["layered", "flooding"] = "layered"
    alpha: float = 0.8
    max_iterations: int = 20

    def __post_init__(self) -> None:
        if self.max_iterations < 1:
            raise SimnetError(f"LDPC decoder max_iterations: got {self.max_iterations}; allowed 1 or more")


@dataclass(frozen=True)
class Decoded:
    """What a decoder found.

    Attributes:
        bits: [B, n] uint8 codeword decisions.
        converged: [B] bool, every check holds.
        iterations: [B] int32, iterations run, 1 … max_iterations.
    """

    bits: Tensor
    converged: Tensor
    iterations: Tensor


class LdpcDecoder:
    """Decoder of one parity-check matrix.

    Args:
        parity: the matrix.
        settings: rule, schedule, limits.
        device: torch device of the LLRs, ``"cpu"`` or ``"cuda"``.
        compiled: use the compiled CPU kernel where it applies (layered min-sum in float32 on the CPU, numba being
            installed); its results are bit for bit those of the torch code.
    """

    def __init__(
        self,
        parity: ParityCheck,
        settings: DecoderSettings | None = None,
        device: str | torch.device = "cpu",
        *,
        compiled: bool = True,
    ) -> None:
        self.settings = settings or DecoderSettings()
        self._parity = parity
        self._layers = [torch.from_numpy(layer.T.copy()).to(device) for layer in parity.layers]
        self._compiled = (
            compiled
            and find_spec("numba") is not None
            and torch.device(device).type == "cpu"
            and self.settings.rule == "min_sum"
            and self.settings.schedule == "layered"
        )

    def decode(self, llr: Tensor) -> Decoded:
        """Decisions for LLRs [B, n], float32 or float64, on the decoder's device."""
        if llr.ndim != 2 or llr.shape[1] != self._parity.n:
            raise SimnetError(f"LDPC decoder: got LLRs of shape {tuple(llr.shape)}; need [B, {self._parity.n}]")
        if self._compiled and llr.dtype == torch.float32:
            return self._decode_compiled(llr)
        return self._decode_torch(llr)

    def _decode_compiled(self, llr: Tensor) -> Decoded:
        import numpy as np

        from simnet.phy.ldpc.kernel import decode_min_sum, flat_checks

        if not hasattr(self, "_flat"):
            self._flat = flat_checks(self._parity)
        decoded = Decoded(
            bits=torch.empty(llr.shape, dtype=torch.uint8),
            converged=torch.empty(len(llr), dtype=torch.bool),
            iterations=torch.empty(len(llr), dtype=torch.int32),
        )
        decode_min_sum(
            llr.contiguous().numpy(),
            *self._flat,
            np.float32(self.settings.alpha),
            self.settings.max_iterations,
            _MANY_LANES if len(llr) > _FEW_LANES else _FEW_LANES,
            decoded.bits.numpy(),
            decoded.iterations.numpy(),
            decoded.converged.numpy(),
        )
        return decoded

    def _decode_torch(self, llr: Tensor) -> Decoded:
        n_codewords, n = llr.shape
        decoded = Decoded(
            bits=torch.empty((n_codewords, n), dtype=torch.uint8, device=llr.device),
            converged=torch.zeros(n_codewords, dtype=torch.bool, device=llr.device),
            iterations=torch.full((n_codewords,), self.settings.max_iterations, dtype=torch.int32, device=llr.device),
        )
        # Codewords in the last dimension, so that gathering a bit's row copies contiguous memory.
        filler = llr.new_full((1, n_codewords), _CERTAIN)
        channel = torch.cat((llr.T, filler))
        posterior = channel.clone()
        messages = [llr.new_zeros((*layer.shape, n_codewords)) for layer in self._layers]
        active = torch.arange(n_codewords, device=llr.device)
        for iteration in range(1, self.settings.max_iterations + 1):
            posterior = self._iterate(channel, posterior, messages)
            bits = hard_decision(posterior)
            converged = self._is_codeword(bits)
            leaving = converged if iteration < self.settings.max_iterations else torch.ones_like(converged)
            if not bool(leaving.any()):
                continue
            decoded.bits[active[leaving]] = bits[:n, leaving].T
            decoded.converged[active[leaving]] = converged[leaving]
            decoded.iterations[active[leaving]] = iteration
            staying = ~leaving
            active = active[staying]
            if len(active) == 0:
                break
            channel, posterior = channel[:, staying], posterior[:, staying]
            messages = [message[..., staying] for message in messages]
        return decoded

    def _iterate(self, channel: Tensor, posterior: Tensor, messages: list[Tensor]) -> Tensor:
        """One iteration: updates ``messages`` in place and returns the posteriors [n + 1, B]."""
        layered = self.settings.schedule == "layered"
        updated = posterior if layered else channel.clone()
        for index, layer in enumerate(self._layers):
            extrinsic = posterior[layer] - messages[index]
            messages[index] = self._check_messages(extrinsic)
            base = extrinsic if layered else updated[layer]
            updated[layer] = base + messages[index]
            updated[-1] = _CERTAIN
        return updated

    def _check_messages(self, extrinsic: Tensor) -> Tensor:
        """Messages of checks to bits, [degree, checks, B] like ``extrinsic``, the messages of bits to checks."""
        if self.settings.rule == "min_sum":
            return _min_sum(extrinsic, self.settings.alpha)
        return _sum_product(extrinsic)

    def _is_codeword(self, bits: Tensor) -> Tensor:
        """[B] bool: all checks of hard decisions ``bits`` [n + 1, B] hold."""
        holds = torch.ones(bits.shape[1], dtype=torch.bool, device=bits.device)
        for layer in self._layers:
            holds &= (bits[layer].sum(0, dtype=torch.uint8) & 1).amax(0) == 0
        return holds


def _min_sum(extrinsic: Tensor, alpha: float) -> Tensor:
    """Sign product times alpha times the smallest magnitude among the check's other bits."""
    negative = extrinsic < 0
    size = extrinsic.abs()
    smallest = size.amin(0)
    is_smallest = size == smallest
    second = size.masked_fill(is_smallest, torch.inf).amin(0)
    second = torch.where(is_smallest.sum(0) > 1, smallest, second)
    reply = torch.where(is_smallest, second * alpha, smallest * alpha)
    flips = (negative.sum(0, dtype=torch.uint8) & 1).bool() ^ negative
    return torch.where(flips, -reply, reply)


def _sum_product(extrinsic: Tensor) -> Tensor:
    """2 artanh of the product of tanh(L/2) over the check's other bits, kept below the dtype's infinity."""
    factor = torch.tanh(0.5 * extrinsic)
    ones = torch.ones_like(factor[:1])
    before = torch.cat((ones, factor[:-1])).cumprod(0)
    after = torch.cat((ones, factor[1:].flip(0))).cumprod(0).flip(0)
    limit = 1.0 - torch.finfo(factor.dtype).eps
    return 2.0 * torch.atanh((before * after).clamp(-limit, limit))
