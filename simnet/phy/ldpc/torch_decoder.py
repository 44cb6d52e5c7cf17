"""The decoder in torch, for any device, rule and schedule."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from simnet.phy.ldpc import int8

if TYPE_CHECKING:
    from simnet.phy.ldpc.decoder import DecoderSettings


class Rule(ABC):
    """How a check answers its bits, and the arithmetic of messages."""

    certain: float
    """LLR of the filler bit of irregular layers: surely 0, so it changes no check."""

    @abstractmethod
    def replies(self, extrinsic: Tensor) -> Tensor:
        """Messages of checks to bits, [degree, checks, B] like ``extrinsic``, the messages of bits to checks."""

    def taken(self, llr: Tensor) -> Tensor:
        """LLRs as the messages' numbers."""
        return llr

    def given(self, posterior: Tensor) -> Tensor:
        """The other way round, float32."""
        return posterior.float()

    def difference(self, a: Tensor, b: Tensor) -> Tensor:
        return a - b

    def sum(self, a: Tensor, b: Tensor) -> Tensor:
        return a + b


@dataclass(frozen=True)
class MinSum(Rule):
    """Sign product times (alpha times the smallest magnitude among the check's other bits, less beta, at least 0)."""

    alpha: float
    beta: float
    certain = 1e30

    def replies(self, extrinsic: Tensor) -> Tensor:
        return _smallest_of_others(extrinsic, lambda size: (size * self.alpha - self.beta).clamp(min=0.0))


@dataclass(frozen=True)
class Int8MinSum(Rule):
    """The same in integers that saturate at eight bits, alpha in sixteenths; int16 holds them here."""

    alpha: int
    beta: int
    certain = int8.LARGEST

    def taken(self, llr: Tensor) -> Tensor:
        return (llr / int8.LLR_STEP).round().clamp(-int8.LARGEST, int8.LARGEST).to(torch.int16)

    def given(self, posterior: Tensor) -> Tensor:
        return posterior * int8.LLR_STEP

    def replies(self, extrinsic: Tensor) -> Tensor:
        return _smallest_of_others(extrinsic, self._corrected)

    def _corrected(self, size: Tensor) -> Tensor:
        return ((size.clamp(max=int8.LARGEST_REPLY) * self.alpha + 8 >> 4) - self.beta).clamp(min=0)

    def difference(self, a: Tensor, b: Tensor) -> Tensor:
        return (a - b).clamp(-int8.LARGEST, int8.LARGEST)

    def sum(self, a: Tensor, b: Tensor) -> Tensor:
        return (a + b).clamp(-128, 127)


@dataclass(frozen=True)
class SumProduct(Rule):
    """2 artanh of the product of tanh(L/2) over the check's other bits, kept below the dtype's infinity."""

    certain = 1e30

    def replies(self, extrinsic: Tensor) -> Tensor:
        factor = torch.tanh(0.5 * extrinsic)
        ones = torch.ones_like(factor[:1])
        before = torch.cat((ones, factor[:-1])).cumprod(0)
        after = torch.cat((ones, factor[1:].flip(0))).cumprod(0).flip(0)
        limit = 1.0 - torch.finfo(factor.dtype).eps
        return 2.0 * torch.atanh((before * after).clamp(-limit, limit))


def iterate(
    rule: Rule, layers: list[Tensor], settings: DecoderSettings, llr: Tensor, *, soft: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """Decode LLRs [B, n] over layers [degree, checks] of bits, n being the filler.

    Returns:
        Decisions [B, n] uint8, iterations [B] int32, unsatisfied checks [B] int32, posterior LLRs [B, n] if ``soft``.
    """
    n_codewords, n = llr.shape
    llr = rule.taken(llr)
    decided = torch.empty((n_codewords, n), dtype=torch.uint8, device=llr.device)
    posteriors = torch.empty((n_codewords, n), dtype=llr.dtype, device=llr.device) if soft else None
    iterations = torch.full((n_codewords,), settings.max_iterations, dtype=torch.int32, device=llr.device)
    unsatisfied = torch.zeros(n_codewords, dtype=torch.int32, device=llr.device)
    # Codewords in the last dimension, so that gathering a bit's row copies contiguous memory.
    filler = llr.new_full((1, n_codewords), rule.certain)
    channel = torch.cat((llr.T, filler))
    posterior = channel.clone()
    messages = [llr.new_zeros((*layer.shape, n_codewords)) for layer in layers]
    active = torch.arange(n_codewords, device=llr.device)
    for iteration in range(1, settings.max_iterations + 1):
        last = iteration == settings.max_iterations
        posterior = _one_iteration(rule, layers, settings, channel, posterior, messages)
        if not settings.early_stopping and not last:
            continue
        bits = (posterior < 0).to(torch.uint8)
        broken = _broken_checks(layers, bits)
        leaving = torch.ones_like(broken, dtype=torch.bool) if last else broken == 0
        if not bool(leaving.any()):
            continue
        done = active[leaving]
        decided[done] = bits[:n, leaving].T
        if posteriors is not None:
            posteriors[done] = posterior[:n, leaving].T
        iterations[done] = iteration
        unsatisfied[done] = broken[leaving]
        staying = ~leaving
        active = active[staying]
        if len(active) == 0:
            break
        channel, posterior = channel[:, staying], posterior[:, staying]
        messages = [message[..., staying] for message in messages]
    return decided, iterations, unsatisfied, None if posteriors is None else rule.given(posteriors)


def _one_iteration(
    rule: Rule,
    layers: list[Tensor],
    settings: DecoderSettings,
    channel: Tensor,
    posterior: Tensor,
    messages: list[Tensor],
) -> Tensor:
    """Updates ``messages`` in place and returns the posteriors [n + 1, B]."""
    layered = settings.schedule == "layered"
    updated = posterior if layered else channel.clone()
    for index, layer in enumerate(layers):
        extrinsic = rule.difference(posterior[layer], messages[index])
        messages[index] = rule.replies(extrinsic)
        updated[layer] = rule.sum(extrinsic if layered else updated[layer], messages[index])
        updated[-1] = rule.certain
    return updated


def _broken_checks(layers: list[Tensor], bits: Tensor) -> Tensor:
    """[B] int32: checks that hard decisions ``bits`` [n + 1, B] break."""
    broken = torch.zeros(bits.shape[1], dtype=torch.int32, device=bits.device)
    for layer in layers:
        broken += (bits[layer].sum(0, dtype=torch.uint8) & 1).sum(0, dtype=torch.int32)
    return broken


def _smallest_of_others(extrinsic: Tensor, corrected) -> Tensor:  # type: ignore[no-untyped-def]
    """Min-sum: ``corrected`` smallest size of the other bits, with the product of their signs."""
    negative = extrinsic < 0
    size = extrinsic.abs()
    smallest = size.amin(0)
    is_smallest = size == smallest
    largest = torch.inf if size.is_floating_point() else 127
    second = size.masked_fill(is_smallest, largest).amin(0)
    second = torch.where(is_smallest.sum(0) > 1, smallest, second)
    reply = torch.where(is_smallest, corrected(second), corrected(smallest))
    flips = (negative.sum(0, dtype=torch.uint8) & 1).bool() ^ negative
    return torch.where(flips, -reply, reply)
