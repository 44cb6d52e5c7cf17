"""The digital chain: payload → CRC → LDPC → interleaver → QAM → channel, and back by soft demapping and decoding.

IEEE 802.16e sends LDPC words without an interleaver. Here a fixed one deals a word's bits to the symbols: neighbouring
bits stand in neighbouring checks, and those of one 64-QAM symbol share its noise. Several receptions of one block
(HARQ) are combined symbol by symbol before they are demapped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, reduce
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from simnet.core.errors import SimnetError, UnknownName
from simnet.core.mcs import Mcs
from simnet.core.streams import Name, generator
from simnet.phy import crc, qam
from simnet.phy.backend import Backend
from simnet.phy.blocks import BlockFormat, channel_uses
from simnet.phy.channels import flat
from simnet.phy.ldpc.decoder import DecoderSettings
from simnet.phy.llr import hard_decision
from simnet.phy.native import NativeBackend

MOST_ESNO = 1e38
"""Of a channel, linear: single precision holds little more."""
_BATCH = 1024
"""Blocks that are decoded together; bounds the memory."""


@dataclass(frozen=True, eq=False)
class Reception:
    """One transmission of a block, as it is received.

    Attributes:
        esno: mean Es/N0, linear: transmit side, before the gain. N0 = 1/esno.
        gain: h of a flat channel, or one per symbol [S] complex64 (fast fading, OFDM); the receiver knows it.
        noise_key: seed, then the names that the noise is a function of.
    """

    esno: float
    gain: complex | NDArray[np.complex64]
    noise_key: tuple[Name, ...]


@dataclass(frozen=True, eq=False)
class BlockJob:
    """One block to send.

    Attributes:
        payload: at most ``format.capacity_byte`` bytes; sent with zeros behind it.
        format: how it is sent.
        receptions: first to last; their symbols are combined.
    """

    payload: bytes
    format: BlockFormat
    receptions: tuple[Reception, ...]


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
    """A payload to send without code and CRC, of any length; the rest as in :class:`Reception`, the channel flat."""

    payload: bytes
    mcs: Mcs
    esno: float
    gain: complex
    noise_key: tuple[Name, ...]


@dataclass(frozen=True)
class SentBlocks:
    """Blocks of one format between sender and receiver.

    Attributes:
        info: information bits with their CRC, [B, k] uint8.
        symbols: [B, S] complex64.
    """

    format: BlockFormat
    info: Tensor
    symbols: Tensor


@dataclass(frozen=True)
class Received:
    """Blocks as the demapper gets them.

    Attributes:
        symbols: equalised, [B, S] complex64.
        noise_variance: of the noise left on them, [B, 1] or [B, S] float32.
    """

    symbols: Tensor
    noise_variance: Tensor

    def combined(self, other: Received) -> Received:
        """Chase combining: the same symbols heard once more, added up with weights 1/variance (MRC).

        The result is as good as one reception at the sum of both Es/N0 (D. Chase, "Code combining", IEEE Trans. Commun.
        33(5), 1985).
        """
        mine, theirs = self.noise_variance.reciprocal(), other.noise_variance.reciprocal()
        variance = (mine + theirs).reciprocal()
        return Received((self.symbols * mine + other.symbols * theirs) * variance, variance)


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
            SimnetError: a job's payload is too long, its format, SNR or gain not allowed.
        """
        alike: dict[tuple[BlockFormat, tuple[bool, ...]], list[int]] = defaultdict(list)
        for index, job in enumerate(jobs):
            _check(job)
            alike[job.format, tuple(isinstance(each.gain, np.ndarray) for each in job.receptions)].append(index)
        results: dict[int, BlockResult] = {}
        for indices in alike.values():
            for batch in _slices(indices, _BATCH):
                results.update(zip(batch, self._transmit_batch([jobs[i] for i in batch]), strict=True))
        return [results[index] for index in range(len(jobs))]

    def transmit_uncoded(self, jobs: Sequence[UncodedJob]) -> list[bytes]:
        """The payload of each job as received, bit errors included, in the jobs' order."""
        return [_transmit_uncoded(job) for job in jobs]

    def send(self, messages: NDArray[np.uint8], block_format: BlockFormat) -> SentBlocks:
        """Symbols of payloads [B, capacity_byte] uint8."""
        info = torch.from_numpy(np.unpackbits(crc.attach(messages), axis=1)).to(self._backend.device)
        scrambling = _scrambling(block_format, self._backend.device)
        coded = self._backend.encode(info, block_format) ^ scrambling.flips
        dealt = torch.nn.functional.pad(coded[:, scrambling.order], (0, scrambling.n_padding))
        return SentBlocks(block_format, info, self._backend.modulate(dealt, block_format.mcs.bits_per_symbol))

    def receive(self, sent: SentBlocks, gain: Tensor, esno: Tensor, noise: Tensor) -> Received:
        """Blocks after a channel that the receiver knows.

        Args:
            sent: B blocks, at most as many as the backend's chunk if results must not depend on B.
            gain: h, [B, 1] or [B, S] complex64.
            esno: mean Es/N0 (linear), [B].
            noise: [B, S] complex64 of E|w|² = 1.
        """
        noise_variance = esno.reciprocal()
        received = flat.pass_through(sent.symbols, gain, noise_variance, noise)
        return Received(*flat.equalise(received, gain, noise_variance))

    def soft_bits(self, received: Received, block_format: BlockFormat) -> Tensor:
        """LLRs [B, coded_bits] of equalised symbols."""
        scrambling = _scrambling(block_format, self._backend.device)
        llr = self._backend.demodulate(received.symbols, received.noise_variance, block_format.mcs.bits_per_symbol)
        return llr[:, scrambling.inverse_order] * scrambling.signs

    def decide(
        self, llr: Tensor, block_format: BlockFormat
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_], list[int | None]]:
        """Payloads [B, capacity_byte] uint8, whether their CRCs hold [B], and iterations, of LLRs [B, coded_bits].

        No CRC holds where fewer LLRs say anything than there are information bits. Far below the noise they are all 0
        to the decoder, and read as bits these would be a word of the code whose CRC holds.
        """
        decided, iterations = self._backend.decode(llr, block_format)
        decoded = np.packbits(decided.cpu().numpy(), axis=1)
        says_enough = ((llr.abs() > self._backend.silent_llr).sum(dim=1) >= block_format.k).cpu().numpy()
        return decoded[:, : block_format.capacity_byte], crc.verify(decoded) & says_enough, iterations

    def _transmit_batch(self, jobs: Sequence[BlockJob]) -> list[BlockResult]:
        """Results of jobs of one format, heard equally often over channels of one kind."""
        block_format = jobs[0].format
        messages = np.zeros((len(jobs), block_format.capacity_byte), dtype=np.uint8)
        for row, job in zip(messages, jobs, strict=True):
            row[: len(job.payload)] = np.frombuffer(job.payload, dtype=np.uint8)
        sent = self.send(messages, block_format)
        chunks = _slices(range(len(jobs)), self._backend.chunk)
        llr = torch.cat([self._heard(sent, chunk, [jobs[i] for i in chunk]) for chunk in chunks])
        decoded, holds, iterations = self.decide(llr, block_format)
        return [
            BlockResult(bool(ok), row[: len(job.payload)].tobytes(), n_iterations)
            for job, ok, row, n_iterations in zip(jobs, holds, decoded, iterations, strict=True)
        ]

    def _heard(self, sent: SentBlocks, chunk: Sequence[int], jobs: Sequence[BlockJob]) -> Tensor:
        """LLRs [B, coded_bits] of one chunk's blocks, combined over their receptions; filled up in between."""
        rows = replace(sent, symbols=_filled(sent.symbols[chunk[0] : chunk[-1] + 1], self._backend.chunk))
        receptions = zip(*(job.receptions for job in jobs), strict=True)
        heard = [self.receive(rows, *self._channel(each, rows.symbols.shape[1])) for each in receptions]
        return self.soft_bits(reduce(Received.combined, heard), sent.format)[: len(jobs)]

    def _channel(self, receptions: Sequence[Reception], n_symbols: int) -> tuple[Tensor, Tensor, Tensor]:
        """Gain [C, 1] or [C, S], Es/N0 [C] and noise [C, S] of a chunk of C receptions, filled up."""
        size = self._backend.chunk
        selective = isinstance(receptions[0].gain, np.ndarray)
        gain = np.ones((size, n_symbols if selective else 1), dtype=np.complex64)
        esno = np.ones(size, dtype=np.float32)
        noise = np.zeros((size, n_symbols), dtype=np.complex64)
        for row, each in enumerate(receptions):
            gain[row] = each.gain
            esno[row] = each.esno
            noise[row] = flat.complex_noise(each.noise_key, n_symbols)
        device = self._backend.device
        return tuple(torch.from_numpy(each).to(device) for each in (gain, esno, noise))  # type: ignore[return-value]


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
    if len(job.payload) > job.format.capacity_byte:
        raise SimnetError(
            f"block of {job.format.k} bit: got a payload of {len(job.payload)} byte; allowed 0 to "
            f"{job.format.capacity_byte}; cut it with simnet.phy.blocks.split"
        )
    if not job.receptions:
        raise SimnetError(f"block of {job.format.k} bit: got no reception; give one or more")
    for reception in job.receptions:
        _check_channel(reception.esno, reception.gain)
        if isinstance(reception.gain, np.ndarray) and reception.gain.shape != (job.format.channel_uses,):
            raise SimnetError(
                f"channel gain: got an array of shape {reception.gain.shape}; allowed one number, or "
                f"({job.format.channel_uses},) for {job.format}"
            )


