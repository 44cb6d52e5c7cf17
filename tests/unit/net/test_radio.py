"""One wireless link: airtime, bursts, ARQ, energy, fading, age of channel knowledge."""

from __future__ import annotations

import math
from typing import Any

import pytest

from simnet.core.mcs import MCS_TABLE
from simnet.core.units import BOLTZMANN_J_PER_K
from simnet.net.air import Air
from tests.support.links import Ether, Sent


def test_airtime_counts_preamble_codewords_turn_around_and_ack() -> None:
    ether = Ether(preamble_symbol=30, ack_symbol=20, turnaround_s=0.001, delay_s=0.0005)
    (row,) = ether.send_all([Sent(2.0, n_byte=150)])  # one codeword of 2304 bits, one of 576
    assert row.air_s == pytest.approx((30 + 1152 + 288 + 20) / 1e5 + 0.001)
    assert row.ended_s == pytest.approx(2.0 + row.air_s + 0.0005)
    assert (row.propagation_s, row.queue_s, row.started_s) == (0.0005, 0.0, 2.0)
    assert (row.first_channel_use, row.delivered_channel_use, row.overhead_channel_use) == (1440, 1440, 50)
    assert row.esno_db == pytest.approx(10 * math.log10(ether.link.ends["gateway"].esno))


def test_mean_esno_is_the_link_budget() -> None:
    """14 dBm − 100 dB over 10 µs against kT0 and 4 dB: by hand, in dB."""
    ends = Ether(device_power_dbm=14, gateway_noise_figure_db=4).link.ends
    noise_dbm_per_hz = 10 * math.log10(BOLTZMANN_J_PER_K * 290 / 1e-3)
    assert noise_dbm_per_hz == pytest.approx(-173.975, abs=0.001)
    by_hand_db = 14 - 100 - (noise_dbm_per_hz + 4 + 10 * math.log10(1e5))
    assert 10 * math.log10(ends["gateway"].esno) == pytest.approx(by_hand_db)


def test_max_burst_bounds_the_whole_grant() -> None:
    """50 ms: 32 + 32 symbols and 1 ms of overhead leave 4836 for data: four long codewords."""
    ether = Ether(preamble_symbol=32, ack_symbol=32, turnaround_s=0.001, max_burst_s=0.05)
    (row,) = ether.send_all([Sent(0.0, n_byte=10 * 141)])
    assert row.burst_count == 3  # 4 + 4 + 2
    assert row.air_s == pytest.approx(10 * 1152 / 1e5 + 3 * (64 / 1e5 + 0.001))
    (alone,) = Ether(max_burst_s=0.005).send_all([Sent(0.0, n_byte=141)])
    assert alone.burst_count == 1 and alone.air_s == 0.01152  # a codeword can't be cut


@pytest.mark.parametrize("fading", ["none", "tdl_a"])
@pytest.mark.parametrize("max_burst_s", [0.0005, 0.002, 0.0105, 0.05, 0.0713])
def test_a_burst_has_time_for_so_many_symbols_and_for_no_more(fading: str, max_burst_s: float) -> None:
    """Beside preamble, ACK, turn-around, and with OFDM what goes with them."""
    ether = Ether(
        fading=fading, rms_delay_spread_s=1e-5, preamble_symbol=32, ack_symbol=32, turnaround_s=0.001,
        max_burst_s=max_burst_s,
    )  # fmt: skip
    air, room = ether.link.air, (max_burst_s - 0.001) * 1e5 - 64
    fits = [n for n in range(8000) if n + air.fading.overhead_channel_use(n) <= room]
    assert air.burst_symbols == (fits[-1] if fits else -1)


def test_retries_are_counted_apart_and_everything_sent_ends_one_way() -> None:
    rows = Ether(bler=0.5, max_attempts=4).send_all([Sent(float(i), n_byte=3 * 141) for i in range(60)])
    outcomes = {row.outcome for row in rows}
    assert outcomes == {"delivered", "lost"}
    for row in rows:
        assert row.first_byte == 423  # all three blocks fit the first burst
        assert row.retry_byte % 141 == 0
        assert row.first_byte + row.retry_byte == row.delivered_byte + row.lost_byte
        assert row.retry_channel_use == row.retry_byte // 141 * 1152
        assert row.attempt_count <= 4 and row.burst_count <= 4
        assert (row.outcome == "delivered") == (row.delivered_byte == 423)
    lost = next(row for row in rows if row.outcome == "lost")
    assert lost.attempt_count == 4 and lost.lost_byte >= 4 * 141


def test_retry_delay_lets_others_in_and_is_waited_once_per_failure() -> None:
    ether = Ether(bler=0.999, max_attempts=3, retry_delay_s=1.0)
    failing, other = ether.send_all([Sent(0.0), Sent(0.001)])
    assert failing.ended_s == pytest.approx(2.0 + 3 * 0.00288)
    assert failing.queue_s == pytest.approx(2.0)
    assert other.started_s == pytest.approx(0.00288)


