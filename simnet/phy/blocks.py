"""Cutting a payload into code blocks: each holds k/8 bytes, the last three of them its CRC."""

from __future__ import annotations

from simnet.core.errors import SimnetError
from simnet.phy import crc
from simnet.phy.mcs import Mcs

BLOCK_LENGTHS = (576, 1152, 2304)
"""Codeword lengths in bits that :func:`segment` uses; all have BLER tables."""
_RATE_INVERSE = 2


def capacity_byte(n: int) -> int:
    """Payload bytes of a rate-1/2 codeword of n bits, the CRC not counted."""
    return n // _RATE_INVERSE // 8 - crc.N_BYTE


def segment(n_byte: int) -> tuple[int, ...]:
    """Codeword lengths in bits that carry ``n_byte`` payload bytes in the fewest coded bits; () for 0 bytes.

    Blocks are to be filled in this order, the last one being padded.
    """
    if n_byte < 0:
        raise SimnetError(f"payload length: got {n_byte} byte; allowed 0 or more")
    short, middle, long = BLOCK_LENGTHS
    n_long, rest = divmod(n_byte, capacity_byte(long))
    if rest == 0:
        tail: tuple[int, ...] = ()
    elif rest <= capacity_byte(short):
        tail = (short,)
    elif rest <= capacity_byte(middle):
        tail = (middle,)
    elif rest <= capacity_byte(middle) + capacity_byte(short):
        tail = (middle, short)
    else:
        tail = (long,)
    return (long,) * n_long + tail


def split(payload: bytes) -> list[tuple[int, bytes]]:
    """The blocks of a payload: (codeword length in bits, payload bytes), in order."""
    blocks = []
    start = 0
    for n in segment(len(payload)):
        blocks.append((n, payload[start : start + capacity_byte(n)]))
        start += capacity_byte(n)
    return blocks


def channel_uses(n: int, mcs: Mcs) -> int:
    """Complex symbols that n bits take."""
    return -(-n // mcs.bits_per_symbol)
