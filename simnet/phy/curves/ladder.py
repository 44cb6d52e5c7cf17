"""The Es/N0 at which a curve is measured."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from simnet.core.errors import SimnetError
from simnet.core.units import LARGEST_DB, esno_db_from_ebno_db, linear_to_db
from simnet.phy.blocks import BlockFormat
from simnet.phy.bounds.capacity import esno_for_rate
from simnet.phy.curves.channel import ChannelSettings

_LARGEST = 1000
"""Points of one curve."""
_STEEP_DB, _N_STEEP = 0.25, 40
_SLOW_DB, _N_SLOW = 3.0, 9


def parse_range(text: str, what: str) -> tuple[float, ...]:
    """The numbers, in dB, of ``start:stop:step``, both ends included where steps meet them, or of ``a,b,c``.

    Args:
        text: as the user wrote it.
        what: the option's name, for messages.

    Raises:
        SimnetError: it is neither, runs away from its stop, has no or too many points, or one beyond ±300 dB.
    """
    try:
        if ":" not in text:
            return _within(text, what, [float(_finite(part)) for part in text.split(",")])
        start, stop, step = (_finite(part) for part in text.split(":"))
        if step == 0 or (n := int((stop - start) / step) + 1) < 1 or (stop - start) / step < 0:
            raise ValueError
    except (ValueError, InvalidOperation):
        raise SimnetError(
            f"{what}: got {text!r}; allowed start:stop:step with a step towards stop, such as 0:20:2, or values with "
            "commas between them, such as 0,2.5,5"
        ) from None
    if n > _LARGEST:
        raise SimnetError(f"{what}: got {text!r}, {n} points; allowed {_LARGEST} at most; take a larger step")
    return _within(text, what, [float(start + i * step) for i in range(n)])


def _within(text: str, what: str, points_db: list[float]) -> tuple[float, ...]:
    if max(map(abs, points_db)) > LARGEST_DB:
        raise SimnetError(f"{what}: got {text!r}; allowed −{LARGEST_DB:g} to {LARGEST_DB:g} dB")
    return tuple(points_db)


def _finite(text: str) -> Decimal:
    number = Decimal(text.strip())
    if not number.is_finite():
        raise ValueError
    return number


def actual_rate(block_format: BlockFormat) -> float:
    """Information bits, CRC included, per channel use."""
    return block_format.k / block_format.channel_uses


def esno_db_of(ebno_db: float, block_format: BlockFormat) -> float:
    """Es/N0 of an Eb/N0, energy per information bit, CRC included, of the block as it is sent."""
    m = block_format.mcs.bits_per_symbol
    return esno_db_from_ebno_db(ebno_db, bits_per_symbol=m, code_rate=actual_rate(block_format) / m)


@dataclass(frozen=True)
class Ladder:
    """Es/N0 or Eb/N0 of the points, or neither: then around the waterfall.

    Attributes:
        esno_db: mean Es/N0 in dB.
        ebno_db: Eb/N0 in dB.

    Raises:
        SimnetError: both are given.
    """

    esno_db: tuple[float, ...] | None = None
    ebno_db: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if self.esno_db is not None and self.ebno_db is not None:
            raise SimnetError("Es/N0 and Eb/N0: got both; allowed one of --esno-db and --ebno-db")

    def steps_db(self, block_format: BlockFormat, channel: ChannelSettings) -> tuple[float, ...]:
        """Mean Es/N0 of the points in dB, rising.

        By default from where AWGN's BICM capacity equals the rate: every 0.25 dB, or where one gain serves a whole
        block, every 3 dB.
        """
        if self.esno_db is not None:
            return tuple(sorted(self.esno_db))
        if self.ebno_db is not None:
            return tuple(esno_db_of(each, block_format) for each in sorted(self.ebno_db))
        limit_db = linear_to_db(esno_for_rate(actual_rate(block_format), block_format.mcs.bits_per_symbol))
        step_db, n = (_STEEP_DB, _N_STEEP) if channel.memory == "none" else (_SLOW_DB, _N_SLOW)
        first_db = math.floor(limit_db / _STEEP_DB) * _STEEP_DB
        return tuple(first_db + i * step_db for i in range(n))