def _check_channel(esno: float, gain: complex | NDArray[np.complex64]) -> None:
    if not (0.0 < esno <= MOST_ESNO):
        raise SimnetError(f"channel Es/N0 (linear): got {esno}; allowed above 0, at most {MOST_ESNO:g}")
    if not np.isfinite(gain).all():
        raise SimnetError(f"channel gain: got {gain}; allowed any finite complex number")


def _slices(items: Sequence[int], size: int) -> list[Sequence[int]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def _filled(rows: Tensor, size: int) -> Tensor:
    """Rows [B, S] with zeros behind them, [size, S]."""
    return torch.nn.functional.pad(rows, (0, 0, 0, size - len(rows)))


@dataclass(frozen=True)
class _Scrambling:
    """What is done to every codeword of one length.

    The added bits give constant payloads the error rate of random ones.

    Attributes:
        flips: bits added, [n] uint8; ``signs`` [n] float32 undoes them on LLRs.
        order: of sending, [n] int64; ``inverse_order`` undoes it.
        n_padding: zeros that fill up the last symbol.
    """

    flips: Tensor
    signs: Tensor
    order: Tensor
    inverse_order: Tensor
    n_padding: int


@lru_cache(maxsize=256)
def _scrambling(block_format: BlockFormat, device: str) -> _Scrambling:
    n = block_format.coded_bits
    flips = torch.from_numpy(generator(0, "scrambling", n).integers(0, 2, n, dtype=np.uint8)).to(device)
    order = generator(0, "interleaving", n).permutation(n)
    n_padding = block_format.channel_uses * block_format.mcs.bits_per_symbol - n
    return _Scrambling(
        flips,
        1.0 - 2.0 * flips,
        torch.from_numpy(order).to(device),
        torch.from_numpy(np.argsort(order)).to(device),
        n_padding,
    )


def _transmit_uncoded(job: UncodedJob) -> bytes:
    _check_channel(job.esno, job.gain)
    bits = np.unpackbits(np.frombuffer(job.payload, dtype=np.uint8))
    n_symbols = channel_uses(len(bits), job.mcs)
    padded = np.zeros(n_symbols * job.mcs.bits_per_symbol, dtype=np.uint8)
    padded[: len(bits)] = bits
    symbols = qam.modulate(torch.from_numpy(padded)[None], job.mcs.bits_per_symbol)
    noise = torch.from_numpy(flat.complex_noise(job.noise_key, n_symbols))[None]
    gain = torch.tensor([[job.gain]], dtype=torch.complex64)
    noise_variance = torch.tensor([1.0 / job.esno])
    received = flat.pass_through(symbols, gain, noise_variance, noise)
    llr = qam.demodulate(*flat.equalise(received, gain, noise_variance), job.mcs.bits_per_symbol, max_log=True)
    return np.packbits(hard_decision(llr)[0, : len(bits)].numpy()).tobytes()
