"""Links without protection: uncoded schemes, and a scheme of its own for what is protected all the same."""

from __future__ import annotations

import math
from typing import Any

import pytest

from simnet.net.air import ExactAir
from simnet.signal.plane import SignalPlane
from tests.support.links import Ether, Sent

ESNO_DB = 4.0


def exact(**radio: Any) -> Ether:
    made = Ether(**{"protection": "none", "fidelity": "exact", "mean_esno_db": ESNO_DB, **radio})
    made.link.air = ExactAir(made.radio, 1, SignalPlane({}, {}))
    return made


def q_function(x: float) -> float:
    return 0.5 * math.erfc(x / math.sqrt(2.0))


def test_uncoded_qpsk_has_the_bit_error_rate_of_the_book() -> None:
    """Q(√(Es/N0)), Proakis 4.3-13 with Es = 2 Eb; the header goes by LDPC and arrives."""
    rows = exact(mcs="QPSK uncoded", protected_mcs="QPSK 1/2").send_all(
        [Sent(float(i), body=bytes(range(141))) for i in range(80)]
    )
    rate, n_bit = q_function(math.sqrt(10 ** (ESNO_DB / 10))), 8 * 141 * 80
    assert abs(sum(row.bit_errors for row in rows) / n_bit - rate) < 4 * math.sqrt(rate * (1 - rate) / n_bit)
    assert all(row.outcome == "delivered" for row in rows)


def test_an_uncoded_header_is_repeated_until_its_crc_holds() -> None:
    """A block of 288 bits arrives with (1 − BER)^288: here one in 32, so most are lost after four attempts."""
    rows = exact(mcs="QPSK uncoded", mean_esno_db=7.0, max_attempts=4).send_all([Sent(float(i)) for i in range(300)])
    failed = (1 - (1 - q_function(math.sqrt(10**0.7))) ** 288) ** 4
    n_lost = sum(row.outcome == "lost" for row in rows)
    assert abs(n_lost / 300 - failed) < 4 * math.sqrt(failed * (1 - failed) / 300)
    assert 0 < n_lost < 300


def test_each_part_takes_the_channel_uses_of_its_scheme() -> None:
    """2304 coded bits of the frame's one long block, 1152 of each of the body's; a burst has one scheme."""
    (row,) = exact(mcs="QPSK uncoded", protected_mcs="QPSK 1/2", ack_symbol=10).send_all(
        [Sent(0.0, n_byte=141, body=bytes(2 * 141))]
    )
    assert row.first_channel_use == 2304 // 2 + 2 * 1152 // 2
    assert (row.burst_count, row.overhead_channel_use, row.mcs) == (2, 10, "QPSK 1/2")
    (alike,) = exact(mcs="QPSK 1/2", protected_mcs="QPSK 1/2").send_all([Sent(0.0, n_byte=141, body=bytes(2 * 141))])
    assert (alike.burst_count, alike.first_channel_use) == (1, 3 * 1152)


@pytest.mark.parametrize("mcs", ["QPSK 1/2", "16-QAM uncoded"])
def test_without_a_scheme_of_its_own_everything_goes_at_one(mcs: str) -> None:
    (row,) = Ether(protection="none", mcs=mcs).send_all([Sent(0.0, n_byte=141, body=bytes(141))])
    assert row.first_channel_use == 2 * (1152 if mcs == "QPSK 1/2" else 288)
    assert row.burst_count == 1
