"""Block and bit error rates of the coded chain over any channel, with channel estimation and Chase combining."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache, reduce
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from simnet.core.errors import SimnetError
from simnet.core.streams import Name, generator
from simnet.core.units import db_to_linear, ebno_db_from_esno_db
from simnet.phy.chain import DigitalChain, Received, SentBlocks
from simnet.phy.channels import flat
from simnet.phy.channels.equaliser import zero_forcing
from simnet.phy.channels.flat_models import Awgn
from simnet.phy.channels.model import ChannelEstimate
from simnet.phy.curves.bit_count import BitCount
from simnet.phy.curves.ladder import Ladder, actual_rate
from simnet.phy.curves.references import References, references
from simnet.phy.curves.setup import BlerSetup
from simnet.phy.ldpc.decoder import DecoderSettings
from simnet.phy.native import NativeBackend
from simnet.phy.tables.bler import BlerPoint
from simnet.phy.tables.calibration import SEED, StopRule

_FIRST_ROUND, _LARGEST_ROUND = 128, 2048


@dataclass(frozen=True)
class CodedPoint:
    """One measured point.

    Attributes:
        setup: what it is measured of.
        blocks: counts of blocks.
        bits: counts of payload bits after decoding, the CRC's left out.
        iterations: of the decoder, sum over all blocks.
        references: what theory says.
        seed: of payloads, channels and noise.
    """

    setup: BlerSetup
    blocks: BlerPoint
    bits: BitCount
    iterations: int
    references: References
    seed: int

    @property
    def esno_db(self) -> float:
        """Mean Es/N0 of one reception."""
        return self.blocks.esno_db

    @property
    def ebno_db(self) -> float:
        """Mean Eb/N0 of one reception; the CRC's bits are information."""
        m = self.setup.format.mcs.bits_per_symbol
        return ebno_db_from_esno_db(self.esno_db, bits_per_symbol=m, code_rate=actual_rate(self.setup.format) / m)

    @property
    def mean_iterations(self) -> float:
        return self.iterations / self.blocks.blocks

    def row(self) -> dict[str, object]:
        """The point as a line of a file."""
        setup, theory = self.setup, self.references
        (bler_low, bler_high), (ber_low, ber_high) = self.blocks.interval, self.bits.interval
        return {
            "mcs": setup.format.mcs.name,
            "code": setup.format.code,
            "k": setup.format.k,
            "channel_uses": setup.format.channel_uses,
            "channel": setup.channel.name,
            "csi": setup.channel.csi,
            "channel_settings": setup.channel.settings,
            "harq": setup.harq,
            **{f"decoder_{key}": value for key, value in asdict(setup.decoder).items()},
            "esno_db": self.esno_db,
            "ebno_db": self.ebno_db,
            "blocks": self.blocks.blocks,
            "block_errors": self.blocks.errors,
            "undetected": self.blocks.undetected,
            "bler": self.blocks.bler,
            "bler_low": bler_low,
            "bler_high": bler_high,
            "bits": self.bits.bits,
            "bit_errors": self.bits.errors,
            "ber": self.bits.rate,
            "ber_low": ber_low,
            "ber_high": ber_high,
            "mean_iterations": self.mean_iterations,
            "capacity_esno_db": theory.capacity_esno_db,
            "bicm_esno_db": theory.bicm_esno_db,
            "bler_normal_approximation": theory.normal_approximation,
            "bler_table": theory.table,
            "bler_outage": theory.outage,
            "seed": self.seed,
        }

    def __str__(self) -> str:
        low, high = self.blocks.interval
        return (
            f"{self.setup.format}, {self.setup.channel.name}: Es/N0 {self.esno_db:.2f} dB: "
            f"{self.blocks.errors}/{self.blocks.blocks} blocks lost, BLER {self.blocks.bler:.2e}, "
            f"95 % CI [{low:.1e}, {high:.1e}], {self.mean_iterations:.1f} iterations"
        )


def bler_curves(
    setups: Sequence[BlerSetup],
    ladder: Ladder | None = None,
    stop: StopRule | None = None,
    *,
    device: str = "cpu",
    seed: int = SEED,
) -> Iterator[CodedPoint]:
    """The points of one curve after the other, each from low to high Es/N0; a curve ends with a point without errors.

    Args:
        setups: the curves.
        ladder: Es/N0 of the points.
        stop: blocks per point.
        device: torch device.
        seed: every point is a function of it, of its own settings and of ``stop``.

    Raises:
        SimnetError: torch has no such device.
    """
    torch.set_num_threads(1)  # small operators gain nothing by more, and lose much on shared cores
    for setup in setups:
        for esno_db in (ladder or Ladder()).steps_db(setup.format, setup.channel):
            point = measure_bler(setup, esno_db, stop or StopRule(), device=device, seed=seed)
            yield point
            if point.blocks.errors == 0:
                break


