"""Fitting the effective-SNR maps of a block format to the exact chain, and checking them on other channels.

A channel here is one realisation: a gain for each symbol of a block. At a mean Es/N0 in its waterfall the exact chain
tells its BLER; the AWGN table tells at which Es/N0 AWGN has the same. β is chosen so that the map gives that Es/N0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from simnet.core.streams import generator
from simnet.core.units import db_to_linear, linear_to_db
from simnet.phy.channels.delay_profile import TDL_PROFILES
from simnet.phy.channels.fading import rayleigh_gains, rician_gains
from simnet.phy.channels.taps import Taps
from simnet.phy.native import NativeBackend
from simnet.phy.tables.bler import BlerTable
from simnet.phy.tables.calibration import send_round
from simnet.phy.tables.effective_snr import EffectiveMap, MapKind, effective, miesm

_N_CHANNEL = 5
"""Realisations of each kind of channel."""
_FEWEST_CHANNELS = 4
"""With fewer usable ones nothing is fitted: so it is of tables that end high up in the waterfall."""
_N_BLOCK = 512
_AIM_BLER = 0.3
_USABLE_BLER = (0.02, 0.95)
"""Outside, the counts or the flat top of the waterfall tell the Es/N0 badly."""
_N_SUBCARRIER, _BANDWIDTH_HZ = 64, 1e6
_BETA_DB = (-10.0, 25.0)
"""Range of the search."""


@dataclass(frozen=True)
class _Sample:
    """One realisation: Es/N0 of the symbols [S], and the AWGN Es/N0 (dB) at which as many blocks fail."""

    esno: NDArray[np.float64]
    awgn_esno_db: float


def fit_maps(table: BlerTable, backend: NativeBackend, *, seed: int = 1) -> tuple[EffectiveMap, ...]:
    """Both maps of a table's format; none if too few channels are of use.

    They are fitted on fast Rayleigh and TDL-A channels, and checked on fast Rician, TDL-B and TDL-C ones.
    """
    fitted_on = _samples(table, backend, ("rayleigh_fast", "tdl_a"), seed)
    checked_on = _samples(table, backend, ("rician_fast", "tdl_b", "tdl_c"), seed)
    if min(len(fitted_on), len(checked_on)) < _FEWEST_CHANNELS:
        return ()
    maps = []
    for kind in get_args(MapKind):
        found = minimize_scalar(
            lambda beta_db, kind=kind: _rms_db(table, fitted_on, kind, beta_db),
            bounds=_BETA_DB,
            method="bounded",
            options={"xatol": 0.01},
        )
        beta_db = round(float(found.x), 2)
        fit_db, check_db = (round(_rms_db(table, each, kind, beta_db), 3) for each in (fitted_on, checked_on))
        maps.append(EffectiveMap(kind, beta_db, fit_db, check_db))
    return tuple(maps)


def _rms_db(table: BlerTable, samples: Sequence[_Sample], kind: MapKind, beta_db: float) -> float:
    bits_per_symbol, beta = table.format.mcs.bits_per_symbol, db_to_linear(beta_db)
    errors_db = [
        linear_to_db(effective(kind, each.esno, bits_per_symbol, beta)) - each.awgn_esno_db for each in samples
    ]
    return float(np.sqrt(np.mean(np.square(errors_db))))


def _samples(table: BlerTable, backend: NativeBackend, channels: Sequence[str], seed: int) -> list[_Sample]:
    samples = []
    for channel in channels:
        for index in range(_N_CHANNEL):
            names = ("effective SNR", str(table.format), channel, index)
            gains = symbol_gains(channel, table.format.channel_uses, generator(seed, *names))
            sample = _measured(table, backend, gains, generator(seed, *names, "blocks"))
            if sample is not None:
                samples.append(sample)
    return samples


def symbol_gains(channel: str, n_symbols: int, rng: np.random.Generator) -> NDArray[np.complex64]:
    """One realisation's gains, [n_symbols]: fast fading, or in turn 64 subcarriers of 1 MHz, 1 µs RMS delay spread."""
    if channel == "rayleigh_fast":
        return rayleigh_gains(n_symbols, "fast", rng=rng)
    if channel == "rician_fast":
        return rician_gains(n_symbols, "fast", k_factor_db=3.0, rng=rng)
    taps = Taps.draw(TDL_PROFILES[channel], 1e-6, 0.0, rng=rng)
    frequencies_hz = (np.arange(_N_SUBCARRIER) - _N_SUBCARRIER // 2) * np.float64(_BANDWIDTH_HZ / _N_SUBCARRIER)
    return np.resize(taps.frequency_response(0.0, frequencies_hz)[0].astype(np.complex64), n_symbols)


def _measured(
    table: BlerTable, backend: NativeBackend, gains: NDArray[np.complex64], rng: np.random.Generator
) -> _Sample | None:
    """The channel at the mean Es/N0 at which MIESM with β = 1 expects the aimed BLER; None if it is far off."""
    power = np.abs(gains).astype(np.float64) ** 2
    aim = table.threshold(_AIM_BLER)
    bits_per_symbol = table.format.mcs.bits_per_symbol
    low_db, high_db = linear_to_db(aim) - 10.0, linear_to_db(aim) + 40.0
    for _ in range(30):
        middle_db = (low_db + high_db) / 2
        reached = miesm(power * db_to_linear(middle_db), bits_per_symbol) >= aim
        low_db, high_db = (low_db, middle_db) if reached else (middle_db, high_db)
    esno = db_to_linear(high_db)
    lost, _ = send_round(backend, table.format, esno, _N_BLOCK, rng, gains=gains)
    bler = float(lost.mean())
    if not _USABLE_BLER[0] <= bler <= _USABLE_BLER[1]:
        return None
    return _Sample(power * esno, linear_to_db(table.threshold(bler)))
