"""Belief propagation for any binary parity-check matrix, batched over codewords, with early stopping per codeword."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from simnet.core.errors import SimnetError
from simnet.phy.ldpc import int8
from simnet.phy.ldpc.parity_check import ParityCheck
from simnet.phy.ldpc.torch_decoder import Int8MinSum, MinSum, Rule, SumProduct, iterate

_FEW = 16
"""Up to so many codewords the compiled kernel uses few lanes: a lone codeword costs as much as all lanes."""
_LANES = {"float32": ((0,) * 16, (0,) * 32), "int8": ((0,) * 64, (0,) * 64)}
"""(few, many) codewords side by side, as the length of a tuple: the fastest, as measured."""


@dataclass(frozen=True)
class DecoderSettings:
    """How to decode.

    Attributes:
        rule: check-node rule. ``min_sum`` is normalised by ``alpha`` and offset by ``beta``.
        schedule: ``layered`` uses a layer's news at once, ``flooding`` at the next iteration.
        alpha: factor on the messages of ``min_sum``, in (0, 1]; ``int8`` rounds it to sixteenths.
        beta: LLR that the messages of ``min_sum`` lose after that, ≥ 0; ``int8`` rounds it to its steps.
        max_iterations: iterations after which a codeword is given up, ≥ 1.
        early_stopping: a codeword is done once its checks hold; else all iterations are run.
        arithmetic: ``float32``, or ``int8`` for saturating integers (``min_sum`` only).
    """

    rule: Literal["min_sum", "sum_product"] = "min_sum"
    schedule: Literal["layered", "flooding"] = "layered"
    alpha: float = 0.8
    beta: float = 0.0
    max_iterations: int = 20
    early_stopping: bool = True
    arithmetic: Literal["float32", "int8"] = "float32"

    def __post_init__(self) -> None:
        if self.max_iterations < 1:
            raise SimnetError(f"LDPC decoder max_iterations: got {self.max_iterations}; allowed 1 or more")
        if not 0.0 < self.alpha <= 1.0:
            raise SimnetError(f"LDPC decoder alpha: got {self.alpha}; allowed above 0, at most 1")
        if not self.beta >= 0.0:
            raise SimnetError(f"LDPC decoder beta: got {self.beta}; allowed 0 or more")
        if self.arithmetic == "int8" and self.rule != "min_sum":
            raise SimnetError(f"LDPC decoder arithmetic 'int8' with rule {self.rule!r}: allowed 'min_sum'")

    @property
    def int8_alpha(self) -> int:
        """``alpha`` in sixteenths, as the integer decoder uses it."""
        return max(1, round(self.alpha * int8.ALPHA_STEPS))

    @property
    def int8_beta(self) -> int:
        """``beta`` in LLR steps, as the integer decoder uses it."""
        return min(int8.LARGEST, round(self.beta / int8.LLR_STEP))


@dataclass(frozen=True)
class Decoded:
    """What a decoder found.

    Attributes:
        bits: [B, n] uint8 codeword decisions.
        iterations: [B] int32, iterations run, 1 … max_iterations.
        unsatisfied: [B] int32, weight of the syndrome H·bits: checks that the decision breaks.
        llr: [B, n] float32 posterior LLRs, if they were asked for.
    """

    bits: Tensor
    iterations: Tensor
    unsatisfied: Tensor
    llr: Tensor | None = None

    @property
    def converged(self) -> Tensor:
        """[B] bool: every check holds."""
        return self.unsatisfied == 0


class LdpcDecoder:
    """Decoder of one parity-check matrix.

    Args:
        parity: the matrix.
        settings: rule, schedule, limits.
        device: torch device of the LLRs, ``"cpu"`` or ``"cuda"``.
        compiled: use the compiled CPU kernel where it applies (layered min-sum on the CPU, numba being installed); its
            results are bit for bit those of the torch code.
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

    def decode(self, llr: Tensor, *, soft: bool = False) -> Decoded:
        """Decisions for LLRs [B, n], float32 or float64 and finite, on the decoder's device; with LLRs if ``soft``.

        Raises:
            SimnetError: the LLRs have another shape.
        """
        if llr.ndim != 2 or llr.shape[1] != self._parity.n:
            raise SimnetError(f"LDPC decoder: got LLRs of shape {tuple(llr.shape)}; need [B, {self._parity.n}]")
        if self._compiled and llr.dtype == torch.float32:
            return self._decode_compiled(llr, soft)
        return Decoded(*iterate(self._rule(), self._layers, self.settings, llr, soft=soft))

    def _rule(self) -> Rule:
        if self.settings.rule == "sum_product":
            return SumProduct()
        if self.settings.arithmetic == "int8":
            return Int8MinSum(self.settings.int8_alpha, self.settings.int8_beta)
        return MinSum(self.settings.alpha, self.settings.beta)

    def _decode_compiled(self, llr: Tensor, soft: bool) -> Decoded:
        from simnet.phy.ldpc.kernel import decode_min_sum, flat_checks

        if not hasattr(self, "_flat"):
            self._flat = flat_checks(self._parity)
        settings, n_codewords = self.settings, len(llr)
        decided = torch.empty(llr.shape, dtype=torch.uint8)
        posterior = torch.empty((n_codewords if soft else 0, self._parity.n))
        iterations, unsatisfied = (torch.empty(n_codewords, dtype=torch.int32) for _ in range(2))
        integer = settings.arithmetic == "int8"
        decode_min_sum(
            llr.contiguous().numpy(),
            *self._flat,
            np.int16(settings.int8_alpha) if integer else np.float32(settings.alpha),
            np.int8(settings.int8_beta) if integer else np.float32(settings.beta),
            settings.max_iterations,
            settings.early_stopping,
            _LANES[settings.arithmetic][n_codewords > _FEW],
            np.zeros(1, np.int8 if integer else np.float32),
            np.zeros(1, np.int8 if integer else np.int32),
            decided.numpy(),
            posterior.numpy(),
            iterations.numpy(),
            unsatisfied.numpy(),
        )
        return Decoded(decided, iterations, unsatisfied, posterior if soft else None)
