"""Uncoded bit error rates: Gray QAM, exact channel knowledge, hard decisions, beside the closed forms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from simnet.core.errors import UnknownName
from simnet.core.mcs import MODULATIONS
from simnet.core.streams import generator
from simnet.core.units import db_to_linear
from simnet.phy import qam
from simnet.phy.bounds.uncoded import qam_ber_awgn, qam_ber_rician
from simnet.phy.channels import flat
from simnet.phy.curves.bit_count import BitCount
from simnet.phy.curves.channel import ChannelSettings
from simnet.phy.llr import hard_decision
from simnet.phy.tables.calibration import SEED, StopRule

N_SYMBOL = 256
"""Symbols of a block: those that share a gain under block fading."""
_FIRST_ROUND, _LARGEST_ROUND = 64, 512


@dataclass(frozen=True)
class BerPoint:
    """One measured point.

    Attributes:
        modulation: one of :data:`simnet.core.mcs.MODULATIONS`.
        channel: with perfect channel knowledge.
        esno_db: mean Es/N0.
        count: of bits.
        theory: the exact bit error rate.
        seed: of bits, channel and noise.
    """

    modulation: str
    channel: ChannelSettings
    esno_db: float
    count: BitCount
    theory: float
    seed: int

    def row(self) -> dict[str, object]:
        """The point as a line of a file."""
        low, high = self.count.interval
        return {
            "modulation": self.modulation,
            "channel": self.channel.name,
            "channel_settings": self.channel.settings,
            "esno_db": self.esno_db,
            "bits": self.count.bits,
            "bit_errors": self.count.errors,
            "ber": self.count.rate,
            "ber_low": low,
            "ber_high": high,
            "ber_theory": self.theory,
            "seed": self.seed,
        }

    def __str__(self) -> str:
        low, high = self.count.interval
        return (
            f"{self.modulation}, {self.channel.name}: Es/N0 {self.esno_db:g} dB: {self.count.errors}/{self.count.bits} "
            f"bits wrong, BER {self.count.rate:.2e}, 95 % CI [{low:.1e}, {high:.1e}], theory {self.theory:.2e}"
        )


def ber_curves(
    modulations: Sequence[str],
    channel: ChannelSettings,
    steps_db: Sequence[float],
    stop: StopRule | None = None,
    *,
    seed: int = SEED,
) -> Iterator[BerPoint]:
    """The points of one curve after the other, each from low to high Es/N0; a curve ends with a point without errors.

    Args:
        modulations: QPSK, 16-QAM, 64-QAM or 256-QAM.
        channel: between symbols and decisions.
        steps_db: mean Es/N0.
        stop: ``target_errors`` counts blocks with wrong bits.
        seed: every point is a function of it, of its own settings and of ``stop``.

    Raises:
        UnknownName: no such modulation.
    """
    for modulation in modulations:
        if modulation not in MODULATIONS:
            raise UnknownName("modulation", modulation, MODULATIONS)
    torch.set_num_threads(1)  # small operators gain nothing by more, and lose much on shared cores
    for modulation in modulations:
        for esno_db in sorted(steps_db):
            point = measure_ber(modulation, channel, esno_db, stop or StopRule(), seed=seed)
            yield point
            if point.count.errors == 0:
                break


def uncoded_ber(modulation: str, channel: ChannelSettings, esno: float) -> float:
    """The exact bit error rate at mean Es/N0 ``esno`` (linear)."""
    m, k_factor = MODULATIONS[modulation], channel.k_factor
    return qam_ber_awgn(esno, m) if k_factor is None else qam_ber_rician(esno, m, k_factor)


def measure_ber(
    modulation: str, channel: ChannelSettings, esno_db: float, stop: StopRule, *, seed: int = SEED
) -> BerPoint:
    """One point, until ``stop.target_errors`` blocks of :data:`N_SYMBOL` symbols have wrong bits."""
    m, esno = MODULATIONS[modulation], db_to_linear(esno_db)
    names = ("link ber", modulation, channel.name, channel.settings, str(esno_db))
    trials = N_SYMBOL if channel.memory == "none" else 1
    count = BitCount()
    blocks = range(0)
    while blocks := stop.round_after(blocks, count.wrong_blocks, _FIRST_ROUND, _LARGEST_ROUND):
        size, first = len(blocks), blocks.start
        if channel.memory == "none":
            gains = channel.model.gains(size * N_SYMBOL, rng=generator(seed, *names, "gain", first))
        else:
            streams = (generator(seed, *names, "gain", i) for i in blocks)
            gains = np.stack([channel.model.gains(N_SYMBOL, rng=rng) for rng in streams])
        wrong = wrong_bits(m, gains.reshape(size, -1), esno, generator(seed, *names, "bits and noise", first))
        count += BitCount.of(wrong, N_SYMBOL * m, trials)
    return BerPoint(modulation, channel, esno_db, count, uncoded_ber(modulation, channel, esno), seed)


def wrong_bits(
    bits_per_symbol: int, gains: NDArray[np.complex64], esno: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Wrong bits of random blocks that met ``gains`` [B, S], [B]."""
    n_blocks, n_symbol = gains.shape
    bits = torch.from_numpy(rng.integers(0, 2, (n_blocks, n_symbol * bits_per_symbol), dtype=np.uint8))
    noise, gain = torch.from_numpy(flat.white_noise(gains.shape, rng=rng)), torch.from_numpy(gains)
    noise_variance = torch.full((n_blocks,), 1.0 / esno)
    received = flat.pass_through(qam.modulate(bits, bits_per_symbol), gain, noise_variance, noise)
    llr = qam.demodulate(*flat.equalise(received, gain, noise_variance), bits_per_symbol, max_log=True)
    wrong: NDArray[np.int64] = (hard_decision(llr) != bits).sum(dim=1).numpy()
    return wrong
