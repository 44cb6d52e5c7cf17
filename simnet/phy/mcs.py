"""Modulation and coding schemes."""

from __future__ import annotations

from dataclasses import dataclass

from simnet.core.errors import UnknownName


@dataclass(frozen=True)
class Mcs:
    """One scheme.

    Attributes:
        name: as in records and scenarios.
        bits_per_symbol: coded bits per complex symbol (channel use).
        code_rate: information bits per coded bit; 1 is uncoded.
    """

    name: str
    bits_per_symbol: int
    code_rate: float


MCS_TABLE = (Mcs("QPSK 1/2", 2, 0.5), Mcs("16-QAM 1/2", 4, 0.5), Mcs("64-QAM 1/2", 6, 0.5))
"""Coded schemes, from the most robust to the fastest."""
UNCODED_TABLE = (Mcs("QPSK uncoded", 2, 1.0), Mcs("16-QAM uncoded", 4, 1.0), Mcs("64-QAM uncoded", 6, 1.0))
"""Direct transmission: no code, no CRC."""


def mcs_by_name(name: str) -> Mcs:
    """The scheme of that name.

    Raises:
        UnknownName: neither in :data:`MCS_TABLE` nor in :data:`UNCODED_TABLE`.
    """
    known = {mcs.name: mcs for mcs in MCS_TABLE + UNCODED_TABLE}
    if name not in known:
        raise UnknownName("MCS", name, known)
    return known[name]
