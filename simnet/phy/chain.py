"""The digital chain: payload → CRC → LDPC → interleaver → QAM → flat channel, and back by soft demapping and decoding.

IEEE 802.16e sends LDPC words without an interleaver. Here a fixed one deals a word's bits to the symbols: neighbouring
bits stand in neighbouring checks, and those of one 64-QAM symbol share its noise.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from simnet.core.errors import SimnetError, UnknownName
from simnet.core.streams import Name, generator
from simnet.phy import crc, qam
from simnet.phy.backend import Backend
from simnet.phy.blocks import capacity_byte, channel_uses
from simnet.phy.channels import flat as channel
from simnet.phy.ldpc.decoder import DecoderSettings
from simnet.phy.ldpc.ieee80216e import CODEWORD_LENGTHS
from simnet.phy.llr import hard_decision
from simnet.phy.mcs import Mcs
from simnet.phy.native import NativeBackend

_BATCH = 1024
"""Blocks that are decoded together; bounds the memory."""


@dataclass(frozen=True)
class BlockJob:
    """One block to send.

    Attributes:
        payload: at most ``capacity_byte(n)`` bytes; sent with zeros behind it.
        n: codeword length in bits, one of IEEE 802.16e.
        mcs: a coded scheme.
        esno: mean Es/N0, linear: transmit side, before the gain. N0 = 1/esno.
        gain: h of the flat channel, known to the receiver.
        noise_key: seed, then the names that the noise is a function of.
    """

    payload: bytes
    n: int
    mcs: Mcs
    esno: float
    gain: complex
    noise_key: tuple[Name, ...]


@dataclass(frozen=True)
class BlockResult:
    """What the receiver has.

    Attributes:
        ok: the CRC holds.
        payload: as decoded, as long as it was sent; wrong bytes included if not ``ok``.
        iterations: of the decoder; None where a backend does not tell.
    """

    ok: bool
    payload: bytes
    iterations: int | None


@dataclass(frozen=True)
class UncodedJob:
    """A payload to send without code and CRC; attributes as in :class:`BlockJob`, any length."""

    payload: bytes
    mcs: Mcs
    esno: float
    gain: complex
    noise_key: tuple[Name, ...]


class DigitalChain:
    """Sends blocks through the exact physical layer.

    A result is a function of its job alone: not of the other jobs, nor of their order.

    Args:
        backend: ``"native"``, ``"reference"`` (pyldpc and CommPy), or an own one.
        device: torch device of the native backend.
        max_iterations: of the decoder; None is the backend's own choice.

    Raises:
        UnknownName: no such backend.
        SimnetError: no such device, the reference backend's libraries are missing, or it was asked to run on a GPU.
    """

    def __init__(
        self,
        backend: Literal["native", "reference"] | Backend = "native",
        device: str = "cpu",
        max_iterations: int | None = None,
    ) -> None:
        self._backend = backend if isinstance(backend, Backend) else _backend(backend, device, max_iterations)

    def transmit(self, jobs: Sequence[BlockJob]) -> list[BlockResult]:
        """The result of each job, in the jobs' order.

        Raises:
            SimnetError: a job's payload is too long, its length, SNR or gain not allowed.
        """
        alike: dict[tuple[int, int], list[int]] = defaultdict(list)
        for index, job in enumerate(jobs):
            _check(job)
            alike[job.n, job.mcs.bits_per_symbol].append(index)
        results: dict[int, BlockResult] = {}
        for indices in alike.values():
            for batch in _slices(indices, _BATCH):
                results.update(zip(batch, self._transmit_batch([jobs[i] for i in batch]), strict=True))
        return [results[index] for index in range(len(jobs))]

    def transmit_uncoded(self, jobs: Sequence[UncodedJob]) -> list[bytes]:
        """The payload of each job as received, bit errors included, in the jobs' order."""
        return [_transmit_uncoded(job) for job in jobs]

    def _transmit_batch(self, jobs: Sequence[BlockJob]) -> list[BlockResult]:
        """Results of jobs of one codeword length and modulation."""
        n, bits_per_symbol = jobs[0].n, jobs[0].mcs.bits_per_symbol
        device = self._backend.device
        messages = np.zeros((len(jobs), capacity_byte(n)), dtype=np.uint8)
        for row, job in zip(messages, jobs, strict=True):
            row[: len(job.payload)] = np.frombuffer(job.payload, dtype=np.uint8)
        info = torch.from_numpy(np.unpackbits(crc.attach(messages), axis=1)).to(device)
        flips, order, inverse_order = (torch.from_numpy(each).to(device) for each in _scrambling(n))
        codewords = self._backend.encode(info)
        symbols = self._backend.modulate((codewords ^ flips)[:, order], bits_per_symbol)
        rows = _slices(range(len(jobs)), self._backend.chunk)
        llr = torch.cat([self._soft_bits(symbols[chunk], [jobs[i] for i in chunk]) for chunk in rows])
        decided, iterations = self._backend.decode(llr[:, inverse_order] * (1.0 - 2.0 * flips))
        decoded = np.packbits(decided[:, : info.shape[1]].cpu().numpy(), axis=1)
        return [
            BlockResult(bool(ok), row[: len(job.payload)].tobytes(), n_iterations)
            for job, ok, row, n_iterations in zip(jobs, crc.verify(decoded), decoded, iterations, strict=True)
        ]

    def _soft_bits(self, symbols: Tensor, jobs: Sequence[BlockJob]) -> Tensor:
        """LLRs [B, n] of symbols [B, S] sent over each job's channel; filled up to the backend's chunk in between."""
        shape = (self._backend.chunk, symbols.shape[1])
        sent = symbols.new_zeros(shape)
        noise = torch.zeros(shape, dtype=torch.complex64)
        fill = [1.0] * (shape[0] - len(jobs))
        gain = torch.tensor([job.gain for job in jobs] + fill, dtype=torch.complex64)
        noise_variance = torch.tensor([1.0 / job.esno for job in jobs] + fill, dtype=torch.float32)
        sent[: len(jobs)] = symbols
        for row, job in enumerate(jobs):
            noise[row] = torch.from_numpy(channel.complex_noise(job.noise_key, shape[1]))
        noise, gain, noise_variance = (each.to(sent.device) for each in (noise, gain, noise_variance))
        received = channel.pass_through(sent, gain, noise_variance, noise)
        equalised = channel.equalise(received, gain, noise_variance)
        bits_per_symbol = jobs[0].mcs.bits_per_symbol
        return self._backend.demodulate(*equalised, bits_per_symbol)[: len(jobs)]