def measure_bler(
    setup: BlerSetup, esno_db: float, stop: StopRule, *, device: str = "cpu", seed: int = SEED
) -> CodedPoint:
    """One point. Curves of one seed, format, channel and Es/N0 see the same payloads, gains and noise."""
    backend = _backend(device, setup.decoder)
    channel = setup.channel
    names = ("link bler", str(setup.format), channel.name, channel.settings, str(esno_db))
    errors = undetected = iterations = 0
    bits = BitCount()
    blocks = range(0)
    while blocks := stop.round_after(blocks, errors, _FIRST_ROUND, _LARGEST_ROUND):
        sent = _Round(setup, db_to_linear(esno_db), blocks, (seed, *names)).send(backend)
        errors += int(sent.lost.sum())
        undetected += int(((sent.wrong_bits > 0) & ~sent.lost).sum())
        iterations += sent.iterations
        bits += BitCount.of(sent.wrong_bits, 8 * setup.format.capacity_byte)
    point = BlerPoint(esno_db, blocks.stop, errors, undetected)
    return CodedPoint(setup, point, bits, iterations, references(setup, esno_db), seed)


@lru_cache(maxsize=8)
def _backend(device: str, settings: DecoderSettings) -> NativeBackend:
    if torch.device(device).type == "cuda" and not torch.cuda.is_available():
        raise SimnetError(f"PHY device: got {device!r}; allowed 'cpu' (torch finds no CUDA GPU here)")
    return NativeBackend(device, settings)


class _Outcome(NamedTuple):
    """Of a round's blocks: whether the CRC failed [B], wrong payload bits [B], iterations in all."""

    lost: NDArray[np.bool_]
    wrong_bits: NDArray[np.int64]
    iterations: int


@dataclass(frozen=True)
class _Round:
    """Some blocks of a curve, numbered from the first one on.

    Attributes:
        setup: of the curve.
        esno: mean Es/N0, linear.
        blocks: their numbers.
        key: seed, then names of the point's random streams.
    """

    setup: BlerSetup
    esno: float
    blocks: range
    key: tuple[Name, ...]

    def _rng(self, *names: Name) -> np.random.Generator:
        seed, *point = self.key
        assert isinstance(seed, int)
        return generator(seed, *point, *names)

    def send(self, backend: NativeBackend) -> _Outcome:
        """Random payloads through the chain."""
        chain, block_format = DigitalChain(backend), self.setup.format
        shape = (len(self.blocks), block_format.capacity_byte)
        messages = self._rng("payloads", self.blocks.start).integers(0, 256, shape, dtype=np.uint8)
        sent = chain.send(messages, block_format)
        receptions = [self._receive(chain, sent, backend.chunk, reception) for reception in range(self.setup.harq)]
        chunks = zip(*receptions, strict=True)
        llr = torch.cat([chain.soft_bits(reduce(Received.combined, each), block_format) for each in chunks])
        decoded, holds, iterations = chain.decide(llr, block_format)
        wrong_bits = np.unpackbits(decoded ^ messages, axis=1).sum(axis=1, dtype=np.int64)
        return _Outcome(~holds, wrong_bits, sum(each or 0 for each in iterations))

    def _receive(self, chain: DigitalChain, sent: SentBlocks, chunk: int, reception: int) -> list[Received]:
        """The blocks of each chunk, heard for the ``reception``-th time."""
        rng = self._rng("noise", self.blocks.start, reception)
        received = []
        for start in range(0, len(self.blocks), chunk):
            rows = replace(sent, symbols=sent.symbols[start : start + chunk])
            noise = torch.from_numpy(flat.white_noise(tuple(rows.symbols.shape), rng=rng)).to(rows.symbols)
            received.append(self._heard(chain, rows, noise, self.blocks[start : start + chunk], reception))
        return received

    def _heard(
        self, chain: DigitalChain, sent: SentBlocks, noise: torch.Tensor, blocks: range, reception: int
    ) -> Received:
        """Equalised symbols of some blocks, with what the receiver knows of their channels."""
        symbols, model = sent.symbols, self.setup.channel.model
        n_symbol = symbols.shape[1]
        if self.setup.channel.csi == "perfect":
            esno = torch.full((len(blocks),), self.esno, device=symbols.device)
            if isinstance(model, Awgn):
                return chain.receive(sent, torch.ones((len(blocks), 1)).to(symbols), esno, noise)
            gains = np.stack([model.gains(n_symbol, rng=self._rng("gain", i, reception)) for i in blocks])
            return chain.receive(sent, torch.from_numpy(gains).to(symbols), esno, noise)
        known = [
            model.estimate(
                n_symbol,
                1.0 / self.esno,
                rng=self._rng("gain", i, reception),
                pilot_rng=self._rng("pilots", i, reception),
            )
            for i in blocks
        ]
        gain, estimate, error_variance = (
            torch.from_numpy(np.stack([getattr(each, field.name) for each in known])).to(symbols.device)
            for field in fields(ChannelEstimate)
        )
        noise_variance = torch.full_like(error_variance, 1.0 / self.esno)
        received = flat.pass_through(symbols, gain, noise_variance, noise)
        return Received(*zero_forcing(received, estimate, noise_variance, error_variance))
