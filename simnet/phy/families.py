"""The code families of :data:`simnet.core.mcs.CODE_FAMILIES`: which code a block of some format is sent with."""

from __future__ import annotations

from functools import lru_cache

from simnet.core.errors import UnknownName
from simnet.core.mcs import CODE_FAMILIES
from simnet.phy.blocks import BlockFormat
from simnet.phy.ldpc.code import RateMatchedCode
from simnet.phy.ldpc.nr import NrRateMatched
from simnet.phy.ldpc.shortened import ieee80216e_shortened

_VARIANTS = {"1/2": "1/2", "2/3": "2/3A", "3/4": "3/4B", "5/6": "5/6"}
"""Of the standard's two codes of one rate, the one that loses fewer blocks of 1152 bits (AWGN, QPSK, as measured)."""


@lru_cache(maxsize=256)
def block_code(block_format: BlockFormat) -> RateMatchedCode:
    """The code of a block format, built once.

    Raises:
        UnknownName: no such family.
    """
    if block_format.code == "nr":
        return NrRateMatched(block_format.k, block_format.coded_bits)
    if block_format.code == "ieee80216e":
        return ieee80216e_shortened(block_format.k, _VARIANTS[str(block_format.mcs.rate)])
    raise UnknownName("LDPC code family", block_format.code, CODE_FAMILIES)
