"""CRC-24A."""

from __future__ import annotations

import numpy as np
import pytest

from simnet.core.streams import generator
from simnet.phy import crc


def bitwise(message: bytes) -> int:
    """The division as the standard writes it, bit by bit."""
    register = 0
    for byte in message + b"\0\0\0":
        for bit in range(7, -1, -1):
            register = register << 1 | byte >> bit & 1
            if register >> 24:
                register ^= 0x1864CFB
    return register


def rows(*messages: bytes) -> np.ndarray:
    return np.stack([np.frombuffer(m, dtype=np.uint8) for m in messages])


def test_published_check_value() -> None:
    """CRC-24/LTE-A of "123456789", from the RevEng catalogue of parametrised CRC algorithms."""
    assert crc.crc24a(rows(b"123456789"))[0].tobytes().hex() == "cde703"


@pytest.mark.parametrize("n_byte", [1, 2, 3, 33, 69, 141])
def test_equals_the_bitwise_division(n_byte: int) -> None:
    messages = [generator(1, "crc", n_byte, i).bytes(n_byte) for i in range(20)]
    got = [int.from_bytes(row.tobytes(), "big") for row in crc.crc24a(rows(*messages))]
    assert got == [bitwise(m) for m in messages]


def test_attached_crc_verifies_and_every_short_burst_is_detected() -> None:
    sent = crc.attach(rows(generator(1, "burst").bytes(33)))
    assert crc.verify(sent).all()
    bits = np.unpackbits(sent)
    broken = []
    for start in range(len(bits) - 24):
        burst = bits.copy()
        burst[[start, start + 23]] ^= 1
        burst[start + 1 : start + 23] ^= generator(1, "pattern", start).integers(0, 2, 22, dtype=np.uint8)
        broken.append(np.packbits(burst))
    assert not crc.verify(np.stack(broken)).any()
