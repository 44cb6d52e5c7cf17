"""Cutting a payload into code blocks, and what a block is on the air.

A block holds k bits: its bytes and, last of them, its CRC. How many bits are sent for it the code family and the rate
say, so a block that is repeated may change its scheme. This module loads no tensor library.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from simnet.core.errors import SimnetError
from simnet.core.mcs import CodeFamily, Mcs
from simnet.phy import crc

BLOCK_BITS = (288, 576, 1152)
"""Information bits k that :func:`segment` uses."""
_BASE_COLUMNS, _Z_STEP, _SMALLEST_Z, _LARGEST_Z = 24, 4, 24, 96


@dataclass(frozen=True)
class BlockFormat:
    """One kind of block on the air; BLER tables are made per format.

    Attributes:
        k: information bits, CRC included; whole bytes.
        mcs: a coded scheme.
        code: LDPC code family.
    """

    k: int
    mcs: Mcs
    code: CodeFamily = "ieee80216e"

    @cached_property
    def coded_bits(self) -> int:
        """Bits sent."""
        return coded_bits(self.code, self.k, self.mcs.rate)

    @cached_property
    def channel_uses(self) -> int:
        """Complex symbols sent; the last one is filled up."""
        return channel_uses(self.coded_bits, self.mcs)

    @property
    def capacity_byte(self) -> int:
        """Payload bytes, the CRC not counted."""
        return capacity_byte(self.k)

    def __str__(self) -> str:
        return f"{self.code}, k = {self.k} bit, {self.mcs.name}"


def capacity_byte(k: int) -> int:
    """Payload bytes of a block of k bits, the CRC not counted."""
    return k // 8 - crc.N_BYTE


def ieee80216e_lifting(k: int, rate: Fraction) -> int:
    """Expansion factor z of the shortest code of IEEE 802.16e (24·z bits) that holds k information bits.

    Raises:
        SimnetError: even the longest is too short.
    """
    z = max(_SMALLEST_Z, math.ceil(k / (_BASE_COLUMNS * rate) / _Z_STEP) * _Z_STEP)
    if z > _LARGEST_Z:
        longest = int(_BASE_COLUMNS * _LARGEST_Z * rate)
        raise SimnetError(f"block of {k} bit: IEEE 802.16e at rate {rate} holds {longest} at most; cut it, or use 'nr'")
    return z


def coded_bits(code: CodeFamily, k: int, rate: Fraction) -> int:
    """Bits sent for k information bits.

    IEEE 802.16e: the shortest code that holds them, shortened: information bits in excess are 0 and are not sent, so
    the rate is the nominal one or below. 5G NR: k/rate, rounded up.
    """
    if code == "nr":
        return math.ceil(k / rate)
    return int(_BASE_COLUMNS * ieee80216e_lifting(k, rate) * (1 - rate)) + k


def segment(n_byte: int) -> tuple[int, ...]:
    """Information bits of the blocks that carry ``n_byte`` payload bytes in the fewest bits; () for 0 bytes.

    Blocks are to be filled in this order, the last one being padded.
    """
    if n_byte < 0:
        raise SimnetError(f"payload length: got {n_byte} byte; allowed 0 or more")
    short, middle, long = BLOCK_BITS
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
    """The blocks of a payload: (information bits, payload bytes), in order."""
    blocks = []
    start = 0
    for k in segment(len(payload)):
        blocks.append((k, payload[start : start + capacity_byte(k)]))
        start += capacity_byte(k)
    return blocks


def channel_uses(n_bit: int, mcs: Mcs) -> int:
    """Complex symbols that so many coded bits take."""
    return -(-n_bit // mcs.bits_per_symbol)