def test_without_failure_there_is_no_retry_delay() -> None:
    """Blocks that wait for their first attempt, after a burst that arrived whole, go on at once."""
    (row,) = Ether(retry_delay_s=1.0, max_burst_s=0.0116).send_all([Sent(0.0, n_byte=4 * 141)])
    assert row.ended_s == pytest.approx(4 * 0.01152)


def test_energy_is_airtime_times_power_at_both_ends() -> None:
    """E = airtime·(P_tx/η + P_circuit) + receive airtime·P_rx (DESIGN §8), the ACK the other way."""
    ether = Ether(
        preamble_symbol=32, ack_symbol=16, turnaround_s=0.001, device_power_dbm=20, gateway_power_dbm=30,
        amplifier_efficiency=0.5, circuit_power_w=0.1, receive_power_w=0.2,
    )  # fmt: skip
    (row,) = ether.send_all([Sent(0.0, sender="device", n_byte=141)])
    data_s, ack_s = (32 + 1152) / 1e5, 16 / 1e5
    device = (data_s * (0.1 / 0.5 + 0.1), ack_s * 0.2)
    gateway = (ack_s * (1.0 / 0.5 + 0.1), data_s * 0.2)
    assert ether.spent["device"] == pytest.approx(device)
    assert ether.spent["gateway"] == pytest.approx(gateway)
    assert (row.tx_j, row.rx_j) == pytest.approx((device[0] + gateway[0], device[1] + gateway[1]))


def test_header_and_body_share_bursts_and_one_ack() -> None:
    ideal = Ether(protection="none", ack_symbol=32, turnaround_s=0.001)
    (row,) = ideal.send_all([Sent(0.0, n_byte=33, body=bytes(range(141)))])
    assert row.outcome == "delivered" and row.delivered_byte == 174
    assert row.overhead_channel_use == 32  # header and body in one burst: one ACK


def test_fading_is_constant_within_coherence_and_the_same_both_ways() -> None:
    link = Ether(fading="rayleigh", coherence_time_s=0.1, max_burst_s=0.1).link
    assert link.state(0.3001) == link.state(0.3999) != link.state(0.4001)
    rows = Ether(fading="rayleigh", coherence_time_s=1.0, max_burst_s=0.1).send_all(
        [Sent(0.0), Sent(0.1, sender="gateway"), Sent(1.5)]
    )
    assert rows[0].gain_abs2 == rows[1].gain_abs2 != rows[2].gain_abs2


def test_the_mcs_is_chosen_by_aged_knowledge_of_the_channel(monkeypatch: pytest.MonkeyPatch) -> None:
    known = []

    def record(self: Air, state: complex, mean_esno: float, k: int) -> object:
        known.append(abs(state) ** 2 * mean_esno)
        return MCS_TABLE[0]

    monkeypatch.setattr(Air, "mcs", record)
    settings: dict[str, Any] = {"fading": "rayleigh", "coherence_time_s": 0.1, "max_burst_s": 0.1}
    aged = Ether(csi_delay_s=0.25, **settings)
    (row,) = aged.send_all([Sent(1.0)])
    mean = aged.link.ends["gateway"].esno
    assert row.gain_abs2 == abs(aged.link.state(1.0)) ** 2
    assert known == [pytest.approx(abs(aged.link.state(0.75)) ** 2 * mean)]
    fresh = Ether(**settings)
    fresh.send_all([Sent(1.0)])
    assert known[1] == pytest.approx(abs(fresh.link.state(1.0)) ** 2 * mean)


def test_expected_airtime_is_the_mean_of_many() -> None:
    """Over a channel of constant BLER: blocks/(1 − BLER) codewords, each burst with its overhead."""
    ether = Ether(bler=0.2, max_attempts=100)
    rows = ether.send_all([Sent(float(i), n_byte=10 * 141) for i in range(400)])
    mean_s = sum(row.air_s for row in rows) / 400
    error_s = (10 * 0.2 / 400) ** 0.5 / 0.8 * 0.01152  # a block's number of attempts has variance 0.2 / 0.8²
    assert abs(ether.link.expected_airtime_s(1410, "device") - mean_s) < 4 * error_s


@pytest.mark.parametrize("sender", ["device", "gateway"])
def test_expected_energy_is_what_a_payload_takes(sender: str) -> None:
    """Data and preambles at the sender's power, acknowledgements at the other's, turn-arounds at nobody's."""
    ether = Ether(preamble_symbol=32, ack_symbol=64, turnaround_s=0.0005, max_burst_s=0.05)
    (row,) = ether.send_all([Sent(0.0, sender, n_byte=10 * 141)])
    assert row.burst_count > 1
    assert ether.link.expected_airtime_s(1410, sender) == pytest.approx(row.air_s)
    assert ether.link.expected_energy_j(1410, sender) == pytest.approx(row.tx_j + row.rx_j)


def test_a_run_s_end_counts_the_wait_until_then() -> None:
    ether = Ether(max_burst_s=0.05)
    rows = ether.send_all([Sent(0.0, n_byte=100 * 141), Sent(0.1, n_byte=141)], until_s=1.0)
    ether.carrier.close()
    assert rows[1].started_s is None
    assert rows[1].queue_s == pytest.approx(0.9)