def _backend(name: str, device: str, max_iterations: int | None) -> Backend:
    if name == "native":
        if device not in ("cpu", "cuda") or (device == "cuda" and not torch.cuda.is_available()):
            allowed = "'cpu' or 'cuda'" if torch.cuda.is_available() else "'cpu' (torch finds no CUDA GPU here)"
            raise SimnetError(f"PHY device: got {device!r}; allowed {allowed}")
        settings = DecoderSettings()
        if max_iterations is not None:
            settings = replace(settings, max_iterations=max_iterations)
        return NativeBackend(device, settings)
    if name == "reference":
        from simnet.phy.reference import ReferenceBackend

        if device != "cpu":
            raise SimnetError(f"PHY backend 'reference' on device {device!r}: allowed 'cpu', or choose 'native'")
        return ReferenceBackend() if max_iterations is None else ReferenceBackend(max_iterations)
    raise UnknownName("PHY backend", name, ("native", "reference"))


def _check(job: BlockJob) -> None:
    if job.n not in CODEWORD_LENGTHS:
        raise SimnetError(f"block of {job.n} bit: allowed codeword lengths are 576, 672, ... 2304 (IEEE 802.16e)")
    if len(job.payload) > capacity_byte(job.n):
        raise SimnetError(
            f"block of {job.n} bit: got a payload of {len(job.payload)} byte; allowed 0 to {capacity_byte(job.n)}; "
            "cut it with simnet.phy.blocks.split"
        )
    _check_channel(job.esno, job.gain)


def _check_channel(esno: float, gain: complex) -> None:
    if not (0.0 < esno < math.inf):
        raise SimnetError(f"channel Es/N0 (linear): got {esno}; allowed above 0 and finite")
    if not (math.isfinite(gain.real) and math.isfinite(gain.imag)):
        raise SimnetError(f"channel gain: got {gain}; allowed any finite complex number")


def _slices(items: Sequence[int], size: int) -> list[Sequence[int]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


@cache
def _scrambling(n: int) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """What is done to every codeword of n bits, each [n]: bits added, order of sending, and that order's inverse.

    The added bits give constant payloads the error rate of random ones.
    """
    flips = generator(0, "scrambling", n).integers(0, 2, n, dtype=np.uint8)
    order = generator(0, "interleaving", n).permutation(n)
    return flips, order, np.argsort(order)


def _transmit_uncoded(job: UncodedJob) -> bytes:
    _check_channel(job.esno, job.gain)
    bits = np.unpackbits(np.frombuffer(job.payload, dtype=np.uint8))
    n_symbols = channel_uses(len(bits), job.mcs)
    padded = np.zeros(n_symbols * job.mcs.bits_per_symbol, dtype=np.uint8)
    padded[: len(bits)] = bits
    symbols = qam.modulate(torch.from_numpy(padded)[None], job.mcs.bits_per_symbol)
    noise = torch.from_numpy(channel.complex_noise(job.noise_key, n_symbols))[None]
    gain = torch.tensor([job.gain], dtype=torch.complex64)
    noise_variance = torch.tensor([1.0 / job.esno])
    received = channel.pass_through(symbols, gain, noise_variance, noise)
    llr = qam.demodulate(*channel.equalise(received, gain, noise_variance), job.mcs.bits_per_symbol, max_log=True)
    return np.packbits(hard_decision(llr)[0, : len(bits)].numpy()).tobytes()
