"""What theory and the zoo's tables say of a coded curve."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from simnet.core.streams import generator
from simnet.core.units import db_to_linear, linear_to_db
from simnet.phy.blocks import BlockFormat
from simnet.phy.bounds.bit_information import bit_information
from simnet.phy.bounds.capacity import esno_for_rate
from simnet.phy.bounds.fading_average import mean_over_rician
from simnet.phy.bounds.fading_power import combined_power_cdf, combined_power_quantiles
from simnet.phy.bounds.finite_length import normal_approximation_bler
from simnet.phy.curves.channel import ChannelSettings
from simnet.phy.curves.ladder import actual_rate
from simnet.phy.curves.setup import BlerSetup
from simnet.phy.tables.bler import BlerTable, load_table, table_path

_N_QUANTILE = 2000
_N_REALISATION = 2000
"""Channels over which a table is averaged where symbols of a block meet different gains."""
_STEP_DB = 0.01


@dataclass(frozen=True)
class References:
    """Of one point; None where there is no such thing.

    Of N receptions they are those of one reception of their total energy.

    Attributes:
        capacity_esno_db: mean Es/N0 at which the capacity equals the rate: AWGN, or fast fading (ergodic).
        bicm_esno_db: the same with BICM capacity of the modulation.
        normal_approximation: block error rate of the best code of this length, BICM, AWGN.
        table: what the zoo's AWGN table makes of the channel, known exactly. AWGN: read at the Es/N0; flat block
            fading: averaged over it; else read at the effective Es/N0 (MIESM) of 2000 realisations, and averaged, if
            they tell it to a third.
        outage: probability that the BICM capacity at a flat block's gain is below the rate.
    """

    capacity_esno_db: float | None
    bicm_esno_db: float | None
    normal_approximation: float | None
    table: float | None
    outage: float | None


def references(setup: BlerSetup, esno_db: float) -> References:
    """Of the point at ``esno_db``, the mean Es/N0 of one reception."""
    esno = db_to_linear(esno_db)
    k_factor, memory = setup.channel.k_factor, setup.channel.memory
    limits: tuple[float | None, float | None] = (None, None)
    if memory == "none":
        limits = limits_db(setup.format, k_factor, setup.harq)
    outage = None
    if memory == "flat":
        assert k_factor is not None
        least = esno_for_rate(actual_rate(setup.format), setup.format.mcs.bits_per_symbol)
        outage = float(combined_power_cdf(np.array(least / esno), k_factor, setup.harq))
    approximation = None
    if k_factor is None:
        m, n, k = setup.format.mcs.bits_per_symbol, setup.format.channel_uses, setup.format.k
        approximation = normal_approximation_bler(n, k, setup.harq * esno, m)
    return References(*limits, approximation, table_bler(setup, esno), outage)


@lru_cache(maxsize=256)
def limits_db(block_format: BlockFormat, k_factor: float | None, n_receptions: int = 1) -> tuple[float, float]:
    """Mean Es/N0 in dB at which capacity and BICM capacity equal the rate: AWGN, or ergodic over the gains."""
    rate, m = actual_rate(block_format), block_format.mcs.bits_per_symbol
    if k_factor is None:
        found = [esno_for_rate(rate), esno_for_rate(rate, m)]
        return tuple(linear_to_db(each / n_receptions) for each in found)  # type: ignore[return-value]
    power = combined_power_quantiles(k_factor, n_receptions, _N_QUANTILE)

    def gaussian(esno_db: float) -> float:
        return float(np.log2(1.0 + power * db_to_linear(esno_db)).mean()) - rate

    def bicm(esno_db: float) -> float:
        return m * float(bit_information(power * db_to_linear(esno_db), m).mean()) - rate

    return tuple(float(brentq(excess, -60.0, 90.0, xtol=1e-6)) for excess in (gaussian, bicm))  # type: ignore[return-value]


def zoo_table(block_format: BlockFormat) -> BlerTable | None:
    """The zoo's table, or None where there is none."""
    return load_table(block_format) if table_path(block_format).exists() else None


def table_bler(setup: BlerSetup, esno: float) -> float | None:
    """What the zoo's AWGN table makes of the channel; None without a table of this format and decoder."""
    table = zoo_table(setup.format)
    if table is None or table.decoder != asdict(setup.decoder):
        return None
    k_factor, memory, n = setup.channel.k_factor, setup.channel.memory, setup.harq
    if k_factor is None:
        return table.lookup(n * esno).bler
    if memory == "flat":
        if n > 1:
            return Staircase.of(table).mean(esno, k_factor, n)
        breaks = [db_to_linear(point.esno_db) for point in table.points]
        return mean_over_rician(lambda x: table.lookup(x).bler, esno, k_factor, breakpoints=breaks).value
    if not any(each.kind == "miesm" for each in table.effective):
        return None
    powers = _powers(setup.channel, setup.format.channel_uses, n)
    rates = np.array([table.lookup(table.effective_esno(power * esno)).bler for power in powers])
    return float(rates.mean()) if rates.std() / len(rates) ** 0.5 <= rates.mean() / 3 else None


@lru_cache(maxsize=4)
def _powers(channel: ChannelSettings, n_symbol: int, n_receptions: int) -> list[NDArray[np.float64]]:
    """Σ |h|² over the receptions of each symbol, [n_symbol], of some realisations."""

    def power(*names: int) -> NDArray[np.float64]:
        gains = channel.model.gains(n_symbol, rng=generator(0, "references", channel.name, channel.settings, *names))
        return np.asarray(np.abs(gains).astype(np.float64) ** 2)

    return [sum((power(i, j) for j in range(n_receptions)), np.zeros(n_symbol)) for i in range(_N_REALISATION)]


@dataclass(frozen=True, eq=False)
class Staircase:
    """A table's BLER as small steps down: with F the distribution of the Es/N0, its mean is Σ drop·F(esno) + floor.

    Attributes:
        esno: where the steps are, linear, [N].
        drop: heights, [N].
        floor: what is left above the last one.
    """

    esno: NDArray[np.float64]
    drop: NDArray[np.float64]
    floor: float

    @classmethod
    def of(cls, table: BlerTable, step_db: float = _STEP_DB) -> Staircase:
        """Steps of this width, from below the measured points to where the extrapolation has ended."""
        first_db, last_db = table.measured_esno_db
        edges_db = np.arange(first_db - 1.5 * step_db, last_db + 30.0, step_db)
        bler = np.array([table.lookup(float(db_to_linear(each))).bler for each in edges_db])
        drop = -np.diff(bler)
        changes = drop != 0.0
        middles: NDArray[np.float64] = db_to_linear(edges_db[:-1] + step_db / 2)
        return cls(middles[changes], drop[changes], float(bler[-1]))

    def mean(self, esno: float, k_factor: float, n_receptions: int) -> float:
        """The mean over the sum of so many receptions, each of mean Es/N0 ``esno`` (linear)."""
        below = combined_power_cdf(self.esno / esno, k_factor, n_receptions)
        return float(self.drop @ below) + self.floor

    def bler(self, esno: NDArray[np.float64]) -> NDArray[np.float64]:
        """The BLER itself, of Es/N0 (linear) of any shape."""
        fallen = np.concatenate(([0.0], np.cumsum(self.drop)))
        rate: NDArray[np.float64] = np.maximum(1.0 - fallen[np.searchsorted(self.esno, esno)], self.floor)
        return rate
