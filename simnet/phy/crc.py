"""CRC-24A of 3GPP TS 38.212, 5.1: polynomial 0x864CFB, start value 0, no reflection, highest bit first."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

N_BYTE = 3
_POLYNOMIAL = 0x864CFB
_TOP_BIT = 1 << 23


@cache
def _contributions(n_byte: int) -> NDArray[np.uint32]:
    """[n_byte, 256]: what each value of each byte adds to the CRC of a message of this length (the CRC is linear)."""
    table = np.zeros((n_byte, 256), dtype=np.uint32)
    unit = _POLYNOMIAL  # remainder of x^24, then of x^25, ...
    for position in range(n_byte - 1, -1, -1):
        for bit in range(8):
            table[position, 1 << bit : 2 << bit] = table[position, : 1 << bit] ^ unit
            unit = (unit << 1) ^ (_POLYNOMIAL | _TOP_BIT << 1 if unit & _TOP_BIT else 0)
    return table


def crc24a(messages: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """CRC bytes [B, 3], highest first, of messages [B, n_byte] of equal length."""
    n_byte = messages.shape[1]
    remainder: NDArray[np.uint32] = np.bitwise_xor.reduce(_contributions(n_byte)[np.arange(n_byte), messages], axis=1)
    four_bytes: NDArray[np.uint8] = remainder.astype(">u4")[:, None].view(np.uint8)
    return four_bytes[:, 1:]


def attach(messages: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Messages with their CRC behind them, [B, n_byte + 3]."""
    return np.concatenate((messages, crc24a(messages)), axis=1)


def verify(received: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """[B] bool: whether the last three bytes of each row are the CRC of those before."""
    matches: NDArray[np.bool_] = np.all(crc24a(received[:, :-N_BYTE]) == received[:, -N_BYTE:], axis=1)
    return matches
