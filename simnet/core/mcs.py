"""Modulation and coding schemes, and the families of LDPC codes, by the names of scenarios and records."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

from simnet.core.errors import UnknownName

CodeFamily = Literal["ieee80216e", "nr"]
CODE_FAMILIES: tuple[CodeFamily, ...] = get_args(CodeFamily)
"""IEEE 802.16e and 5G NR (3GPP TS 38.212)."""
MODULATIONS = {"QPSK": 2, "16-QAM": 4, "64-QAM": 6, "256-QAM": 8}
"""Name -> coded bits per complex symbol (channel use)."""
CODE_RATES = {"1/2": Fraction(1, 2), "2/3": Fraction(2, 3), "3/4": Fraction(3, 4), "5/6": Fraction(5, 6)}
"""Name -> information bits per coded bit."""


@dataclass(frozen=True)
class Mcs:
    """One scheme.

    Attributes:
        name: as in records and scenarios.
        bits_per_symbol: coded bits per complex symbol (channel use).
        rate: information bits per coded bit; 1 is uncoded.
    """

    name: str
    bits_per_symbol: int
    rate: Fraction

    def __hash__(self) -> int:
        return hash(self.name)  # a Fraction's hash is slow, and schemes are keys everywhere

    @property
    def code_rate(self) -> float:
        return float(self.rate)

    @property
    def modulation(self) -> str:
        return self.name.split()[0]

    @property
    def efficiency(self) -> float:
        """Information bits per channel use."""
        return self.bits_per_symbol * self.code_rate


MCS_TABLE = tuple(
    Mcs(f"{modulation} {rate_name}", bits_per_symbol, rate)
    for modulation, bits_per_symbol in MODULATIONS.items()
    for rate_name, rate in CODE_RATES.items()
)
"""Coded schemes: every modulation with every code rate. Which of them serves at which Es/N0 their BLER tables tell."""
MCS_NAMES = tuple(mcs.name for mcs in MCS_TABLE)
UNCODED_TABLE = tuple(
    Mcs(f"{modulation} uncoded", bits_per_symbol, Fraction(1)) for modulation, bits_per_symbol in MODULATIONS.items()
)
"""Direct transmission: no code."""
UNCODED_NAMES = tuple(mcs.name for mcs in UNCODED_TABLE)


def mcs_by_name(name: str) -> Mcs:
    """The scheme of that name.

    Raises:
        UnknownName: neither in :data:`MCS_TABLE` nor in :data:`UNCODED_TABLE`.
    """
    known = {mcs.name: mcs for mcs in MCS_TABLE + UNCODED_TABLE}
    if name not in known:
        raise UnknownName("MCS", name, known, hint="simnet list mcs")
    return known[name]
