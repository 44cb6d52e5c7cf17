"""The OFDM resource grid: subcarriers, cyclic prefix, pilots, and what they cost in channel uses."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from simnet.core.errors import SimnetError, UnknownName
from simnet.core.streams import generator

Pilots = Literal["none", "comb", "block"]


@dataclass(frozen=True)
class OfdmGrid:
    """Resource elements, one symbol on one subcarrier each; every subcarrier is used.

    Pilots are ``comb``: on subcarriers 0, s, 2s, … and the last one, in every OFDM symbol, so that no subcarrier lies
    outside of them; ``block``: on all subcarriers of OFDM symbols 0, s, 2s, …; or ``none``. They have the energy of
    data. One channel use is one complex sample in time, so a transmission of L OFDM symbols takes
    L·(n_subcarriers + n_cyclic_prefix) of them. The prefix repeats samples at the energy of all others: the energy sent
    per OFDM symbol is (n_subcarriers + n_cyclic_prefix)·Es.

    Attributes:
        n_subcarriers: N, also the length of the transform.
        subcarrier_spacing_hz: Δf; the sample rate is N·Δf.
        n_cyclic_prefix: samples, 0 to N.
        pilots: ``none``, ``comb`` or ``block``.
        pilot_spacing: s, in subcarriers or OFDM symbols, 2 or more; 0 without pilots.

    Raises:
        SimnetError: a value is not allowed, or no subcarrier is left for data.
    """

    n_subcarriers: int
    subcarrier_spacing_hz: float
    n_cyclic_prefix: int
    pilots: Pilots = "none"
    pilot_spacing: int = 0

    def __post_init__(self) -> None:
        if self.pilots not in get_args(Pilots):
            raise UnknownName("OFDM pilots", self.pilots, get_args(Pilots))
        if self.n_subcarriers < 2:
            raise SimnetError(f"OFDM n_subcarriers: got {self.n_subcarriers}; allowed 2 or more")
        if not 0 < self.subcarrier_spacing_hz < math.inf:
            raise SimnetError(f"OFDM subcarrier_spacing_hz: got {self.subcarrier_spacing_hz}; allowed above 0, finite")
        if not 0 <= self.n_cyclic_prefix <= self.n_subcarriers:
            raise SimnetError(
                f"OFDM n_cyclic_prefix: got {self.n_cyclic_prefix} samples; allowed 0 to {self.n_subcarriers}"
            )
        spaced = self.pilot_spacing == 0 if self.pilots == "none" else self.pilot_spacing >= 2
        if not spaced or len(self.pilot_subcarriers) == self.n_subcarriers:
            raise SimnetError(
                f"OFDM pilot_spacing: got {self.pilot_spacing} with pilots {self.pilots!r} and {self.n_subcarriers} "
                "subcarriers; allowed 0 with 'none', else 2 or more, so that a subcarrier is left for data"
            )

    @property
    def sample_rate_hz(self) -> float:
        """N·Δf; also the bandwidth."""
        return self.n_subcarriers * self.subcarrier_spacing_hz

    @property
    def symbol_time_s(self) -> float:
        """Of one OFDM symbol with its prefix."""
        return (self.n_subcarriers + self.n_cyclic_prefix) / self.sample_rate_hz

    @property
    def cyclic_prefix_s(self) -> float:
        """The longest delay that causes no interference."""
        return self.n_cyclic_prefix / self.sample_rate_hz

    @property
    def frequencies_hz(self) -> NDArray[np.float64]:
        """Baseband frequency of each subcarrier, rising: (n − ⌊N/2⌋)·Δf, [N]."""
        number = np.arange(self.n_subcarriers) - self.n_subcarriers // 2
        return number * np.float64(self.subcarrier_spacing_hz)

    @property
    def pilot_subcarriers(self) -> NDArray[np.int64]:
        """Subcarriers that carry pilots in a comb, rising; none otherwise."""
        if self.pilots != "comb":
            return np.zeros(0, dtype=np.int64)
        return np.unique(np.append(np.arange(0, self.n_subcarriers, self.pilot_spacing), self.n_subcarriers - 1))

    def pilot_symbols(self, n_ofdm_symbols: int) -> NDArray[np.int64]:
        """OFDM symbols that carry nothing but pilots, rising; none unless pilots are ``block``."""
        if self.pilots != "block":
            return np.zeros(0, dtype=np.int64)
        return np.arange(0, n_ofdm_symbols, self.pilot_spacing)

    def pilot_mask(self, n_ofdm_symbols: int) -> NDArray[np.bool_]:
        """Where pilots are, [L, N]."""
        mask = np.zeros((n_ofdm_symbols, self.n_subcarriers), dtype=np.bool_)
        mask[:, self.pilot_subcarriers] = True
        mask[self.pilot_symbols(n_ofdm_symbols)] = True
        return mask

    def pilot_values(self, n_ofdm_symbols: int) -> NDArray[np.complex64]:
        """What is sent there: fixed QPSK symbols of unit energy, [L, N], of use where :meth:`pilot_mask` is set."""
        quarter = generator(0, "OFDM pilots").integers(0, 4, (n_ofdm_symbols, self.n_subcarriers))
        values: NDArray[np.complex64] = np.exp(0.5j * math.pi * (quarter + 0.5)).astype(np.complex64)
        return values

    def n_ofdm_symbols(self, n_symbols: int) -> int:
        """OFDM symbols, pilot ones included, that ``n_symbols`` data symbols take; the last one is sent whole."""
        n_rows = -(-n_symbols // (self.n_subcarriers - len(self.pilot_subcarriers)))
        return n_rows + (-(-n_rows // (self.pilot_spacing - 1)) if self.pilots == "block" else 0)

    def channel_uses(self, n_symbols: int) -> int:
        """Complex samples, pilots and prefixes included, that ``n_symbols`` data symbols take."""
        return self.n_ofdm_symbols(n_symbols) * (self.n_subcarriers + self.n_cyclic_prefix)

    @property
    def cyclic_prefix_overhead(self) -> float:
        """Share of the channel uses that prefixes take."""
        return self.n_cyclic_prefix / (self.n_subcarriers + self.n_cyclic_prefix)

    @property
    def pilot_overhead(self) -> float:
        """Share of the resource elements that pilots take, in the long run."""
        if self.pilots == "block":
            return 1 / self.pilot_spacing
        return len(self.pilot_subcarriers) / self.n_subcarriers

    @property
    def data_fraction(self) -> float:
        """Data symbols per channel use, in the long run."""
        return (1 - self.cyclic_prefix_overhead) * (1 - self.pilot_overhead)

    def data_elements(self, n_symbols: int) -> NDArray[np.int64]:
        """Where data symbols lie in the flattened grid [L·N]: [n_symbols], subcarrier by subcarrier, then in time."""
        return np.flatnonzero(~self.pilot_mask(self.n_ofdm_symbols(n_symbols)))[:n_symbols]


def fill(symbols: Tensor, grid: OfdmGrid) -> Tensor:
    """The grid [..., L, N] that carries data symbols [..., S] complex, with pilots; unused elements are 0."""
    n_symbols = symbols.shape[-1]
    n_ofdm_symbols = grid.n_ofdm_symbols(n_symbols)
    pilots = grid.pilot_values(n_ofdm_symbols) * grid.pilot_mask(n_ofdm_symbols)
    elements = torch.from_numpy(pilots.ravel()).to(symbols).expand(*symbols.shape[:-1], -1).clone()
    elements[..., torch.from_numpy(grid.data_elements(n_symbols)).to(symbols.device)] = symbols
    return elements.reshape(*symbols.shape[:-1], n_ofdm_symbols, grid.n_subcarriers)


def data_of(elements: Tensor, grid: OfdmGrid, n_symbols: int) -> Tensor:
    """Values [..., n_symbols] at the data symbols' places of a grid [..., L, N]; undoes :func:`fill`."""
    return elements.flatten(-2)[..., torch.from_numpy(grid.data_elements(n_symbols)).to(elements.device)]
